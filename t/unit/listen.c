/* SPDX-License-Identifier: ISC */
/* listen.c - connections come in, and none is lost when descriptors are
 * short: accepting waits and goes on. */
#include "common/listen.h"

#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/loop.h"
#include "t/unit/tap.h"

static char dir[] = "/tmp/listen.XXXXXX";
static int accepted_fd = -1;

static void
keep(int fd, void *arg)
{
	*(int *)arg = fd;
}

static int
connect_to(const struct listener *listener)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	int fd;

	getsockname(listen_fd(listener), (struct sockaddr *)&address, &len);
	fd = socket(address.ss_family, SOCK_STREAM, 0);
	if (connect(fd, (struct sockaddr *)&address, len) == -1)
		printf("Bail out! cannot connect\n");
	return fd;
}

static void
test_accept(void)
{
	const char *why;
	struct listener *listener = listen_open("inet:127.0.0.1:0", 0, "",
	    &why);
	int on = 0, client;
	socklen_t len = sizeof(on);

	listen_start(listener, keep, &accepted_fd);
	client = connect_to(listener);
	event_base_loop(loop_base(), EVLOOP_ONCE);
	tap_ok(accepted_fd != -1, "what connects is handed on");
	tap_ok((fcntl(accepted_fd, F_GETFL) & O_NONBLOCK) != 0,
	    "and does not block");
	tap_ok((fcntl(accepted_fd, F_GETFD) & FD_CLOEXEC) != 0,
	    "and is closed on exec");
	getsockopt(accepted_fd, IPPROTO_TCP, TCP_NODELAY, &on, &len);
	tap_int(on, 1, "and sends without delay");
	close(accepted_fd);
	close(client);
	accepted_fd = -1;
	listen_stop(listener);
	client = connect_to(listener);
	event_base_loop(loop_base(), EVLOOP_NONBLOCK);
	tap_int(accepted_fd, -1, "once stopped, nothing is accepted");
	listen_start(listener, keep, &accepted_fd);
	event_base_loop(loop_base(), EVLOOP_ONCE);
	tap_ok(accepted_fd != -1, "started again, what waited is");
	close(accepted_fd);
	close(client);
	listen_close(listener);
	accepted_fd = -1;
}

static void
test_unix(void)
{
	char text[64];
	const char *why;
	struct listener *listener;

	snprintf(text, sizeof(text), "unix:%s/s", dir);
	listener = listen_open(text, 0600, "", &why);
	tap_is(listen_name(listener), text, "a unix socket is named");
	listen_close(listener);
	tap_int(access(text + 5, F_OK), -1, "its file is removed at the end");
	listener = listen_open(text, 0600, "", &why);
	unlink(text + 5);
	close(open(text + 5, O_WRONLY | O_CREAT, 0600));
	listen_close(listener);
	tap_int(access(text + 5, F_OK), 0,
	    "a file that is not ours any more is not");
	unlink(text + 5);
	tap_ok(listen_open("nonsense", 0, "", &why) == NULL &&
	    listen_check("nonsense", &why) == -1 &&
	    listen_check("inet:127.0.0.1:1", &why) == 0,
	    "what is no endpoint is told by the check and at opening");
	listen_close(NULL);
}

/* No descriptor above those in use; returns the limit as it was */
static struct rlimit
descriptors_take(void)
{
	struct rlimit before, none;
	int next = dup(0);

	getrlimit(RLIMIT_NOFILE, &before);
	none = before;
	none.rlim_cur = (rlim_t)next;
	close(next);
	setrlimit(RLIMIT_NOFILE, &none);
	return before;
}

static int64_t
monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static size_t
lines_in(FILE *file)
{
	size_t lines = 0;
	int c;

	rewind(file);
	while ((c = getc(file)) != EOF)
		lines += c == '\n';
	return lines;
}

static void
test_shortage(void)
{
	const char *why;
	struct listener *one = listen_open("inet:127.0.0.1:0", 0, "", &why);
	struct listener *two = listen_open("inet:127.0.0.1:0", 0, "", &why);
	int first = -1, second = -1, client, other, stderr_fd = dup(2), i;
	FILE *log = tmpfile();
	struct rlimit before;
	int64_t start = monotonic_ms();

	listen_start(one, keep, &first);
	listen_start(two, keep, &second);
	client = connect_to(one);
	other = connect_to(two);
	dup2(fileno(log), 2);
	before = descriptors_take();
	for (i = 0; i < 100; i++)
		event_base_loop(loop_base(), EVLOOP_NONBLOCK);
	tap_int((int64_t)lines_in(log), 1,
	    "short of descriptors there is one warning for all listeners");
	tap_ok(first == -1 && second == -1, "and nothing is accepted");
	setrlimit(RLIMIT_NOFILE, &before);
	while (first == -1 || second == -1)
		event_base_loop(loop_base(), EVLOOP_ONCE);
	tap_ok(monotonic_ms() - start >= 900, "after a pause of a second");
	tap_ok(first != -1 && second != -1, "what waited is accepted");
	dup2(stderr_fd, 2);
	close(stderr_fd);
	fclose(log);
	close(client);
	close(other);
	close(first);
	close(second);
	listen_close(one);
	listen_close(two);
}

int
main(void)
{
	if (mkdtemp(dir) == NULL)
		return 1;
	test_accept();
	test_unix();
	test_shortage();
	rmdir(dir);
	loop_free();
	return tap_done();
}
