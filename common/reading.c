/* SPDX-License-Identifier: ISC */
/* reading.c - the source into the next snapshot, by what has changed where the
 * source can tell, and whether that comes into force: not where it would remove
 * too much. What cannot be read changes nothing. Next: update.c. */
#include "common/reading.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/update.h"
#include "common/log.h"
#include "common/state_keep.h"
#include "common/xmalloc.h"

static const struct source_ops *const sources[] = {
	&source_ldif, &source_ldap
};

struct reading {
	const struct source_settings *settings;
	layer_parser *parse;
	const atomic_bool *must_stop;
	struct source *source;
	struct state_keep *keep;
	struct snapshot *latest;	/* that came into force */
	struct snapshot **retired;	/* those before, while in use */
	size_t retired_count;
	struct directory_status status;
};

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
reading_check(const struct source_settings *settings, const char **why)
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

struct reading *
reading_new(const struct source_settings *settings, layer_parser *parse,
    const atomic_bool *must_stop)
{
	struct reading *r = xcalloc(1, sizeof(*r));

	r->settings = settings;
	r->parse = parse;
	r->must_stop = must_stop;
	r->source = source_for(settings->uri)->open(settings, must_stop);
	return r;
}

void
reading_free(struct reading *r)
{
	size_t i;

	if (r == NULL)
		return;
	for (i = 0; i < r->retired_count; i++)
		snapshot_release(r->retired[i]);
	snapshot_release(r->latest);
	state_keep_free(r->keep);
	r->source->ops->close(r->source);
	free(r->retired);
	free(r);
}

bool
reading_is_due(struct reading *r)
{
	return r->source->ops->is_due(r->source);
}

int
reading_wait_ms(struct reading *r)
{
	int wait_ms = r->source->ops->wait_ms(r->source);
	int keep_ms = state_keep_wait_ms(r->keep);

	return keep_ms >= 0 && keep_ms < wait_ms ? keep_ms : wait_ms;
}

int
reading_wait_fd(struct reading *r)
{
	return r->source->ops->wait_fd(r->source);
}

const struct directory_status *
reading_status(const struct reading *r)
{
	return &r->status;
}

static void
retire(struct reading *r, struct snapshot *snapshot)
{
	if (snapshot == NULL)
		return;
	r->retired = xrealloc(r->retired, r->retired_count + 1,
	    sizeof(struct snapshot *));
	r->retired[r->retired_count++] = snapshot;
}

void
reading_tidy(struct reading *r, bool is_last)
{
	size_t i, left = 0;

	for (i = 0; i < r->retired_count; i++)
		if (snapshot_is_last_hold(r->retired[i]))
			snapshot_release(r->retired[i]);
		else
			r->retired[left++] = r->retired[i];
	r->retired_count = left;
	state_keep_write(r->keep, is_last);
	snprintf(r->status.state_problem, sizeof(r->status.state_problem),
	    "%s", state_keep_problem(r->keep));
}

static void
hold_back(struct reading *r, const struct snapshot *next, size_t removed,
    size_t total)
{
	bool is_news = !r->status.is_held || r->status.held_removed != removed;

	r->status.is_held = true;
	r->status.held_removed = removed;
	r->status.held_total = total;
	if (!is_news)
		return;
	log_error(NULL, "directory: not adopted, as it would remove %zu of "
	    "%zu tenants; policyctl accept-snapshot takes it", removed, total);
	snapshot_log(next, r->latest);	/* which may say why */
}

bool
reading_is_wreck(size_t removed, size_t total)
{
	return removed > 0 &&
	    (removed == total || (removed > 5 && removed * 10 > total));
}

static void
adopt(struct reading *r, struct snapshot *next, int64_t state_ms)
{
	r->status.is_held = false;
	r->status.state_ms = state_ms;
	snapshot_log(next, r->latest);
	retire(r, r->latest);
	r->latest = next;
}

/* Into force, or not: true where it is. The hold goes to whoever keeps it. */
static bool
offer(struct reading *r, struct snapshot *next, bool is_accepted)
{
	size_t removed = 0, total = 0;

	if (r->latest != NULL) {
		removed = snapshot_removed(r->latest, next);
		total = snapshot_tenants(r->latest);
	}
	if (!is_accepted && reading_is_wreck(removed, total)) {
		hold_back(r, next, removed, total);
		snapshot_release(next);
		state_keep_forget(r->keep);
		return false;
	}
	adopt(r, next, 0);
	state_keep_changed(r->keep);
	return true;
}

static const char *
what_serves(const struct reading *r)
{
	if (r->latest == NULL)
		return "there is no snapshot yet";
	return r->status.state_ms != 0 ? "the state file serves"
	    : "the last snapshot serves";
}

/* How an attempt ended: "" well. One log line where that has changed. */
static void
conclude(struct reading *r, const char *problem)
{
	struct directory_status *status = &r->status;
	bool is_news = strncmp(status->problem, problem,
	    sizeof(status->problem) - 1) != 0;

	status->reads++;
	status->failures += *problem != '\0';
	snprintf(status->problem, sizeof(status->problem), "%s", problem);
	if (is_news && *problem != '\0')
		log_error(NULL, "directory: %s; %s", problem, what_serves(r));
	else if (is_news)
		log_info(NULL, "directory: %s can be read again",
		    r->settings->uri);
}

struct taking {
	struct update *update;
	bool wants_keys;
};

/* A file holds keys, too, whoever reads it */
static void
take(void *arg, const struct entry *entry)
{
	struct taking *taking = arg;

	if (taking->wants_keys || !entry_has_class(entry, "posternDkimKey"))
		update_take(taking->update, entry);
}

static void
gone(void *arg, const char *key)
{
	struct taking *taking = arg;

	update_gone(taking->update, key);
}

/* What was not adopted is not there to build upon: then all is wanted */
static enum source_wish
wish(const struct reading *r, bool is_asked)
{
	if (is_asked)
		return SOURCE_ANEW;
	return r->latest == NULL || r->status.is_held ? SOURCE_ALL
	    : SOURCE_NEWS;
}

/* NULL and *why where it could not be read */
static struct snapshot *
read_source(struct reading *r, bool is_asked, const char **why)
{
	struct findings *findings = findings_new();
	struct update *update = update_new(r->latest, r->parse, findings);
	struct taking taking = { update, r->settings->wants_keys };
	struct source_reader to = { take, &taking, findings, gone };
	struct snapshot *next = NULL;
	enum source_told told;

	told = r->source->ops->read(r->source, wish(r, is_asked), &to, why);
	if (told != SOURCE_FAILED)
		next = update_settle(update, told == SOURCE_TOLD_ALL);
	else
		update_drop(update);
	if (told != SOURCE_TOLD_NEWS)
		malloc_trim(0);		/* it was much; give it back */
	return next;
}

/* Even if a server answers then, it is what that one's answer must not be a
 * wreck of */
struct snapshot *
reading_start(struct reading *r)
{
	struct findings *findings = findings_new();
	struct update *update = update_new(NULL, r->parse, findings);
	struct source_reader to = { update_take, update, findings, NULL };
	int64_t written_ms;

	r->keep = state_keep_new(r->settings, r->source);
	written_ms = state_keep_read(r->keep, &to);
	if (written_ms == 0) {
		update_drop(update);
		return NULL;
	}
	adopt(r, update_settle(update, true), written_ms);
	return snapshot_hold(r->latest);
}

struct snapshot *
reading_attempt(struct reading *r, bool is_asked, bool is_accepted)
{
	const char *why = "";
	struct snapshot *next = read_source(r, is_asked, &why);
	bool is_read = next != NULL;

	if (is_read && !offer(r, next, is_accepted))
		next = NULL;
	if (!*r->must_stop)	/* or else it need not have failed */
		conclude(r, is_read ? "" : why);
	return next != NULL ? snapshot_hold(next) : NULL;
}

struct snapshot *
reading_once(struct reading *r, const char **why)
{
	return read_source(r, true, why);
}
