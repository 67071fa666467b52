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

static void
note_answer(struct counter_question *question)
{
	*(bool *)question->arg = true;
}

static bool
used_now(const struct control_name *named, const struct limit *limit,
    const struct counter_key *key, uint64_t *out)
{
	bool is_answered = false;
	struct counter_limit asked = { .key = *key, .count = limit->count,
		.limit_tag = counter_tag(limit->name),
		.window_ms = limit->window_ms };
	struct counter_question question = { .tenant = named->tenant->id,
		.limits = &asked, .limit_count = 1, .is_peek = true,
		.done = note_answer, .arg = &is_answered };

	control_service->counters->ops->ask(control_service->counters, &question);
	*out = asked.used;
	return is_answered && !question.is_unknown;
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
	    "dn", control_text(limit->from->dn));
}

void
control_usage(struct http_request *rq)
{
	struct effective_limit *limits;
	struct counter_key key;
	struct control_name named;
	json_t *json, *list;
	uint64_t used;
	size_t i, count;

	if (!control_find(rq, &named))
		return;
	json = control_named(rq, &named);
	list = json_array();
	json_object_set_new(json, "limits", list);
	count = effective_limits(rq->arena, &named.chain, &limits);
	for (i = 0; i < count; i++) {
		if (!own_counter(&named, limits[i].limit, &key))
			continue;
		if (!used_now(&named, limits[i].limit, &key, &used)) {
			json_decref(json);
			control_fail(rq, 503, "the counters cannot be asked");
			return;
		}
		json_array_append_new(list, usage_json(rq, &limits[i], used));
	}
	control_answer(rq, json);
}

/* An address: its own mailbox's counters */
static uint64_t
reset_mailbox(struct http_request *rq, const struct control_name *named,
    const char *name)
{
	struct counter_store *store = control_service->counters;
	struct effective_limit *limits;
	size_t i, count = effective_limits(rq->arena, &named->chain, &limits);
	struct counter_key key;
	uint64_t forgotten = 0;

	for (i = 0; i < count; i++)
		if ((*name == '\0' ||
		    strcmp(limits[i].limit->name, name) == 0) &&
		    limits[i].limit->subject == SUBJECT_MAILBOX &&
		    own_counter(named, limits[i].limit, &key))
			forgotten += store->ops->forget(store,
			    named->tenant->id, &key);
	return forgotten;
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

void
control_reset(struct http_request *rq)
{
	struct counter_store *store = control_service->counters;
	const char *limit = limit_named(rq);
	struct control_name named;
	uint64_t forgotten;
	json_t *json;

	if (!control_find(rq, &named))
		return;
	if (named.mailbox != NULL)
		forgotten = reset_mailbox(rq, &named, limit);
	else
		forgotten = store->ops->reset(store, named.tenant->id,
		    *limit != '\0' ? counter_tag(limit) : 0);
	log_info(NULL, "reset tenant=%s mailbox=%s limit=%s forgotten=%" PRIu64,
	    log_foreign(named.tenant->id),
	    named.mailbox != NULL ? log_foreign(named.mailbox) : "-",
	    *limit != '\0' ? log_foreign(limit) : "-",
	    forgotten);
	json = control_named(rq, &named);
	json_object_set_new(json, "forgotten",
	    json_integer((json_int_t)forgotten));
	control_answer(rq, json);
}
