/* SPDX-License-Identifier: ISC */
/* explain.c - policyctl explain: runs the same functions as request.c over
 * one request, tells what each says, and changes nothing. */
#include "policyd/explain.h"

#include <string.h>

#include "common/loop.h"
#include "policyd/direction.h"
#include "policyd/ends.h"
#include "common/json_text.h"
#include "policyd/rule_greylist.h"
#include "policyd/rule_limits.h"
#include "policyd/rules.h"

static json_t *
text_or_null(const char *text)
{
	return text == NULL || *text == '\0' ? json_null()
	    : json_text(text);
}

static json_t *
facts_json(const struct facts *facts)
{
	static const char *const trusts[] = { "none", "login", "certificate",
		"network" };

	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o}",
	    "direction", direction_words[facts->direction],
	    "trust", trusts[facts->trust],
	    "tenant", facts->account_id,
	    "mailbox", json_text(facts->mailbox),
	    "owner", facts->owner != NULL ? json_string(facts->owner->id)
	    : json_null(),
	    "sender", json_text(facts->sender.text),
	    "recipient", json_text(facts->recipient.text));
}

static json_t *
verdict_json(const char *rule, const struct verdict *verdict)
{
	return json_pack("{s:s, s:s, s:o, s:o}", "rule",
	    verdict->rule != NULL ? verdict->rule : rule,
	    "verdict", action_words[verdict->action],
	    "text", text_or_null(verdict->text),
	    "dn", text_or_null(verdict->dn));
}

static void
explain_rules(const struct facts *facts, struct decision *decision,
    json_t *rules)
{
	const struct rule_row *row;
	struct decision alone;
	json_t *said;

	for (row = rule_rows; row->name != NULL; row++) {
		alone = (struct decision){ 0 };
		row->decide(facts, &alone);
		said = verdict_json(row->name, &alone.verdict);
		if (alone.is_allowed) {
			decision->is_allowed = true;
			json_object_set_new(said, "text", json_text(
			    arena_printf(facts->arena, "allowed by: %s",
				alone.allowed_by)));
			json_object_set_new(said, "dn",
			    text_or_null(alone.allowed_dn));
		}
		json_array_append_new(rules, said);
		if (!action_is_refusal(decision->verdict.action))
			verdict_raise(&decision->verdict, &alone.verdict);
	}
}

static json_t *
grey_json(const struct counter_grey *grey)
{
	static const char *const answers[] = { "pass", "new", "early" };

	return json_pack("{s:s, s:I}", "answer", answers[grey->answer],
	    "wait_ms", (json_int_t)grey->wait_ms);
}

static json_t *
limits_json(const struct facts *facts, const struct limit_cases *cases)
{
	json_t *limits = json_array();
	const struct limit_case *one;
	size_t i;

	for (i = 0; i < cases->count; i++) {
		one = &cases->list[i];
		json_array_append_new(limits, json_pack(
		    "{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:b, s:o}",
		    "name", one->limit->name,
		    "limit", limit_text(facts->arena, one->limit),
		    "subject", subject_words[one->limit->subject],
		    "action", action_words[one->limit->action],
		    "used", (json_int_t)(one->asked != NULL
		    ? one->asked->used : one->used),
		    "cost", (json_int_t)one->cost,
		    "count", (json_int_t)one->limit->count,
		    "exceeded", one->asked != NULL ? one->asked->is_exceeded
		    : one->used + one->cost > one->limit->count,
		    "dn", text_or_null(one->dn)));
	}
	return limits;
}

/* A whole request of what may be only its interesting half */
static int
read_attrs(struct arena *arena, const char *text, size_t len,
    struct attrs *out, const char **why)
{
	char *whole;
	size_t end;

	while (len > 0 && text[len - 1] == '\n')
		len--;
	*why = "a NUL byte";
	if (memchr(text, '\0', len) != NULL)
		return -1;
	whole = arena_printf(arena,
	    "request=smtpd_access_policy\n%.*s\nprotocol_state=RCPT\n\n",
	    (int)len, text);
	end = attrs_length(whole, strlen(whole));
	*why = "an empty line inside the request";
	if (end != strlen(whole))
		return -1;
	return attrs_parse(whole, end, out, why);
}

struct explain {
	struct service *service;
	struct snapshot *snapshot;
	struct attrs attrs;
	struct facts facts;
	struct decision decision;
	struct limit_cases cases;
	struct counter_grey grey;
	struct counter_question question;
	json_t *out;
	explain_done *done;
	void *arg;
};

/* The counters' part of it: all is told, but the first refusal decides */
static void
explain_counters(struct explain *one)
{
	const struct counter_grey *grey = one->question.grey;
	struct decision *decision = &one->decision;

	if (grey != NULL && !action_is_refusal(decision->verdict.action))
		greylist_decide(&one->facts, grey, decision);
	if (!action_is_refusal(decision->verdict.action)) {
		limits_decide_caps(&one->facts, &one->cases, decision);
		limits_decide(&one->facts, &one->cases, decision);
	}
	json_object_set_new(one->out, "greylist", grey != NULL
	    ? grey_json(grey) : json_null());
	json_object_set_new(one->out, "limits",
	    limits_json(&one->facts, &one->cases));
}

static void
answered(struct counter_question *question)
{
	struct explain *one = question->arg;
	char reply[VERDICT_REPLY];

	/* it may have been read anew */
	one->facts.conf = one->service->conf;
	if (question->is_unknown) {
		json_decref(one->out);
		snapshot_release(one->snapshot);
		one->done(one->arg, NULL, "the counters cannot be asked");
		return;
	}
	explain_counters(one);
	verdict_reply(&one->decision.verdict, reply);
	json_object_set_new(one->out, "decision",
	    verdict_json("-", &one->decision.verdict));
	json_object_set_new(one->out, "reply", json_string(reply));
	snapshot_release(one->snapshot);
	one->done(one->arg, one->out, NULL);
}

static void
ask_counters(struct service *service, struct explain *one)
{
	bool is_grey = greylist_ask(&one->facts, &one->decision, &one->grey);

	limits_at_rcpt(&one->facts, NULL, PHASE_CHARGE, false, &one->cases);
	one->question = (struct counter_question){
		.tenant = one->facts.account_id,
		.grey = is_grey ? &one->grey : NULL,
		.limits = one->cases.asked,
		.limit_count = one->cases.asked_count,
		.is_peek = true, .done = answered, .arg = one };
	service->counters->ops->ask(service->counters, &one->question);
}

void
explain_request(struct service *service, struct arena *arena,
    const char *text, size_t len, explain_done *done, void *arg)
{
	struct snapshot *snapshot = directory_current(service->directory);
	struct explain *one = arena_alloc(arena, sizeof(*one));
	const char *why = "the directory was not read yet";

	*one = (struct explain){ .service = service, .done = done, .arg = arg,
		.facts = { .arena = arena, .conf = service->conf,
			.snapshot = snapshot, .attrs = &one->attrs,
			.now_ms = loop_now() } };
	if (snapshot == NULL ||
	    read_attrs(arena, text, len, &one->attrs, &why) == -1) {
		done(arg, NULL, why);
		return;
	}
	one->snapshot = snapshot_hold(snapshot);
	ends_find(&one->facts);
	direction_find(&one->facts);
	one->out = facts_json(&one->facts);
	json_object_set_new(one->out, "rules", json_array());
	explain_rules(&one->facts, &one->decision,
	    json_object_get(one->out, "rules"));
	ask_counters(service, one);
}
