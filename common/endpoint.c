/* SPDX-License-Identifier: ISC */
/* endpoint.c - reads, binds and connects to an endpoint. Must never take a
 * path from a living server, nor show a socket with wider rights than asked
 * for, whatever the umask. Next: listen.c accepts on it. */
#include "common/endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/xmalloc.h"

#define UNIX_WAIT_SECS 10	/* for a place in a listen queue */
#define SOCKET_TYPE (SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC)

static int
unix_parse(const char *path, struct endpoint *out, const char **why)
{
	*why = "wants unix:/path with the whole path";
	if (*path != '/')
		return -1;
	*why = "path too long for a unix socket";
	if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return -1;
	out->path = path;
	return 0;
}

static int
port_check(const char *port, const char **why)
{
	size_t digits = strspn(port, "0123456789");

	*why = "port wants to be a number from 0 to 65535";
	return digits >= 1 && digits <= 5 && port[digits] == '\0' &&
	    atoi(port) <= 65535 ? 0 : -1;
}

static int
inet_parse(const char *text, struct endpoint *out, const char **why)
{
	const char *colon = strrchr(text, ':');
	size_t len = colon != NULL ? (size_t)(colon - text) : 0;
	struct in6_addr address;

	*why = "wants inet:host:port or inet:[::1]:port";
	out->family = AF_INET;
	if (len > 2 && *text == '[' && text[len - 1] == ']') {
		out->family = AF_INET6;
		text++;
		len -= 2;
	}
	if (len == 0 || len >= sizeof(out->host))
		return -1;
	memcpy(out->host, text, len);
	out->host[len] = '\0';
	out->port = colon + 1;
	if (out->family == AF_INET && strpbrk(out->host, ":[]") != NULL)
		return -1;
	*why = "not an IPv6 address in the brackets";
	if (out->family == AF_INET6 &&
	    inet_pton(AF_INET6, out->host, &address) != 1)
		return -1;
	*why = "not an IPv4 address";
	if (strspn(out->host, "0123456789.") == len &&
	    inet_pton(AF_INET, out->host, &address) != 1)
		return -1;
	return port_check(out->port, why);
}

int
endpoint_parse(const char *text, struct endpoint *out, const char **why)
{
	*out = (struct endpoint){ .text = text };
	if (strncmp(text, "unix:", 5) == 0)
		return unix_parse(text + 5, out, why);
	if (strncmp(text, "inet:", 5) == 0)
		return inet_parse(text + 5, out, why);
	*why = "wants unix:/path, inet:host:port or inet:[::1]:port";
	return -1;
}

/* Returns -1, so that a failing call can end in it */
static int
say(const char **why, const char *verb, const char *what, const char *reason)
{
	static _Thread_local char text[512];

	snprintf(text, sizeof(text), "cannot %s %s: %s", verb, what, reason);
	*why = text;
	return -1;
}

static int
stale_remove(const struct sockaddr_un *address, const char **why)
{
	const char *path = address->sun_path;
	struct stat st;
	int fd, error;

	if (lstat(path, &st) == -1)
		return errno == ENOENT ? 0 :
		    say(why, "look at", path, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return say(why, "bind", path, "a file that is no socket");
	fd = socket(AF_UNIX, SOCKET_TYPE, 0);
	error = connect(fd, (const struct sockaddr *)address,
	    sizeof(*address)) == -1 ? errno : 0;
	close(fd);
	if (error == 0 || error == EAGAIN)
		return say(why, "bind", path, "another server answers there");
	if (error != ECONNREFUSED)
		return say(why, "try", path, strerror(error));
	if (unlink(path) == -1)
		return say(why, "remove stale", path, strerror(errno));
	return 0;
}

static int
group_find(const char *name, gid_t *out, const char **why)
{
	const struct group *group;

	*out = (gid_t)-1;	/* what chown() takes for "as it is" */
	if (*name == '\0')
		return 0;
	if ((group = getgrnam(name)) == NULL)
		return say(why, "find", "group", name);
	*out = group->gr_gid;
	return 0;
}

/* Closed to all until group and mode are what they shall be */
static int
unix_bind(int fd, const struct sockaddr_un *address)
{
	mode_t before = umask(0777);
	int rc = bind(fd, (const struct sockaddr *)address, sizeof(*address));

	umask(before);
	return rc;
}

static int
unix_open(const char *path, unsigned mode, const char *group,
    const char **why)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	gid_t gid;
	int fd;

	strcpy(address.sun_path, path);	/* its length: unix_parse() */
	if (group_find(group, &gid, why) == -1 ||
	    stale_remove(&address, why) == -1)
		return -1;
	fd = socket(AF_UNIX, SOCKET_TYPE, 0);
	if (fd == -1 || unix_bind(fd, &address) == -1) {
		say(why, "bind", path, strerror(errno));
		goto fail;
	}
	if (lchown(path, (uid_t)-1, gid) == -1 || chmod(path, mode) == -1) {
		say(why, "set group and mode of", path, strerror(errno));
		unlink(path);
		goto fail;
	}
	return fd;
fail:
	if (fd != -1)
		close(fd);
	return -1;
}

static int
inet_bind(int fd, const struct addrinfo *to)
{
	int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	/* Linux: what is accepted inherits this */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (to->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	return bind(fd, to->ai_addr, to->ai_addrlen);
}

static int
inet_open(const struct endpoint *endpoint, const char **why)
{
	struct addrinfo *found, hints = {
		.ai_family = endpoint->family,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
	};
	int rc = getaddrinfo(endpoint->host, endpoint->port, &hints, &found);
	int fd;

	if (rc != 0)
		return say(why, "find", endpoint->text, gai_strerror(rc));
	fd = socket(endpoint->family, SOCKET_TYPE, 0);
	if (fd == -1 || inet_bind(fd, found) == -1) {
		say(why, "bind", endpoint->text, strerror(errno));
		if (fd != -1)
			close(fd);
		fd = -1;
	}
	freeaddrinfo(found);
	return fd;
}

int
endpoint_bind(const struct endpoint *endpoint, unsigned mode,
    const char *group, const char **why)
{
	int fd = endpoint->path == NULL ? inet_open(endpoint, why) :
	    unix_open(endpoint->path, mode, group, why);

	if (fd == -1 || listen(fd, SOMAXCONN) == 0)
		return fd;
	say(why, "listen on", endpoint->text, strerror(errno));
	close(fd);
	return -1;
}

/* fd -1: errno is still that of socket() */
static int
connect_fd(int fd, const struct sockaddr *address, socklen_t len,
    const char *text, const char **why)
{
	if (fd != -1 && (connect(fd, address, len) == 0 ||
	    errno == EINPROGRESS))
		return fd;
	say(why, "connect to", text, strerror(errno));
	if (fd != -1)
		close(fd);
	return -1;
}

/* A full listen queue would be an error to a socket that does not block */
static int
unix_connect(const struct endpoint *endpoint, const char **why)
{
	static const struct timeval wait = { .tv_sec = UNIX_WAIT_SECS };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, endpoint->path);
	if (fd != -1)
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	fd = connect_fd(fd, (const struct sockaddr *)&address,
	    sizeof(address), endpoint->text, why);
	if (fd != -1)
		fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static int
inet_connect(const struct endpoint *endpoint, const char **why)
{
	struct addrinfo *found, hints = {
		.ai_family = endpoint->family,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV,
	};
	int rc = getaddrinfo(endpoint->host, endpoint->port, &hints, &found);
	int fd, on = 1;

	if (rc != 0)
		return say(why, "find", endpoint->text, gai_strerror(rc));
	fd = socket(endpoint->family, SOCKET_TYPE, 0);
	if (fd != -1)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	fd = connect_fd(fd, found->ai_addr, found->ai_addrlen,
	    endpoint->text, why);
	freeaddrinfo(found);
	return fd;
}

int
endpoint_connect(const struct endpoint *endpoint, const char **why)
{
	return endpoint->path != NULL ? unix_connect(endpoint, why)
	    : inet_connect(endpoint, why);
}

char *
endpoint_name(int fd)
{
	struct sockaddr_storage address = { 0 };
	socklen_t len = sizeof(address);
	char host[NI_MAXHOST] = "?", port[NI_MAXSERV] = "?";

	getsockname(fd, (struct sockaddr *)&address, &len);
	if (address.ss_family == AF_UNIX)
		return xasprintf("unix:%s",
		    ((struct sockaddr_un *)&address)->sun_path);
	getnameinfo((struct sockaddr *)&address, len, host, sizeof(host),
	    port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
	return xasprintf(address.ss_family == AF_INET6 ? "inet:[%s]:%s" :
	    "inet:%s:%s", host, port);
}
