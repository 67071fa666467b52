/* SPDX-License-Identifier: ISC */
/* endpoint.c - what is an endpoint, and what it is bound to. */
#include "common/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "t/unit/tap.h"

#define WANTS "wants unix:/path, inet:host:port or inet:[::1]:port"
#define WANTS_INET "wants inet:host:port or inet:[::1]:port"
#define WANTS_PORT "port wants to be a number from 0 to 65535"
#define LONG "/123456789012345678901234567890123456789012345678901234567890"

/* clang-format off */
static const struct row {
	const char *name, *text, *why;	/* why NULL: it is one */
} rows[] = {
	{ "a unix socket", "unix:/run/x", NULL },
	{ "a unix socket wants a whole path", "unix:run/x", "wants unix:/path with the whole path" },
	{ "a unix socket's path is short", "unix:" LONG LONG, "path too long for a unix socket" },
	{ "an IPv4 address", "inet:127.0.0.1:10031", NULL },
	{ "a name", "inet:localhost:10031", NULL },
	{ "an IPv6 address in brackets", "inet:[::1]:10031", NULL },
	{ "all IPv6 addresses", "inet:[::]:10031", NULL },
	{ "port 0 is any", "inet:127.0.0.1:0", NULL },
	{ "port 65535 is the last", "inet:127.0.0.1:65535", NULL },
	{ "port 65536 is none", "inet:127.0.0.1:65536", WANTS_PORT },
	{ "a long port is none", "inet:127.0.0.1:4294967297", WANTS_PORT },
	{ "a negative port is none", "inet:127.0.0.1:-1", WANTS_PORT },
	{ "an empty port is none", "inet:127.0.0.1:", WANTS_PORT },
	{ "a service name is no port", "inet:127.0.0.1:smtp", WANTS_PORT },
	{ "a port alone is no endpoint", "inet:10031", WANTS_INET },
	{ "an empty host is no endpoint", "inet::10031", WANTS_INET },
	{ "IPv6 wants brackets", "inet:::1:10031", WANTS_INET },
	{ "brackets want IPv6", "inet:[127.0.0.1]:10031", "not an IPv6 address in the brackets" },
	{ "empty brackets are no address", "inet:[]:10031", WANTS_INET },
	{ "digits and dots are an IPv4 address or nothing", "inet:127.0.0.256:1", "not an IPv4 address" },
	{ "a path alone is no endpoint", "/run/x", WANTS },
	{ "nothing is no endpoint", "", WANTS },
};
/* clang-format on */

static char dir[] = "/tmp/endpoint.XXXXXX";
static char text[128];

/* -1 and *why, or the socket */
static int
bound(const char *endpoint, unsigned mode, const char *group,
    const char **why)
{
	struct endpoint to;

	*why = "";
	if (endpoint_parse(endpoint, &to, why) == -1)
		return -1;
	return endpoint_bind(&to, mode, group, why);
}

static const char *
in_dir(const char *name)
{
	snprintf(text, sizeof(text), "unix:%s/%s", dir, name);
	return text;
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == -1 ? 0 : st.st_mode & 07777;
}

static void
test_unix(void)
{
	const char *why, *path = in_dir("s") + 5;
	mode_t before = umask(0);
	int fd = bound(text, 0640, "", &why), other;
	char *name;

	tap_ok(fd != -1 && mode_of(path) == 0640,
	    "a unix socket has its mode under umask 0");
	name = endpoint_name(fd);
	tap_is(name, text, "a unix socket is named by its path");
	free(name);
	tap_ok(bound(text, 0640, "", &why) == -1 &&
	    strstr(why, "another server answers there") != NULL,
	    "a unix socket that answers is not taken");
	close(fd);
	umask(0777);
	other = bound(text, 0666, "", &why);
	tap_ok(other != -1 && mode_of(path) == 0666,
	    "a stale one is, and has its mode under umask 0777");
	tap_ok(umask(before) == 0777, "the umask is as it was");
	close(other);
	unlink(path);
}

static void
test_unix_errors(void)
{
	const char *why, *path = in_dir("f") + 5;
	FILE *file = fopen(path, "w");

	if (file != NULL)
		fclose(file);
	tap_ok(bound(text, 0600, "", &why) == -1 &&
	    strstr(why, "a file that is no socket") != NULL &&
	    access(path, F_OK) == 0, "a file that is no socket is left alone");
	unlink(path);
	in_dir("none/s");
	tap_ok(bound(text, 0600, "", &why) == -1 &&
	    strstr(why, "No such file or directory") != NULL,
	    "a directory that is not there is an error");
	in_dir("g");
	tap_ok(bound(text, 0600, "no-such-group", &why) == -1 &&
	    strstr(why, "no-such-group") != NULL && access(path, F_OK) == -1,
	    "a group that is not there is an error, and leaves no socket");
	if (geteuid() != 0)
		return;
	tap_ok(bound(text, 0600, "daemon", &why) != -1,
	    "a group that is there is taken");
	unlink(path);
}

static int
option_of(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(fd, level, name, &value, &len) == -1 ? -1 : value;
}

static void
test_inet(void)
{
	const char *why;
	int fd = bound("inet:127.0.0.1:0", 0, "", &why), other;
	char *name = endpoint_name(fd);

	tap_ok(strncmp(name, "inet:127.0.0.1:", 15) == 0 && atoi(name + 15) > 0,
	    "port 0 becomes a free one, and is told");
	other = bound(name, 0, "", &why);
	tap_ok(other == -1 && strstr(why, "Address already in use") != NULL,
	    "a port that is taken is an error");
	free(name);
	close(fd);
	fd = bound("inet:localhost:0", 0, "", &why);
	name = endpoint_name(fd);
	tap_ok(strncmp(name, "inet:127.", 9) == 0, "a name is an IPv4 address");
	free(name);
	close(fd);
	fd = bound("inet:[::]:0", 0, "", &why);
	if (fd == -1) {
		tap_ok(true, "# SKIP no IPv6 on this machine");
		return;
	}
	tap_int(option_of(fd, IPPROTO_IPV6, IPV6_V6ONLY), 1,
	    "all IPv6 addresses are not the IPv4 ones too");
	name = endpoint_name(fd);
	tap_ok(strncmp(name, "inet:[::]:", 10) == 0, "IPv6 is told in brackets");
	free(name);
	close(fd);
}

/* The error of a connection once it is made or not; 0 none, -1 not begun */
static int
connected(const char *where, const char **why)
{
	struct endpoint to;
	struct pollfd fds = { .events = POLLOUT };
	int error = -1;

	endpoint_parse(where, &to, why);
	fds.fd = endpoint_connect(&to, why);
	if (fds.fd == -1)
		return -1;
	if (poll(&fds, 1, 10000) == 1)
		error = option_of(fds.fd, SOL_SOCKET, SO_ERROR);
	if ((fcntl(fds.fd, F_GETFL) & O_NONBLOCK) == 0)
		error = -1;
	close(fds.fd);
	return error;
}

static void
test_connect(void)
{
	const char *why = "";
	char path[64], *name;
	int fd = bound("inet:127.0.0.1:0", 0, "", &why);

	name = endpoint_name(fd);
	tap_int(connected(name, &why), 0, "a listener is connected to");
	close(fd);
	tap_int(connected(name, &why), ECONNREFUSED,
	    "and not once it has gone");
	free(name);
	snprintf(path, sizeof(path), "unix:%s/to", dir);
	tap_int(connected(path, &why), -1, "no socket, no connection");
	tap_ok(strstr(why, "cannot connect to unix:/") != NULL &&
	    strstr(why, "No such file") != NULL, "and it is said why");
	fd = bound(path, 0600, "", &why);
	tap_int(connected(path, &why), 0, "a unix socket is connected to");
	close(fd);
	unlink(path + 5);
}

/* A next hop that is well and cannot be reached: why? */
static void
test_shortage(void)
{
	static const char *const texts[] = { "inet:127.0.0.1:1", "unix:/x" };
	struct rlimit before, few;
	struct endpoint to;
	const char *why = "";
	size_t i;
	int fd;

	getrlimit(RLIMIT_NOFILE, &before);
	few = before;
	few.rlim_cur = 0;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		endpoint_parse(texts[i], &to, &why);
		setrlimit(RLIMIT_NOFILE, &few);
		fd = endpoint_connect(&to, &why);
		setrlimit(RLIMIT_NOFILE, &before);
		tap_ok(fd == -1 && strstr(why, strerror(EMFILE)) != NULL,
		    "a want of descriptors is told as such");
	}
}

int
main(void)
{
	struct endpoint to;
	const char *why;
	size_t i;
	int rc;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		rc = endpoint_parse(rows[i].text, &to, &why);
		tap_is(rc == 0 ? NULL : why, rows[i].why, rows[i].name);
	}
	if (mkdtemp(dir) == NULL)
		return 1;
	test_unix();
	test_unix_errors();
	test_inet();
	test_connect();
	test_shortage();
	rmdir(dir);
	return tap_done();
}
