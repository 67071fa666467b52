/* SPDX-License-Identifier: ISC */
/* session.c - one connection from Postfix: cuts the bytes into requests, hands
 * each to request.c, writes its one answer before it looks at the next.
 * Never sends a byte unasked, never closes a connection that may be used
 * again: either costs the SMTP client a second (Postfix's auto_clnt). */
#include "policyd/session.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/xmalloc.h"
#include "policyd/attrs.h"
#include "policyd/report.h"
#include "policyd/request.h"

#define REQUEST_MAX 65536		/* bytes; Postfix stays below 12 KiB */
#define HELD_MAX (64 * 1048576)		/* bytes of begun requests, overall */
#define ANSWER_MAX 512
#define IDLE_SECS 1200			/* above smtpd_policy_service_max_ttl */
#define BEGUN_SECS 100			/* for the rest of a request */

struct session {
	TAILQ_ENTRY(session) link;
	struct sessions *all;
	int fd;
	struct event readable, writable;
	char *held;			/* a request that is not yet whole */
	size_t held_len;
	int64_t begun_ms;		/* when its first byte came */
	struct request *waiting;	/* for the counters */
	bool is_idle;			/* watched for the next request */
	bool is_starting;		/* inside request_start() */
	bool is_closing;
	char answer[ANSWER_MAX];	/* what is not yet written of it */
	size_t answer_len;
};

struct sessions {
	struct service *service;
	TAILQ_HEAD(, session) list;
	size_t count;
	size_t held;			/* bytes, in all sessions */
	void (*ended)(void);		/* NULL: they are served */
	char bytes[REQUEST_MAX];	/* what was just read, of any session */
};

static void serve(struct session *session, size_t len);

static void
hold(struct session *session, const char *bytes, size_t len)
{
	if (session->held_len == 0)
		session->begun_ms = loop_now();
	session->all->held += len;
	session->all->held -= session->held_len;
	free(session->held);
	session->held = NULL;
	session->held_len = len;
	if (len == 0)
		return;
	session->held = xmalloc(len);
	memcpy(session->held, bytes, len);
}

static void
session_free(void *arg)
{
	struct session *session = arg;

	hold(session, NULL, 0);
	free(session);
}

static void
session_close(struct session *session)
{
	if (session->is_closing)
		return;
	session->is_closing = true;
	if (session->waiting != NULL)
		request_forget(session->waiting);
	event_del(&session->readable);
	event_del(&session->writable);
	close(session->fd);
	TAILQ_REMOVE(&session->all->list, session, link);
	session->all->count--;
	loop_defer(session_free, session);
	if (session->all->count == 0 && session->all->ended != NULL)
		session->all->ended();
}

static void
ignore(struct session *session)
{
	event_del(&session->readable);
	session->is_idle = false;
}

/* Wait for bytes: for long between requests (libevent winds that clock up
 * again by itself), not so within one, however steadily it trickles */
static void
expect(struct session *session)
{
	struct timeval wait = { .tv_sec = IDLE_SECS };
	int64_t left_ms;

	if (session->is_idle && session->held_len == 0)
		return;
	session->is_idle = session->held_len == 0;
	if (session->held_len > 0) {
		left_ms = session->begun_ms + BEGUN_SECS * 1000 - loop_now();
		wait.tv_sec = left_ms > BEGUN_SECS * 1000 ? BEGUN_SECS
		    : left_ms > 0 ? (left_ms + 999) / 1000 : 0;
	}
	event_add(&session->readable, &wait);
}

static void
write_answer(struct session *session)
{
	struct timeval wait = { .tv_sec = BEGUN_SECS };
	ssize_t n = send(session->fd, session->answer, session->answer_len,
	    MSG_NOSIGNAL);

	if (n == -1 && errno != EAGAIN && errno != EINTR) {
		session_close(session);
		return;
	}
	if (n > 0) {
		session->answer_len -= (size_t)n;
		memmove(session->answer, session->answer + n,
		    session->answer_len);
	}
	if (session->answer_len > 0) {
		ignore(session);
		event_add(&session->writable, &wait);
	}
}

/* Once a request, so not by snprintf(); an action is VERDICT_REPLY at most */
static size_t
answer_make(char out[static ANSWER_MAX], const char *action)
{
	return (size_t)(stpcpy(stpcpy(stpcpy(out, "action="), action),
	    "\n\n") - out);
}

static void
answered(void *arg, const char *action)
{
	struct session *session = arg;

	session->waiting = NULL;
	if (action == NULL) {
		session_close(session);
		return;
	}
	session->answer_len = answer_make(session->answer, action);
	write_answer(session);
	if (session->all->ended != NULL)
		session_close(session);
	else if (!session->is_starting && session->answer_len == 0 &&
	    !session->is_closing)
		serve(session, 0);
}

/* True while the next request may be looked at */
static bool
is_free(const struct session *session)
{
	return !session->is_closing && session->waiting == NULL &&
	    session->answer_len == 0;
}

static bool
is_within_bounds(struct session *session, size_t rest)
{
	if (rest < REQUEST_MAX &&
	    session->all->held - session->held_len + rest < HELD_MAX)
		return true;
	report_malformed(rest < REQUEST_MAX ? "too many begun requests"
	    : "longer than 64 KiB");
	session_close(session);
	return false;
}

/* The held bytes and len new ones behind them, all in all->bytes */
static void
serve(struct session *session, size_t len)
{
	struct sessions *all = session->all;
	char *at = all->bytes;
	size_t size;

	if (len == 0 && session->held_len > 0)
		memcpy(all->bytes, session->held, session->held_len);
	len += session->held_len;
	while (is_free(session) && (size = attrs_length(at, len)) > 0) {
		session->is_starting = true;
		session->waiting = request_start(all->service, at, size,
		    answered, session);
		session->is_starting = false;
		at += size;
		len -= size;
	}
	if (session->is_closing || !is_within_bounds(session, len))
		return;
	if (at != all->bytes)
		hold(session, NULL, 0);	/* what is left is another one */
	hold(session, at, len);
	if (is_free(session))
		expect(session);
	else if (session->held_len > 0)
		ignore(session);
	/* else it waits, and so does Postfix: on_readable() sees who
	 * does not */
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct session *session = arg;
	char *bytes = session->all->bytes;
	ssize_t n;

	if (what & EV_TIMEOUT) {
		if (session->held_len > 0)
			report_malformed("the rest of a request never came");
		session_close(session);
		return;
	}
	if (!is_free(session)) {
		ignore(session);
		return;
	}
	if (session->held_len > 0)
		memcpy(bytes, session->held, session->held_len);
	n = recv(fd, bytes + session->held_len,
	    REQUEST_MAX - session->held_len, 0);
	if (n > 0)
		serve(session, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		session_close(session);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct session *session = arg;

	(void)fd;
	if (what & EV_TIMEOUT) {
		session_close(session);
		return;
	}
	write_answer(session);
	if (is_free(session))
		serve(session, 0);
}

void
session_accept(int fd, void *arg)
{
	struct sessions *all = arg;
	struct session *session = xcalloc(1, sizeof(*session));

	session->all = all;
	session->fd = fd;
	event_assign(&session->readable, loop_base(), fd,
	    EV_READ | EV_PERSIST, on_readable, session);
	event_assign(&session->writable, loop_base(), fd, EV_WRITE,
	    on_writable, session);
	TAILQ_INSERT_TAIL(&all->list, session, link);
	all->count++;
	expect(session);
}

struct sessions *
sessions_new(struct service *service)
{
	struct sessions *all = xcalloc(1, sizeof(*all));

	all->service = service;
	TAILQ_INIT(&all->list);
	return all;
}

size_t
sessions_count(const struct sessions *sessions)
{
	return sessions->count;
}

void
sessions_end(struct sessions *sessions, void (*ended)(void))
{
	struct session *session, *next;

	for (session = TAILQ_FIRST(&sessions->list); session != NULL;
	    session = next) {
		next = TAILQ_NEXT(session, link);
		if (session->waiting == NULL)
			session_close(session);
	}
	sessions->ended = ended;
	if (sessions->count == 0)
		ended();
}

static void
sessions_free_now(void *sessions)
{
	free(sessions);
}

void
sessions_free(struct sessions *sessions)
{
	struct session *session;

	if (sessions == NULL)
		return;
	sessions->ended = NULL;
	while ((session = TAILQ_FIRST(&sessions->list)) != NULL)
		session_close(session);
	/* behind the sessions that were just deferred */
	loop_defer(sessions_free_now, sessions);
}
