/* SPDX-License-Identifier: ISC */
/* listen.c - accepts connections and hands them on. Must never spin or die for
 * want of descriptors or memory. Binding: endpoint.c. Next: who called. */
#include "common/listen.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/endpoint.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/xmalloc.h"

#define PAUSE_SECS 1

struct listener {
	int fd;
	char *name;
	char *path;		/* of a unix socket */
	dev_t dev;		/* that file's, so that we remove no other */
	ino_t ino;
	struct evconnlistener *accepts;	/* NULL: not started, or stopped */
	bool is_lent;
	void (*fn)(int fd, void *arg);
	void *arg;
	struct listener *next;	/* in started */
};

static struct listener *started;
static bool is_paused;

int
listen_check(const char *endpoint, const char **why)
{
	struct endpoint parsed;

	return endpoint_parse(endpoint, &parsed, why);
}

struct listener *
listen_open(const char *endpoint, unsigned mode, const char *group,
    const char **why)
{
	struct listener *listener;
	struct endpoint to;
	struct stat st;
	int fd;

	if (endpoint_parse(endpoint, &to, why) == -1 ||
	    (fd = endpoint_bind(&to, mode, group, why)) == -1)
		return NULL;
	listener = xcalloc(1, sizeof(*listener));
	listener->fd = fd;
	listener->name = endpoint_name(fd);
	if (to.path != NULL && stat(to.path, &st) == 0) {
		listener->path = xstrdup(to.path);
		listener->dev = st.st_dev;
		listener->ino = st.st_ino;
	}
	return listener;
}

void
listen_close(struct listener *listener)
{
	struct stat st;

	if (listener == NULL)
		return;
	listen_stop(listener);
	if (listener->path != NULL && lstat(listener->path, &st) == 0 &&
	    st.st_dev == listener->dev && st.st_ino == listener->ino)
		unlink(listener->path);
	close(listener->fd);
	free(listener->path);
	free(listener->name);
	free(listener);
}

static void
resume(evutil_socket_t fd, short what, void *arg)
{
	struct listener *at;

	(void)fd;
	(void)what;
	(void)arg;
	is_paused = false;
	for (at = started; at != NULL; at = at->next)
		evconnlistener_enable(at->accepts);
}

/* A shortage is the whole process's: all listeners wait, so that what is
 * served already can end and give descriptors back. arg is evhttp's own where
 * the listener is lent, and of no use here. */
static void
pause_accepts(struct evconnlistener *accepts, void *arg)
{
	static const struct timeval pause_time = { .tv_sec = PAUSE_SECS };
	static struct log_limit limit;
	int error = EVUTIL_SOCKET_ERROR();
	struct listener *at;

	(void)accepts;
	(void)arg;
	if (error != EMFILE && error != ENFILE && error != ENOMEM &&
	    error != ENOBUFS)
		return;		/* that connection's own trouble */
	if (!is_paused && log_allows(&limit))
		log_warn(NULL, "cannot accept: %s; trying again in %d s",
		    strerror(error), PAUSE_SECS);
	if (!is_paused && event_base_once(loop_base(), -1, EV_TIMEOUT, resume,
	    NULL, &pause_time) == -1)
		return;
	is_paused = true;
	for (at = started; at != NULL; at = at->next)
		evconnlistener_disable(at->accepts);
}

static void
accepted(struct evconnlistener *accepts, evutil_socket_t fd,
    struct sockaddr *address, int len, void *arg)
{
	struct listener *listener = arg;

	(void)accepts;
	(void)address;
	(void)len;
	listener->fn(fd, listener->arg);
}

static void
serve(struct listener *listener, bool is_lent)
{
	listener->is_lent = is_lent;
	listener->accepts = evconnlistener_new(loop_base(),
	    is_lent ? NULL : accepted, listener, LEV_OPT_CLOSE_ON_EXEC, 0,
	    listener->fd);
	if (listener->accepts == NULL)
		fatal("libevent: cannot accept on %s", listener->name);
	evconnlistener_set_error_cb(listener->accepts, pause_accepts);
	listener->next = started;
	started = listener;
}

void
listen_start(struct listener *listener, void (*fn)(int fd, void *arg),
    void *arg)
{
	listener->fn = fn;
	listener->arg = arg;
	serve(listener, false);
}

struct evconnlistener *
listen_lend(struct listener *listener)
{
	serve(listener, true);
	return listener->accepts;
}

void
listen_stop(struct listener *listener)
{
	struct listener **at = &started;

	if (listener->accepts == NULL)
		return;
	while (*at != listener)
		at = &(*at)->next;
	*at = listener->next;
	evconnlistener_disable(listener->accepts);
	if (!listener->is_lent)
		evconnlistener_free(listener->accepts);
	listener->accepts = NULL;
}

const char *
listen_name(const struct listener *listener)
{
	return listener->name;
}

int
listen_fd(const struct listener *listener)
{
	return listener->fd;
}
