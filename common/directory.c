/* SPDX-License-Identifier: ISC */
/* directory.c - a thread reads the source, builds the next snapshot, decides
 * whether it may come into force, and hands it to the loop, which only swaps a
 * pointer: the thread holds every snapshot until nobody else does, so that the
 * loop never pays for freeing. What cannot be read changes nothing. */
#include "common/directory.h"

#include <event2/event.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/state_file.h"
#include "common/state_keep.h"
#include "common/xmalloc.h"

#define SERVER_WAIT_MS 2000	/* at start, where the state file serves */

static const struct source_ops *const sources[] = { &source_ldif, &source_ldap };

struct directory {
	struct arena *arena;	/* of the settings */
	struct source_settings settings;
	layer_parser *parse;

	/* loop thread only */
	struct event *handover;
	int64_t adopted_ms;
	bool is_started;
	pthread_t thread;

	/* directory thread only */
	struct source *source;
	struct state_keep *keep;
	struct snapshot *latest;	/* handed over last */
	struct snapshot **retired;	/* those before, while in use */
	size_t retired_count;

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

/* The one that reads URIs like this; NULL: none does */
static const struct source_ops *
source_for(const char *uri)
{
	size_t i, len = strcspn(uri, ":");
	const char *const *scheme;

	for (i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		for (scheme = sources[i]->schemes; *scheme != NULL; scheme++)
			if (strlen(*scheme) == len &&
			    strncmp(*scheme, uri, len) == 0)
				return sources[i];
	return NULL;
}

int
directory_check(const struct source_settings *settings, const char **why)
{
	static _Thread_local char reason[100];
	const struct source_ops *ops = source_for(settings->uri);
	size_t len = strcspn(settings->uri, ":");

	if (ops != NULL)
		return ops->check(settings, why);
	snprintf(reason, sizeof(reason), "%.*s: not known; known: ldif, "
	    "ldap, ldaps, ldapi",
	    len < 32 ? (int)len : 32, settings->uri);
	*why = reason;
	return -1;
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
hand_over(struct directory *d, struct snapshot *next, int64_t state_ms)
{
	struct snapshot *missed;

	log_news(next, d->latest);
	retire(d, d->latest);
	d->latest = next;
	pthread_mutex_lock(&d->mutex);
	missed = d->slot;
	d->slot = snapshot_hold(next);
	d->status.is_held = false;
	d->status.state_ms = state_ms;
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

bool
directory_is_wreck(size_t removed, size_t total)
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
	if (is_accepted || !directory_is_wreck(removed, total)) {
		hand_over(d, next, 0);
		state_keep_changed(d->keep);
	} else {
		hold_back(d, next, removed, total);
		snapshot_release(next);
		state_keep_forget(d->keep);
	}
}

static const char *
what_serves(const struct directory *d)
{
	if (d->latest == NULL)
		return "there is no snapshot yet";
	return d->status.state_ms != 0 ? "the state file serves"
	    : "the last snapshot serves";
}

/* How an attempt ended: "" well. One log line where that has changed. */
static void
conclude(struct directory *d, const char *problem)
{
	bool is_news;

	pthread_mutex_lock(&d->mutex);
	d->status.reads++;
	d->status.failures += *problem != '\0';
	is_news = strncmp(d->status.problem, problem,
	    sizeof(d->status.problem) - 1) != 0;
	snprintf(d->status.problem, sizeof(d->status.problem), "%s", problem);
	pthread_mutex_unlock(&d->mutex);
	if (is_news && *problem != '\0')
		log_error(NULL, "directory: %s; %s", problem, what_serves(d));
	else if (is_news)
		log_info(NULL, "directory: %s can be read again",
		    d->settings.uri);
}

struct taking {
	struct snapshot *next;
	bool wants_keys;
};

/* A file holds keys, too, whoever reads it */
static void
take_wanted(void *arg, const struct entry *entry)
{
	struct taking *taking = arg;

	if (taking->wants_keys || !entry_has_class(entry, "posternDkimKey"))
		snapshot_take(taking->next, entry);
}

/* The whole source in one snapshot; NULL and *why where it is not whole */
static struct snapshot *
read_source(struct source *source, const struct source_settings *settings,
    bool is_asked, const struct snapshot *previous, layer_parser *parse,
    const char **why)
{
	struct findings *findings = findings_new();
	struct snapshot *next = snapshot_new(previous, parse, findings);
	struct taking taking = { next, settings->wants_keys };
	struct source_reader to = { take_wanted, &taking, findings };

	if (source->ops->read(source, is_asked, &to, why) == 0) {
		snapshot_settle(next);
		return next;
	}
	snapshot_release(next);
	return NULL;
}

static void
attempt(struct directory *d, bool is_asked, bool is_accepted)
{
	const char *why = "";
	struct snapshot *next = read_source(d->source, &d->settings, is_asked,
	    d->latest, d->parse, &why);

	if (next != NULL)
		offer(d, next, is_accepted);
	if (!d->must_stop)	/* or else it need not have failed */
		conclude(d, next != NULL ? "" : why);
	malloc_trim(0);
}

/* Until the source has something, or the loop wants something */
static void
rest(struct directory *d)
{
	const struct source_ops *ops = d->source->ops;
	struct pollfd fds[] = {
		{ .fd = d->poke_fd, .events = POLLIN },
		{ .fd = ops->wait_fd(d->source), .events = POLLIN },
	};
	int wait_ms = ops->wait_ms(d->source);
	int keep_ms = state_keep_wait_ms(d->keep);
	eventfd_t times;

	if (keep_ms >= 0 && keep_ms < wait_ms)
		wait_ms = keep_ms;
	poll(fds, 2, wait_ms);
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
		if (d->source->ops->is_due(d->source) || must_read)
			attempt(d, must_read, must_accept);
		free_retired(d);
		state_keep_write(d->keep, false);
		pthread_mutex_lock(&d->mutex);
		snprintf(d->status.state_problem,
		    sizeof(d->status.state_problem), "%s",
		    state_keep_problem(d->keep));
		d->has_tried = true;
		pthread_cond_broadcast(&d->tried);
		pthread_mutex_unlock(&d->mutex);
		rest(d);
	}
	state_keep_write(d->keep, true);
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
	d->source = source_for(settings->uri)->open(&d->settings,
	    &d->must_stop);
	d->keep = state_keep_new(&d->settings, d->source);
	d->parse = parse;
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
	size_t i;

	if (d == NULL)
		return;
	if (d->is_started) {
		d->must_stop = true;
		eventfd_write(d->poke_fd, 1);
		pthread_join(d->thread, NULL);
		event_free(d->handover);
	}
	for (i = 0; i < d->retired_count; i++)
		snapshot_release(d->retired[i]);
	snapshot_release(d->latest);
	snapshot_release(d->slot);
	snapshot_release(d->current);
	state_keep_free(d->keep);
	d->source->ops->close(d->source);
	arena_free(d->arena);
	close(d->wake_fd);
	close(d->poke_fd);
	pthread_cond_destroy(&d->tried);
	pthread_mutex_destroy(&d->mutex);
	free(d->retired);
	free(d);
}

struct snapshot *
directory_read(const struct source_settings *settings, layer_parser *parse,
    char **why)
{
	static const atomic_bool never = false;
	struct snapshot *snapshot = NULL;
	struct source *source = NULL;
	const char *reason;

	if (directory_check(settings, &reason) == 0) {
		source = source_for(settings->uri)->open(settings, &never);
		snapshot = read_source(source, settings, true, NULL, parse,
		    &reason);
	}
	if (snapshot == NULL)
		*why = xstrdup(reason);
	if (source != NULL)
		source->ops->close(source);
	return snapshot;
}

/* Before the thread is there. Even if a server answers then, it is what that
 * one's answer must not be a wreck of. */
static void
start_from_state(struct directory *d)
{
	struct findings *findings = findings_new();
	struct snapshot *next = snapshot_new(NULL, d->parse, findings);
	struct taking taking = { next, false };
	struct source_reader to = { take_wanted, &taking, findings };
	int64_t written_ms = state_keep_read(d->keep, &to);

	if (written_ms != 0) {
		snapshot_settle(next);
		hand_over(d, next, written_ms);
	} else
		snapshot_release(next);
}

void
directory_start(struct directory *d, int64_t wait_ms)
{
	struct timespec until;
	sigset_t all, before;

	start_from_state(d);
	if (d->latest != NULL && wait_ms > SERVER_WAIT_MS)
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
