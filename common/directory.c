/* SPDX-License-Identifier: ISC */
/* directory.c - a thread reads the source, builds the next snapshot, decides
 * whether it may come into force, and hands it to the loop, which only swaps a
 * pointer: the thread holds every snapshot until nobody else does, so that the
 * loop never pays for freeing. What cannot be read changes nothing. */
#include "common/directory.h"

#include <event2/event.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "common/ldif.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/watch.h"
#include "common/xmalloc.h"

#define POLL_MS 250
#define RETRY_POLLS 8		/* what could not be read is tried again */

struct directory {
	char *path;
	layer_parser *parse;

	/* loop thread only */
	struct snapshot *current;
	struct event *handover;
	int64_t adopted_ms;
	bool is_started;
	pthread_t thread;

	/* directory thread only */
	struct watch watch;
	struct snapshot *latest;	/* handed over last */
	struct snapshot **retired;	/* those before, while in use */
	size_t retired_count;
	unsigned failed_polls;	/* since the last attempt, which failed */

	/* under the mutex */
	pthread_mutex_t mutex;
	pthread_cond_t changed;		/* any of the next */
	bool must_stop, must_read, must_accept, has_tried;
	struct snapshot *slot;		/* handed over, not yet taken */
	struct directory_status status;

	int wake_fd;	/* eventfd: the slot is filled */
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

static const char *
uri_path(const char *uri, const char **why)
{
	static _Thread_local char reason[80];
	size_t len = strcspn(uri, ":");

	if (strncmp(uri, "ldif:///", 8) == 0)
		return uri + 7;
	if (strncmp(uri, "ldif:", 5) == 0)
		*why = "ldif: wants a whole path: ldif:///path";
	else {
		snprintf(reason, sizeof(reason), "%.*s: not known; known: ldif",
		    len < 32 ? (int)len : 32, uri);
		*why = reason;
	}
	return NULL;
}

/* ---- The directory thread ---- */

static void
log_news(const struct snapshot *next, const struct snapshot *previous)
{
	findings_log("directory", snapshot_findings(next),
	    previous != NULL ? snapshot_findings(previous) : NULL);
}

static void
retire(struct directory *d, struct snapshot *snapshot)
{
	if (snapshot == NULL)
		return;
	d->retired = xrealloc(d->retired, d->retired_count + 1,
	    sizeof(struct snapshot *));
	d->retired[d->retired_count++] = snapshot;
}

static void
free_retired(struct directory *d)
{
	size_t i, left = 0;

	for (i = 0; i < d->retired_count; i++)
		if (snapshot_is_last_hold(d->retired[i]))
			snapshot_release(d->retired[i]);
		else
			d->retired[left++] = d->retired[i];
	if (left < d->retired_count)
		malloc_trim(0);	/* it was much; give it back */
	d->retired_count = left;
}

static void
hand_over(struct directory *d, struct snapshot *next)
{
	struct snapshot *missed;

	log_news(next, d->latest);
	retire(d, d->latest);
	d->latest = next;
	pthread_mutex_lock(&d->mutex);
	missed = d->slot;
	d->slot = snapshot_hold(next);
	d->status.is_held = false;
	pthread_mutex_unlock(&d->mutex);
	snapshot_release(missed);
	eventfd_write(d->wake_fd, 1);
}

static void
hold_back(struct directory *d, const struct snapshot *next, size_t removed,
    size_t total)
{
	bool is_news;

	pthread_mutex_lock(&d->mutex);
	is_news = !d->status.is_held || d->status.held_removed != removed;
	d->status.is_held = true;
	d->status.held_removed = removed;
	d->status.held_total = total;
	pthread_mutex_unlock(&d->mutex);
	if (!is_news)
		return;
	log_error(NULL, "directory: not adopted, as it would remove %zu of "
	    "%zu tenants; policyctl accept-snapshot takes it", removed, total);
	log_news(next, d->latest);	/* which may say why */
}

/* A broken ACL, a wrong base, a wiped server look like this */
static bool
is_wreck(size_t removed, size_t total)
{
	return removed > 0 &&
	    (removed == total || (removed > 5 && removed * 10 > total));
}

/* Into force, or not: the thread's hold goes to whoever keeps it */
static void
offer(struct directory *d, struct snapshot *next, bool is_accepted)
{
	size_t removed = 0, total = 0;

	if (d->latest != NULL) {
		removed = snapshot_removed(d->latest, next);
		total = snapshot_tenants(d->latest);
	}
	if (is_accepted || !is_wreck(removed, total))
		hand_over(d, next);
	else {
		hold_back(d, next, removed, total);
		snapshot_release(next);
	}
}

/* How an attempt ended: "" well. One log line where that has changed. */
static void
conclude(struct directory *d, const char *problem)
{
	bool is_news;

	d->failed_polls = 0;
	pthread_mutex_lock(&d->mutex);
	d->status.reads++;
	d->status.failures += *problem != '\0';
	is_news = strncmp(d->status.problem, problem,
	    sizeof(d->status.problem) - 1) != 0;
	snprintf(d->status.problem, sizeof(d->status.problem), "%s", problem);
	pthread_mutex_unlock(&d->mutex);
	if (is_news && *problem != '\0')
		log_error(NULL, "directory: %s; %s", problem,
		    d->latest != NULL ? "the last snapshot serves"
		    : "there is no snapshot yet");
	else if (is_news)
		log_info(NULL, "directory: %s can be read again", d->path);
}

/* The whole source in one snapshot; NULL and *why where it is not whole */
static struct snapshot *
read_source(const char *path, const struct snapshot *previous,
    layer_parser *parse, const char **why)
{
	struct findings *findings = findings_new();
	struct snapshot *next = snapshot_new(previous, parse, findings);

	if (ldif_read(path, snapshot_take, next, findings, why) == 0) {
		snapshot_settle(next);
		return next;
	}
	snapshot_release(next);
	return NULL;
}

static void
attempt(struct directory *d, bool is_accepted)
{
	struct snapshot *next;
	const char *why = "";

	watch_take(&d->watch);
	next = read_source(d->path, d->latest, d->parse, &why);
	if (next != NULL && !watch_is_taken(&d->watch)) {
		snapshot_release(next);
		next = NULL;
		why = "it changed while it was read";
	}
	if (next != NULL)
		offer(d, next, is_accepted);
	conclude(d, next != NULL ? "" : why);
	malloc_trim(0);
}

/* Is there reason to read the source now? */
static bool
is_due(struct directory *d)
{
	enum watch_state state = watch_look(&d->watch);
	bool has_failed = d->status.problem[0] != '\0';	/* we alone write it */

	return state == WATCH_CHANGED || (state == WATCH_GONE && !has_failed) ||
	    (has_failed && ++d->failed_polls >= RETRY_POLLS);
}

static void *
run(void *arg)
{
	struct directory *d = arg;
	struct timespec until;
	bool must_read, must_accept;

	pthread_mutex_lock(&d->mutex);
	while (!d->must_stop) {
		must_accept = d->must_accept;
		must_read = d->must_read || must_accept;
		d->must_read = d->must_accept = false;
		pthread_mutex_unlock(&d->mutex);
		if (is_due(d) || must_read)
			attempt(d, must_accept);
		free_retired(d);
		pthread_mutex_lock(&d->mutex);
		d->has_tried = true;
		pthread_cond_broadcast(&d->changed);
		until = deadline(POLL_MS);
		while (!d->must_stop && !d->must_read && !d->must_accept &&
		    pthread_cond_timedwait(&d->changed, &d->mutex,
		    &until) == 0)
			;
	}
	pthread_mutex_unlock(&d->mutex);
	return NULL;
}

/* ---- The loop's thread ---- */

static void
take_over(struct directory *d)
{
	struct snapshot *next, *before = d->current;

	pthread_mutex_lock(&d->mutex);
	next = d->slot;
	d->slot = NULL;
	pthread_mutex_unlock(&d->mutex);
	if (next == NULL)
		return;
	d->current = next;
	d->adopted_ms = loop_now();
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

struct directory *
directory_new(const char *uri, layer_parser *parse, const char **why)
{
	const char *path = uri_path(uri, why);
	struct directory *d;
	pthread_condattr_t attr;

	if (path == NULL)
		return NULL;
	d = xcalloc(1, sizeof(*d));
	d->path = xstrdup(path);
	d->watch.path = d->path;
	d->parse = parse;
	d->must_read = true;
	pthread_mutex_init(&d->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&d->changed, &attr);
	pthread_condattr_destroy(&attr);
	if ((d->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0)
		fatal("eventfd: %m");
	return d;
}

void
directory_free(struct directory *d)
{
	size_t i;

	if (d == NULL)
		return;
	if (d->is_started) {
		pthread_mutex_lock(&d->mutex);
		d->must_stop = true;
		pthread_cond_broadcast(&d->changed);
		pthread_mutex_unlock(&d->mutex);
		pthread_join(d->thread, NULL);
		event_free(d->handover);
	}
	for (i = 0; i < d->retired_count; i++)
		snapshot_release(d->retired[i]);
	snapshot_release(d->latest);
	snapshot_release(d->slot);
	snapshot_release(d->current);
	close(d->wake_fd);
	pthread_cond_destroy(&d->changed);
	pthread_mutex_destroy(&d->mutex);
	free(d->retired);
	free(d->path);
	free(d);
}

struct snapshot *
directory_read(const char *uri, layer_parser *parse, char **why)
{
	struct snapshot *snapshot = NULL;
	const char *reason, *path;

	if ((path = uri_path(uri, &reason)) != NULL)
		snapshot = read_source(path, NULL, parse, &reason);
	if (snapshot == NULL)
		*why = xstrdup(reason);
	return snapshot;
}

void
directory_start(struct directory *d, int64_t wait_ms)
{
	struct timespec until = deadline(wait_ms);
	sigset_t all, before;

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
	while (!d->has_tried && pthread_cond_timedwait(&d->changed, &d->mutex,
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

void
directory_reload(struct directory *d)
{
	pthread_mutex_lock(&d->mutex);
	d->must_read = true;
	pthread_cond_broadcast(&d->changed);
	pthread_mutex_unlock(&d->mutex);
}

bool
directory_accept(struct directory *d)
{
	bool is_held;

	pthread_mutex_lock(&d->mutex);
	is_held = d->status.is_held;
	d->must_accept = d->must_accept || is_held;
	pthread_cond_broadcast(&d->changed);
	pthread_mutex_unlock(&d->mutex);
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
