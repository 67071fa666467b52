/* SPDX-License-Identifier: ISC */
/* session.c - a connection from Postfix over a socket pair: is each request
 * answered once, however its bytes come, and never a byte sent unasked? */
#include "policyd/session.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "t/unit/service_world.h"
#include "t/unit/tap.h"

#define OUT(id, address) "sasl_username=anna@ours.example " \
	"sender=anna@ours.example instance=" id " recipient=" address
#define PERMIT "action=DUNNO\n\n"
#define LATER  "action=550 5.7.1 relaying denied: neither sender nor " \
	"recipient is ours\n\n"

static struct sessions *sessions;
static struct arena *arena;

/* Our end of a new connection */
static int
dial(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == -1)
		abort();
	session_accept(pair[1], sessions);
	return pair[0];
}

/* All that can happen without waiting */
static void
pump(void)
{
	int i;

	for (i = 0; i < 4; i++)
		event_base_loop(loop_base(), EVLOOP_NONBLOCK);
}

static void
say(int fd, const char *bytes, size_t len)
{
	if (send(fd, bytes, len, MSG_NOSIGNAL) != (ssize_t)len)
		abort();
	pump();
}

/* What has come in: bytes, "" for nothing, "(closed)" behind the last */
static const char *
hear(int fd)
{
	static char heard[8192];
	size_t len = 0;
	ssize_t n;

	pump();
	while ((n = recv(fd, heard + len, sizeof(heard) - len - 16, 0)) > 0)
		len += (size_t)n;
	heard[len] = '\0';
	if (n == 0 || (n == -1 && errno == ECONNRESET))
		strcat(heard, "(closed)");
	return heard;
}

static const char *
request(const char *attributes)
{
	return world_request(arena, attributes);
}

static void
ask(int fd, const char *attributes)
{
	const char *bytes = request(attributes);

	say(fd, bytes, strlen(bytes));
}

static void
hang_up(int fd)
{
	close(fd);
	pump();
}

static void
test_bytes(void)
{
	const char *one = request(OUT("1", "a@far.example"));
	const char *two = request("recipient=x@far.example");
	char *both = arena_printf(arena, "%s%s", one, two);
	size_t i, middle = strlen(one) + 10;
	bool is_early = false;
	int fd = dial();

	tap_is(hear(fd), "", "who connects hears nothing");
	ask(fd, OUT("1", "a@far.example"));
	tap_is(hear(fd), PERMIT, "a request is answered");
	tap_is(hear(fd), "", "once, and the connection stays");
	say(fd, one, 1);
	for (i = 1; one[i] != '\0'; i++) {
		is_early |= *hear(fd) != '\0';
		say(fd, one + i, 1);
	}
	tap_is(hear(fd), PERMIT, "a request that comes byte by byte, too");
	tap_ok(!is_early, "and not before its last one");
	say(fd, both, strlen(both));
	tap_is(hear(fd), PERMIT LATER,
	    "two requests at once are answered in their order");
	say(fd, both, middle);
	tap_is(hear(fd), PERMIT,
	    "of one and a half the whole one is answered");
	say(fd, both + middle, strlen(both) - middle);
	tap_is(hear(fd), LATER, "and the other when it is whole");
	for (i = 0; i < 1000; i++) {
		ask(fd, "recipient=x@far.example");
		if (strcmp(hear(fd), LATER) != 0)
			break;
	}
	tap_int((int64_t)i, 1000, "a connection serves as long as it is asked");
	tap_int((int64_t)sessions_count(sessions), 1, "it is one session");
	hang_up(fd);
	tap_int((int64_t)sessions_count(sessions), 0,
	    "and none when the client has closed it");
}

static const struct {
	const char *name;
	const char *bytes;
	size_t len;		/* 0: up to its NUL */
	const char *want;
} bad[] = {
	{ "a line without '=' closes without an answer",
	    "request=smtpd_access_policy\nx\n\n", 0, "(closed)" },
	{ "an empty request does", "\n", 0, "(closed)" },
	{ "another protocol does", "GET / HTTP/1.1\n\n", 0, "(closed)" },
	{ "a NUL byte does",
	    "request=smtpd_access_policy\nsender=\0\n\n", 38, "(closed)" },
	{ "what is not whole is waited for",
	    "request=smtpd_access_policy\n", 0, "" },
	{ "what comes before is answered", "request=smtpd_access_policy\n\n"
	    "x\n\n", 0, PERMIT "(closed)" },
	{ "what comes behind is not", "x\n\nrequest=smtpd_access_policy\n\n",
	    0, "(closed)" },
};

static void
test_bad(void)
{
	static char large[70000];
	size_t i;
	int fd;

	for (i = 0; i < ROWS(bad); i++) {
		fd = dial();
		say(fd, bad[i].bytes, bad[i].len > 0 ? bad[i].len
		    : strlen(bad[i].bytes));
		tap_is(hear(fd), bad[i].want, bad[i].name);
		hang_up(fd);
	}
	memset(large, 'x', sizeof(large));
	memcpy(large, "request=smtpd_access_policy\nsender=", 35);
	fd = dial();
	say(fd, large, 65535);
	tap_is(hear(fd), "", "64 KiB but one byte are waited for");
	say(fd, large, 1);
	tap_is(hear(fd), "(closed)", "64 KiB without an end are not");
	hang_up(fd);
	fd = dial();
	memcpy(large + 65534, "\n\n", 2);
	say(fd, large, 65536);
	tap_is(hear(fd), PERMIT, "a request of 64 KiB is answered");
	hang_up(fd);
	tap_int((int64_t)sessions_count(sessions), 0, "none of them is left");
}

static void
test_going_away(void)
{
	int fd = dial();

	ask(fd, "recipient=x@far.example");
	shutdown(fd, SHUT_WR);
	tap_is(hear(fd), LATER "(closed)",
	    "who asks and says no more is answered, and closed");
	close(fd);
	fd = dial();
	say(fd, "request=smtpd", 13);
	hang_up(fd);
	tap_int((int64_t)sessions_count(sessions), 0,
	    "who goes within a request is forgotten");
}

/* A client that asks and asks, and reads nothing until it can write no more */
static void
test_slow_reader(void)
{
	const char *one = request("recipient=x@far.example");
	size_t len = strlen(one), asked = 0, heard = 0, part = 0, room = 1;
	int pair[2], small = 1;
	const char *text;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == -1)
		abort();
	setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	session_accept(pair[1], sessions);
	while (asked < 2000 && room > 0) {
		ssize_t n = send(pair[0], one + part, len - part,
		    MSG_NOSIGNAL);

		pump();
		if (n > 0 && (part += (size_t)n) == len) {
			part = 0;
			asked++;
		}
		room = n > 0;
	}
	tap_ok(room == 0, "who does not read its answers is not read");
	while (*(text = hear(pair[0])) != '\0')
		heard += strlen(text);
	tap_int((int64_t)heard, (int64_t)(asked * strlen(LATER)),
	    "when it does, each answer is there, whole");
	hang_up(pair[0]);
}

static void
test_waiting(void)
{
	int fd = dial(), other = dial();

	service_use_fake(true);
	ask(fd, OUT("5", "a@far.example"));
	tap_is(hear(fd), "", "a request that waits is not answered yet");
	ask(fd, OUT("6", "a@far.example"));
	tap_int(fake.asked, 1,
	    "and the next on its connection not looked at");
	ask(other, "recipient=x@far.example");
	tap_is(hear(other), LATER, "other connections are served meanwhile");
	fake_answer(fake.waiting);
	tap_is(hear(fd), PERMIT, "it is answered when the counters answer");
	tap_int(fake.asked, 2, "then the next one waits");
	fake_answer(fake.waiting);
	tap_is(hear(fd), PERMIT, "for its own answer");

	ask(fd, OUT("7", "a@far.example"));
	hang_up(fd);
	fake_answer(fake.waiting);
	pump();
	tap_int((int64_t)sessions_count(sessions), 1,
	    "a client that goes away while it waits does no harm");
	hang_up(other);
}

/* The wait, in seconds, of a session that stands alone */
static int
longest_wait(const struct event_base *base, const struct event *event,
    void *arg)
{
	struct timeval until = { 0 }, now;
	int64_t *secs = arg;

	(void)base;
	gettimeofday(&now, NULL);
	if (event_pending(event, EV_TIMEOUT, &until) != 0 &&
	    until.tv_sec - now.tv_sec > *secs)
		*secs = until.tv_sec - now.tv_sec;
	return 0;
}

static void
test_patience(void)
{
	int64_t idle = 0, begun = 0;
	int fd = dial();

	event_base_foreach_event(loop_base(), longest_wait, &idle);
	tap_ok(idle > 1015, "an idle connection is kept for longer than "
	    "smtpd_policy_service_max_ttl");
	say(fd, "request=smtpd", 13);
	event_base_foreach_event(loop_base(), longest_wait, &begun);
	tap_ok(begun > 0 && begun <= 100,
	    "the rest of a request is not waited for so long");
	loop_now_set(loop_now() + 70000);
	say(fd, "_", 1);
	begun = 0;
	event_base_foreach_event(loop_base(), longest_wait, &begun);
	tap_ok(begun > 0 && begun <= 31,
	    "nor does a byte now and then buy it more time");
	loop_now_set(0);
	hang_up(fd);
}

/* At exit: whatever is open is closed, and a waiting request forgotten */
static void
test_end(void)
{
	int fd = dial(), idle = dial();

	ask(fd, OUT("9", "a@far.example"));
	sessions_free(sessions);
	pump();
	tap_is(hear(idle), "(closed)", "at the end all are closed");
	tap_is(hear(fd), "(closed)", "also who waits");
	fake_answer(fake.waiting);
	close(fd);
	close(idle);
	sessions_free(NULL);
}

static int ends;

static void
count_end(void)
{
	ends++;
}

/* At SIGTERM: who waits is answered before */
static void
test_end_of_serving(void)
{
	int fd, idle;

	sessions = sessions_new(&service);
	fd = dial();
	idle = dial();
	ask(fd, OUT("10", "a@far.example"));
	ask(fd, OUT("11", "a@far.example"));
	sessions_end(sessions, count_end);
	tap_is(hear(idle), "(closed)", "who waits for nothing is closed");
	tap_is(hear(fd), "", "who waits is not yet");
	tap_int(ends, 0, "so it is not over");
	fake_answer(fake.waiting);
	pump();
	tap_is(hear(fd), PERMIT "(closed)", "he is answered, once, and closed");
	tap_int(ends, 1, "then it is over");
	close(fd);
	close(idle);
	sessions_free(sessions);
	pump();
	tap_int(ends, 1, "once");
}

int
main(void)
{
	tap_log();
	arena = arena_new(0);
	service_begin(TEMPLATE("global", "") TENANT("ours.example",
	    LIMIT("m outbound domain messages 9000/1h")));
	sessions = sessions_new(&service);
	test_bytes();
	test_bad();
	test_going_away();
	test_slow_reader();
	test_patience();
	test_waiting();
	test_end();
	test_end_of_serving();
	service_end();
	arena_free(arena);
	loop_free();
	return tap_done();
}
