/* SPDX-License-Identifier: ISC */
/* control_usage.c - usage and reset: the counters that a NAME itself has. */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "common/log.h"
#include "common/quantity.h"
#include "policyd/control.h"
#include "policyd/control_answer.h"
#include "policyd/effective.h"
#include "common/json_text.h"
#include "policyd/rule_limits.h"

/* The counter of a limit that NAME itself has: the tenant's, the mailbox's;
 * those of clients, senders and recipients cannot be named. */
static bool
own_counter(const struct control_name *named, const struct limit *limit,
    struct counter_key *key)
{
	const char *subject = limit->subject == SUBJECT_DOMAIN ? ""
	    : limit->subject == SUBJECT_MAILBOX ? named->mailbox : NULL;

	if (subject == NULL || limit->window_ms == 0)
		return false;
	*key = limit_key(named->tenant->id, limit, subject);
	return true;
}

static json_t *
usage_json(struct http_request *rq, const struct effective_limit *limit,
    uint64_t used)
{
	const struct limit *one = limit->limit;
	char window[QUANTITY_TEXT];

	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:o}",
	    "name", one->name, "limit", limit_text(rq->arena, one),
	    "direction", direction_words[one->direction],
	    "subject", subject_words[one->subject],
	    "used", (json_int_t)used, "count", (json_int_t)one->count,
	    "window", quantity_duration_text(one->window_ms, window),
	    "action", action_words[one->action],
	    "dn", json_text(limit->from->dn));
}

/* What is asked, until it is answered */
struct usage {
	struct http_request *rq;
	struct snapshot *snapshot;
	struct control_name named;
	const struct effective_limit **limits;	/* those that were asked */
	struct counter_question question;
};

static void
usage_done(struct counter_question *question)
{
	struct usage *usage = question->arg;
	struct http_request *rq = usage->rq;
	json_t *json, *list = json_array();
	size_t i;

	json = control_named(rq, &usage->named);
	json_object_set_new(json, "limits", list);
	for (i = 0; i < question->limit_count; i++)
		json_array_append_new(list, usage_json(rq, usage->limits[i],
		    question->limits[i].used));
	if (question->is_unknown) {
		json_decref(json);
		control_fail(rq, 503, "the counters cannot be asked");
	} else {
		control_answer(rq, json);
	}
	snapshot_release(usage->snapshot);
	http_answer(rq);
}

static void
usage_add(struct usage *usage, const struct effective_limit *limit)
{
	const struct limit *one = limit->limit;
	struct counter_question *question = &usage->question;
	struct counter_key key;

	if (!own_counter(&usage->named, one, &key))
		return;
	usage->limits[question->limit_count] = limit;
	question->limits[question->limit_count++] = (struct counter_limit){
		.key = key, .limit_tag = counter_tag(one->name),
		.window_ms = one->window_ms, .count = one->count };
}

void
control_usage(struct http_request *rq)
{
	struct usage *usage = arena_alloc(rq->arena, sizeof(*usage));
	struct counter_store *store = control_service->counters;
	struct effective_limit *limits;
	size_t i, count;

	*usage = (struct usage){ .rq = rq };
	if (!control_find(rq, &usage->named))
		return;
	usage->snapshot = snapshot_hold(
	    directory_current(control_service->directory));
	count = effective_limits(rq->arena, &usage->named.chain, &limits);
	usage->limits = arena_alloc(rq->arena, count * sizeof(*usage->limits));
	usage->question = (struct counter_question){
		.tenant = usage->named.tenant->id, .is_peek = true,
		.limits = arena_alloc(rq->arena,
		    count * sizeof(struct counter_limit)),
		.done = usage_done, .arg = usage };
	for (i = 0; i < count; i++)
		usage_add(usage, &limits[i]);
	rq->is_late = true;
	store->ops->ask(store, &usage->question);
}

/* An address: its own mailbox's counters */
static void
reset_mailbox(struct http_request *rq, const struct control_name *named,
    const char *name, struct counter_reset *reset)
{
	struct effective_limit *limits;
	size_t i, count = effective_limits(rq->arena, &named->chain, &limits);
	struct counter_key *keys = arena_alloc(rq->arena,
	    (count + 1) * sizeof(*keys));

	for (i = 0; i < count; i++)
		if ((*name == '\0' ||
		    strcmp(limits[i].limit->name, name) == 0) &&
		    limits[i].limit->subject == SUBJECT_MAILBOX &&
		    own_counter(named, limits[i].limit,
			&keys[reset->key_count]))
			reset->key_count++;
	reset->keys = keys;
}

/* Limit names are in lower case once read */
static const char *
limit_named(const struct http_request *rq)
{
	char *name = arena_strdup(rq->arena, rq->body), *at;

	for (at = name; *at != '\0'; at++)
		*at = (char)tolower((unsigned char)*at);
	return name;
}

/* The same for a reset */
struct resetting {
	struct http_request *rq;
	struct snapshot *snapshot;
	struct control_name named;
	const char *limit;
	struct counter_reset reset;
};

static void
reset_done(struct counter_reset *reset)
{
	struct resetting *one = reset->arg;
	struct http_request *rq = one->rq;
	json_t *json;

	if (reset->is_unknown) {
		control_fail(rq, 503, "the counters cannot be asked");
	} else {
		log_info(NULL, "reset tenant=%s mailbox=%s limit=%s "
		    "forgotten=%" PRId64, log_foreign(one->named.tenant->id),
		    one->named.mailbox != NULL
		    ? log_foreign(one->named.mailbox) : "-",
		    *one->limit != '\0' ? log_foreign(one->limit) : "-",
		    reset->forgotten);
		json = control_named(rq, &one->named);
		json_object_set_new(json, "forgotten", reset->forgotten == -1
		    ? json_null() : json_integer(reset->forgotten));
		control_answer(rq, json);
	}
	snapshot_release(one->snapshot);
	http_answer(rq);
}

void
control_reset(struct http_request *rq)
{
	struct counter_store *store = control_service->counters;
	struct resetting *one = arena_alloc(rq->arena, sizeof(*one));

	*one = (struct resetting){ .rq = rq, .limit = limit_named(rq) };
	if (!control_find(rq, &one->named))
		return;
	one->snapshot = snapshot_hold(
	    directory_current(control_service->directory));
	one->reset = (struct counter_reset){
		.tenant = one->named.tenant->id,
		.limit_tag = *one->limit != '\0' ? counter_tag(one->limit) : 0,
		.done = reset_done, .arg = one };
	if (one->named.mailbox != NULL)
		reset_mailbox(rq, &one->named, one->limit, &one->reset);
	rq->is_late = true;
	store->ops->reset(store, &one->reset);
}
