/* SPDX-License-Identifier: ISC */
/* rule_limits.c - rate limits: which apply, what this request costs, what to
 * say when one is reached. Charges nothing itself: request.c puts the one
 * question, the store (counters.h) decides and charges all or none. */
#include "policyd/rule_limits.h"

#include <string.h>

#include "common/quantity.h"
#include "policyd/counter_key.h"
#include "policyd/effective.h"
#include "policyd/ends.h"
#include "policyd/window.h"

/* Our own extensions are one mailbox; what a stranger's local part means we
 * do not know */
static const char *
address_subject(const struct address *address, const struct tenant *tenant)
{
	return tenant != NULL ? address->bare : address->text;
}

/* Whose counter it is; NULL: cannot be told (the recipient of several) */
static const char *
subject_of(const struct facts *facts, enum subject subject)
{
	switch (subject) {
	case SUBJECT_DOMAIN:
		return "";
	case SUBJECT_MAILBOX:
		return facts->mailbox;
	case SUBJECT_CLIENT:
		return ends_client(facts);
	case SUBJECT_SENDER:
		return address_subject(&facts->sender, facts->sender_tenant);
	case SUBJECT_RECIPIENT:
		break;
	}
	if (*facts->recipient.text == '\0')
		return NULL;
	return address_subject(&facts->recipient, facts->recipient_tenant);
}

struct counter_key
limit_key(const char *account_id, const struct limit *limit,
    const char *subject)
{
	const char *parts[] = { account_id, limit->identity, subject };

	return counter_key_of(parts, 3);
}

/* Does all[i] count this request, and in which counter? */
static bool
counter_find(const struct facts *facts, const struct effective_limit *all,
    size_t count, size_t i, struct counter_key *out)
{
	const struct limit *limit = all[i].limit;
	const char *subject = subject_of(facts, limit->subject);

	if (!limit_applies(all, count, limit, facts->direction) ||
	    subject == NULL)
		return false;
	*out = limit_key(facts->account_id, limit, subject);
	return true;
}

static void
cases_begin(const struct facts *facts, struct limit_cases *out, size_t room)
{
	*out = (struct limit_cases){
		.list = arena_alloc(facts->arena, room * sizeof(*out->list)),
		.asked = arena_alloc(facts->arena,
		    room * sizeof(*out->asked)),
	};
}

static struct limit_case *
cases_add(struct limit_cases *cases, const struct limit *limit,
    const struct counter_key *key, enum action action, uint64_t cost,
    uint64_t used)
{
	struct limit_case *one = &cases->list[cases->count++];

	*one = (struct limit_case){ .limit = limit, .dn = "", .key = *key,
		.action = action, .cost = cost, .used = used };
	if (limit->window_ms == 0 || cost == 0)
		return one;
	one->asked = &cases->asked[cases->asked_count++];
	*one->asked = (struct counter_limit){
		.key = *key, .limit_tag = counter_tag(limit->name),
		.window_ms = limit->window_ms, .cost = cost,
		.count = limit->count > used ? limit->count - used : 0,
		.refuses = action_is_refusal(action),
		.is_kept = limit->subject == SUBJECT_DOMAIN ||
		    limit->subject == SUBJECT_MAILBOX,
	};
	return one;
}

/* What one more recipient costs a counter that has seen seen (or nothing) of
 * this transaction. messages and bytes are charged with the first. */
static uint64_t
cost_at_rcpt(const struct facts *facts, const struct limit *limit,
    const struct passed *seen, enum limit_phase phase)
{
	if (limit->unit == UNIT_RECIPIENTS)
		return 1;
	if (seen != NULL && seen->recipients > 0 && phase == PHASE_CHARGE)
		return 0;
	return limit->unit == UNIT_MESSAGES ? 1 : facts->size_bytes;
}

/* Recipients of this transaction that the counter does not know of */
static uint64_t
used_so_far(const struct limit *limit, const struct passed *seen)
{
	if (seen == NULL || limit->unit != UNIT_RECIPIENTS)
		return 0;
	return limit->window_ms == 0 ? seen->recipients : seen->owed;
}

void
limits_at_rcpt(const struct facts *facts, const struct transaction *one,
    enum limit_phase phase, bool must_separate, struct limit_cases *out)
{
	struct effective_limit *all;
	size_t i, count = effective_limits(facts->arena, &facts->chain, &all);
	const struct limit *limit;
	const struct passed *seen;
	struct counter_key key;

	cases_begin(facts, out, count);
	out->phase = phase;
	for (i = 0; i < count; i++) {
		if (!counter_find(facts, all, count, i, &key))
			continue;
		limit = all[i].limit;
		seen = one != NULL ? transaction_passed(one, &key) : NULL;
		cases_add(out, limit, &key,
		    must_separate && limit->action == ACTION_HOLD
		    ? ACTION_SEPARATE : limit->action,
		    cost_at_rcpt(facts, limit, seen, phase),
		    used_so_far(limit, seen))->dn = all[i].from->dn;
	}
}

/* What the end still charges a counter */
static uint64_t
cost_at_end(const struct facts *facts, const struct passed *passed)
{
	switch (passed->limit.unit) {
	case UNIT_MESSAGES:
		return passed->owed > 0 ? 1 : 0;
	case UNIT_RECIPIENTS:
		return passed->limit.window_ms > 0 ? passed->owed : 0;
	case UNIT_BYTES:
		break;
	}
	if (passed->limit.window_ms == 0)
		return facts->size_bytes;
	return facts->size_bytes > passed->bytes
	    ? facts->size_bytes - passed->bytes : 0;
}

/* A copy: the transaction may be forgotten while the counters are asked */
static const struct limit *
limit_copy(struct arena *arena, const struct limit *limit)
{
	struct limit *copy = arena_alloc(arena, sizeof(*copy));

	*copy = *limit;
	copy->name = arena_strdup(arena, limit->name);
	return copy;
}

void
limits_at_end(const struct facts *facts, const struct transaction *one,
    const char *tenant, bool can_refuse, struct limit_cases *out)
{
	const struct passed *passed;
	uint64_t cost;
	size_t i;

	cases_begin(facts, out, one->passed_count);
	for (i = 0; i < one->passed_count; i++) {
		passed = &one->passed[i];
		cost = cost_at_end(facts, passed);
		if (cost > 0 && strcmp(passed->tenant, tenant) == 0)
			cases_add(out, limit_copy(facts->arena,
			    &passed->limit), &passed->key, can_refuse
			    ? passed->limit.action : ACTION_WARN, cost, 0);
	}
}

void
limits_at_end_alone(const struct facts *facts, struct limit_cases *out)
{
	uint64_t recipients = facts->recipient_count > 0
	    ? facts->recipient_count : 1;
	struct effective_limit *all;
	size_t i, count = effective_limits(facts->arena, &facts->chain, &all);
	const struct limit *limit;
	struct counter_key key;

	cases_begin(facts, out, count);
	for (i = 0; i < count; i++) {
		if (!counter_find(facts, all, count, i, &key))
			continue;
		limit = all[i].limit;
		cases_add(out, limit, &key, limit->action,
		    limit->unit == UNIT_MESSAGES ? 1
		    : limit->unit == UNIT_RECIPIENTS ? recipients
		    : facts->size_bytes, 0)->dn = all[i].from->dn;
	}
}

/* A message that alone exceeds COUNT, however much of it was charged before */
static bool
never_fits(const struct facts *facts, const struct limit_case *one)
{
	uint64_t whole = one->limit->unit == UNIT_BYTES ? facts->size_bytes
	    : one->cost;

	return whole > one->limit->count;
}

/* One limit is exceeded: what will never fit is rejected, not deferred */
static void
raise_exceeded(const struct facts *facts, const struct limit_case *one,
    uint64_t used, int64_t wait_ms, struct decision *decision)
{
	enum action action = one->action;
	char wait[QUANTITY_TEXT];

	if (never_fits(facts, one)) {
		wait_ms = 0;
		if (action == ACTION_DEFER)
			action = ACTION_REJECT;
	}
	verdict_raise(&decision->verdict, &(struct verdict){
		.action = action, .dn = one->dn,
		.rule = arena_printf(facts->arena, "limit:%s",
		    one->limit->name),
		.text = arena_printf(facts->arena, "%slimit %s (%s) reached%s%s",
		    rule_prefix(facts), one->limit->name,
		    limit_text(facts->arena, one->limit),
		    wait_ms > 0 ? ", try again in " : "",
		    wait_ms > 0 ? quantity_wait_text(wait_ms, wait) : ""),
		.used = used + one->used + one->cost,
		.count = one->limit->count,
		.limit = one->limit,
	});
}

void
limits_decide_caps(const struct facts *facts, const struct limit_cases *cases,
    struct decision *decision)
{
	const struct limit_case *one;
	size_t i;

	for (i = 0; i < cases->count; i++) {
		one = &cases->list[i];
		if (one->asked == NULL &&
		    one->used + one->cost > one->limit->count)
			raise_exceeded(facts, one, 0, 0, decision);
	}
}

/* Until one more fits; 0: never. Where the message itself has filled the
 * window, its recipients are charged at its end. */
static int64_t
wait_of(const struct limit_case *one)
{
	int64_t window_ms = one->limit->window_ms;

	if (one->asked->wait_ms == 0 && one->cost <= one->limit->count)
		return window_ms + window_ms / (WINDOW_SLOTS - 1);
	return one->asked->wait_ms;
}

void
limits_decide(const struct facts *facts, const struct limit_cases *cases,
    struct decision *decision)
{
	const struct limit_case *one;
	size_t i;

	for (i = 0; i < cases->count; i++) {
		one = &cases->list[i];
		if (one->asked != NULL && one->asked->is_exceeded)
			raise_exceeded(facts, one, one->asked->used,
			    wait_of(one), decision);
	}
}

void
limits_settle(const struct facts *facts, const struct limit_cases *cases,
    struct transaction *one)
{
	struct passed *passed;
	size_t i;

	for (i = 0; i < cases->count; i++) {
		passed = transaction_pass(one, &cases->list[i].key,
		    facts->account_id, cases->list[i].limit);
		if (passed == NULL)
			continue;
		passed->recipients++;
		if (cases->phase == PHASE_LOOK)
			passed->owed++;
		else if (passed->limit.unit == UNIT_BYTES)
			passed->bytes = facts->size_bytes;
	}
}
