/* SPDX-License-Identifier: ISC */
/* explain.c - policyctl explain: runs the same functions as request.c over
 * one request, tells what each says, and changes nothing. */
#include "policyd/explain.h"

#include <string.h>

#include "common/loop.h"
#include "policyd/direction.h"
#include "policyd/ends.h"
#include "policyd/rule_greylist.h"
#include "policyd/rule_limits.h"
#include "policyd/rules.h"

static json_t *
text_or_null(const char *text)
{
	return text == NULL || *text == '\0' ? json_null()
	    : json_stringn_nocheck(text, strlen(text));
}

/* Bytes of a client may be no UTF-8, which JSON cannot carry */
static json_t *
foreign(const char *text)
{
	json_t *json = json_string(text);

	return json != NULL ? json : json_string("(not UTF-8)");
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
	    "mailbox", foreign(facts->mailbox),
	    "owner", facts->owner != NULL ? json_string(facts->owner->id)
	    : json_null(),
	    "sender", foreign(facts->sender.text),
	    "recipient", foreign(facts->recipient.text));
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
			json_object_set_new(said, "text", foreign(
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

static void
answered(struct counter_question *question)
{
	*(bool *)question->arg = true;
}

/* The counters' part of it: all is told, but the first refusal decides. False
 * where they cannot answer. */
static bool
explain_counters(struct service *service, const struct facts *facts,
    struct decision *decision, json_t *out)
{
	struct limit_cases cases;
	struct counter_grey grey;
	bool is_answered = false;
	bool is_grey = greylist_ask(facts, decision, &grey);
	struct counter_question question = { .tenant = facts->account_id,
		.grey = is_grey ? &grey : NULL, .is_peek = true,
		.done = answered, .arg = &is_answered };

	limits_at_rcpt(facts, NULL, PHASE_CHARGE, false, &cases);
	question.limits = cases.asked;
	question.limit_count = cases.asked_count;
	service->counters->ops->ask(service->counters, &question);
	if (!is_answered || question.is_unknown)
		return false;
	if (is_grey && !action_is_refusal(decision->verdict.action))
		greylist_decide(facts, &grey, decision);
	if (!action_is_refusal(decision->verdict.action)) {
		limits_decide_caps(facts, &cases, decision);
		limits_decide(facts, &cases, decision);
	}
	json_object_set_new(out, "greylist", is_grey ? grey_json(&grey)
	    : json_null());
	json_object_set_new(out, "limits", limits_json(facts, &cases));
	return true;
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

json_t *
explain_request(struct service *service, struct arena *arena,
    const char *text, size_t len, const char **why)
{
	struct snapshot *snapshot = directory_current(service->directory);
	struct decision decision = { 0 };
	char reply[VERDICT_REPLY];
	struct attrs attrs;
	struct facts facts = { .arena = arena, .conf = service->conf,
		.snapshot = snapshot, .attrs = &attrs,
		.now_ms = loop_now() };
	json_t *out;

	*why = "the directory was not read yet";
	if (snapshot == NULL)
		return NULL;
	if (read_attrs(arena, text, len, &attrs, why) == -1)
		return NULL;
	ends_find(&facts);
	direction_find(&facts);
	out = facts_json(&facts);
	json_object_set_new(out, "rules", json_array());
	explain_rules(&facts, &decision, json_object_get(out, "rules"));
	*why = "the counters cannot be asked";
	if (!explain_counters(service, &facts, &decision, out)) {
		json_decref(out);
		return NULL;
	}
	verdict_reply(&decision.verdict, reply);
	json_object_set_new(out, "decision",
	    verdict_json("-", &decision.verdict));
	json_object_set_new(out, "reply", json_string(reply));
	return out;
}
