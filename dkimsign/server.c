/* SPDX-License-Identifier: ISC */
/* server.c - accepts in the loop, serves in threads, and knows how many there
 * are. Must never accept what it has no thread for. Next: lmtp.c. */
#include "dkimsign/server.h"

#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/xmalloc.h"
#include "dkimsign/lmtp.h"

#define STACK_BYTES (1 << 20)

static struct {
	struct service *service;
	struct listener **listeners;
	size_t listener_count, sessions_max;
	bool is_accepting, is_stopping;
	size_t sessions;
	struct event *ended;
	int ended_fd;		/* eventfd: a session has ended */

	pthread_mutex_t mutex;
	struct session *over;	/* under the mutex: to be joined */
} self = { .mutex = PTHREAD_MUTEX_INITIALIZER };

struct session {
	struct service *service;
	int fd;
	pthread_t thread;
	struct session *next;	/* that is over */
};

static void *
run(void *arg)
{
	struct session *session = arg;

	lmtp_serve(session->service, session->fd);
	pthread_mutex_lock(&self.mutex);
	session->next = self.over;
	self.over = session;
	pthread_mutex_unlock(&self.mutex);
	eventfd_write(self.ended_fd, 1);
	return NULL;
}

/* Signals are the loop's */
static int
thread_start(struct session *session)
{
	pthread_attr_t attr;
	sigset_t all, before;
	int error;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&session->thread, &attr, run, session);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return error;
}

static void accept_or_wait(void);

static void
accepted(int fd, void *arg)
{
	static const char busy[] = "421 4.3.2 no thread to serve you\r\n";
	static struct log_limit limit;
	struct session *session = xmalloc(sizeof(*session));
	int error;

	(void)arg;
	*session = (struct session){ .service = self.service, .fd = fd };
	error = thread_start(session);
	if (error == 0)
		self.sessions++;
	else {
		if (log_allows(&limit))
			log_warn(NULL, "no thread for a session: %s",
			    strerror(error));
		send(fd, busy, sizeof(busy) - 1, MSG_NOSIGNAL);
		close(fd);
		free(session);
	}
	accept_or_wait();
}

size_t
server_sessions(void)
{
	return self.sessions;
}

static void
accept_or_wait(void)
{
	bool accepts = !self.is_stopping &&
	    server_sessions() < self.sessions_max;
	size_t i;

	if (accepts == self.is_accepting)
		return;
	self.is_accepting = accepts;
	for (i = 0; i < self.listener_count; i++)
		if (accepts)
			listen_start(self.listeners[i], accepted, NULL);
		else
			listen_stop(self.listeners[i]);
}

/* Joined, since what libraries keep for a thread goes with its very end */
static void
join_all(void)
{
	struct session *session, *next;

	pthread_mutex_lock(&self.mutex);
	session = self.over;
	self.over = NULL;
	pthread_mutex_unlock(&self.mutex);
	for (; session != NULL; session = next) {
		next = session->next;
		pthread_join(session->thread, NULL);
		free(session);
		self.sessions--;
	}
}

static void
on_ended(evutil_socket_t fd, short what, void *arg)
{
	eventfd_t times;

	(void)what;
	(void)arg;
	eventfd_read(fd, &times);
	join_all();
	accept_or_wait();
	if (self.is_stopping && server_sessions() == 0)
		loop_stop();
}

void
server_start(struct service *service, struct listener **listeners,
    size_t count, size_t sessions_max)
{
	self.service = service;
	self.listeners = listeners;
	self.listener_count = count;
	self.sessions_max = sessions_max;
	self.ended_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	self.ended = event_new(loop_base(), self.ended_fd,
	    EV_READ | EV_PERSIST, on_ended, NULL);
	if (self.ended == NULL || event_add(self.ended, NULL) == -1)
		fatal("libevent: no event for the sessions");
	accept_or_wait();
}

void
server_stop(void)
{
	self.is_stopping = true;
	accept_or_wait();
	eventfd_write(self.service->stop_fd, 1);
	eventfd_write(self.ended_fd, 1);
}

bool
server_free(void)
{
	if (self.ended == NULL)
		return true;
	join_all();
	if (server_sessions() > 0)
		return false;
	event_free(self.ended);
	close(self.ended_fd);
	self.ended = NULL;
	return true;
}
