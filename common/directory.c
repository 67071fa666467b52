/* SPDX-License-Identifier: ISC */
/* directory.c - a thread reads the source (reading.c), and hands the snapshot
 * that comes into force to the loop, which only swaps a pointer: the thread
 * holds every snapshot until nobody else does, so that the loop never pays for
 * freeing. */
#include "common/directory.h"

#include <event2/event.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/xmalloc.h"

#define SERVER_WAIT_MS 2000	/* at start, where the state file serves */

struct directory {
	struct arena *arena;	/* of the settings */
	struct source_settings settings;
	struct reading *reading;	/* the thread's, once it runs */

	/* loop thread only */
	struct event *handover;
	int64_t adopted_ms;
	bool is_started;
	pthread_t thread;

	/* under the mutex */
	pthread_mutex_t mutex;
	pthread_cond_t tried;
	bool must_read, must_accept, has_tried;
	struct snapshot *slot;		/* handed over, not yet taken */
	struct snapshot *current;	/* the loop's thread sets it, and may
					 * read it without the mutex */
	struct directory_status status;

	atomic_bool must_stop;
	int wake_fd;	/* eventfd: the slot is filled */
	int poke_fd;	/* eventfd: a must_ is set */
};

static struct timespec
deadline(int64_t ms)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	ms += at.tv_nsec / 1000000;
	at.tv_sec += ms / 1000;
	at.tv_nsec = ms % 1000 * 1000000;
	return at;
}

int
directory_check(const struct source_settings *settings, const char **why)
{
	return reading_check(settings, why);
}

/* ---- The directory's thread ---- */

/* What an attempt has brought: the status, and perhaps a snapshot */
static void
publish(struct directory *d, struct snapshot *next)
{
	struct snapshot *missed = NULL;

	pthread_mutex_lock(&d->mutex);
	d->status = *reading_status(d->reading);
	if (next != NULL) {
		missed = d->slot;
		d->slot = next;
	}
	pthread_mutex_unlock(&d->mutex);
	snapshot_release(missed);
	if (next != NULL)
		eventfd_write(d->wake_fd, 1);
}

/* Until the source has something, or the loop wants something */
static void
rest(struct directory *d)
{
	struct pollfd fds[] = {
		{ .fd = d->poke_fd, .events = POLLIN },
		{ .fd = reading_wait_fd(d->reading), .events = POLLIN },
	};
	eventfd_t times;

	poll(fds, 2, reading_wait_ms(d->reading));
	eventfd_read(d->poke_fd, &times);
}

static void *
run(void *arg)
{
	struct directory *d = arg;
	bool must_read, must_accept;

	while (!d->must_stop) {
		pthread_mutex_lock(&d->mutex);
		must_accept = d->must_accept;
		must_read = d->must_read || must_accept;
		d->must_read = d->must_accept = false;
		pthread_mutex_unlock(&d->mutex);
		if (reading_is_due(d->reading) || must_read)
			publish(d, reading_attempt(d->reading, must_read,
			    must_accept));
		reading_tidy(d->reading, false);
		pthread_mutex_lock(&d->mutex);
		d->status = *reading_status(d->reading);
		d->has_tried = true;
		pthread_cond_broadcast(&d->tried);
		pthread_mutex_unlock(&d->mutex);
		rest(d);
	}
	reading_tidy(d->reading, true);
	return NULL;
}

/* ---- The loop's thread ---- */

static void
take_over(struct directory *d)
{
	struct snapshot *before = NULL;

	pthread_mutex_lock(&d->mutex);
	if (d->slot != NULL) {
		before = d->current;
		d->current = d->slot;
		d->slot = NULL;
		d->adopted_ms = loop_now();
	}
	pthread_mutex_unlock(&d->mutex);
	snapshot_release(before);
}

static void
on_handover(evutil_socket_t fd, short what, void *arg)
{
	eventfd_t times;

	(void)what;
	eventfd_read(fd, &times);
	take_over(arg);
}

static int
new_eventfd(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		fatal("eventfd: %m");
	return fd;
}

struct directory *
directory_new(const struct source_settings *settings, layer_parser *parse,
    const char **why)
{
	struct directory *d;
	pthread_condattr_t attr;

	if (directory_check(settings, why) != 0)
		return NULL;
	d = xcalloc(1, sizeof(*d));
	d->arena = arena_new(0);
	source_settings_copy(d->arena, &d->settings, settings);
	d->reading = reading_new(&d->settings, parse, &d->must_stop);
	d->must_read = true;
	pthread_mutex_init(&d->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&d->tried, &attr);
	pthread_condattr_destroy(&attr);
	d->wake_fd = new_eventfd();
	d->poke_fd = new_eventfd();
	return d;
}

void
directory_free(struct directory *d)
{
	if (d == NULL)
		return;
	if (d->is_started) {
		d->must_stop = true;
		eventfd_write(d->poke_fd, 1);
		pthread_join(d->thread, NULL);
		event_free(d->handover);
	}
	snapshot_release(d->slot);
	snapshot_release(d->current);
	reading_free(d->reading);
	arena_free(d->arena);
	close(d->wake_fd);
	close(d->poke_fd);
	pthread_cond_destroy(&d->tried);
	pthread_mutex_destroy(&d->mutex);
	free(d);
}

struct snapshot *
directory_read(const struct source_settings *settings, layer_parser *parse,
    char **why)
{
	static const atomic_bool never = false;
	struct snapshot *snapshot = NULL;
	struct reading *reading = NULL;
	const char *reason;

	if (directory_check(settings, &reason) == 0) {
		reading = reading_new(settings, parse, &never);
		snapshot = reading_once(reading, &reason);
	}
	if (snapshot == NULL)
		*why = xstrdup(reason);
	reading_free(reading);
	return snapshot;
}

void
directory_start(struct directory *d, int64_t wait_ms)
{
	struct snapshot *stored = reading_start(d->reading);
	struct timespec until;
	sigset_t all, before;

	publish(d, stored);
	if (stored != NULL && wait_ms > SERVER_WAIT_MS)
		wait_ms = SERVER_WAIT_MS;
	until = deadline(wait_ms);
	d->handover = event_new(loop_base(), d->wake_fd, EV_READ | EV_PERSIST,
	    on_handover, d);
	if (d->handover == NULL || event_add(d->handover, NULL) != 0)
		fatal("libevent: no event for the directory");
	sigfillset(&all);	/* signals are the loop's */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&d->thread, NULL, run, d) != 0)
		fatal("no thread for the directory");
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	d->is_started = true;
	pthread_mutex_lock(&d->mutex);
	while (!d->has_tried && pthread_cond_timedwait(&d->tried, &d->mutex,
	    &until) == 0)
		;
	pthread_mutex_unlock(&d->mutex);
	take_over(d);
}

struct snapshot *
directory_current(const struct directory *d)
{
	return d->current;
}

/* A hold is taken only while the loop has its own: so the directory's thread,
 * once it is the last holder, remains that */
struct snapshot *
directory_hold(struct directory *d)
{
	struct snapshot *held = NULL;

	pthread_mutex_lock(&d->mutex);
	if (d->current != NULL)
		held = snapshot_hold(d->current);
	pthread_mutex_unlock(&d->mutex);
	return held;
}

void
directory_reload(struct directory *d)
{
	pthread_mutex_lock(&d->mutex);
	d->must_read = true;
	pthread_mutex_unlock(&d->mutex);
	eventfd_write(d->poke_fd, 1);
}

bool
directory_accept(struct directory *d)
{
	bool is_held;

	pthread_mutex_lock(&d->mutex);
	is_held = d->status.is_held;
	d->must_accept = d->must_accept || is_held;
	pthread_mutex_unlock(&d->mutex);
	eventfd_write(d->poke_fd, 1);
	return is_held;
}

void
directory_status(const struct directory *directory,
    struct directory_status *out)
{
	struct directory *d = (struct directory *)directory;

	pthread_mutex_lock(&d->mutex);
	*out = d->status;
	pthread_mutex_unlock(&d->mutex);
	out->adopted_ms = d->adopted_ms;
}
