/* SPDX-License-Identifier: ISC */
/* stage_rcpt.c - what is decided for one recipient, and what its transaction
 * must remember when it passed. */
#include <string.h>

#include "policyd/alert.h"
#include "policyd/rule_greylist.h"
#include "policyd/rules.h"
#include "policyd/stage.h"

/* Postfix asks again after a time-out, and once for each place that names us:
 * what passed, passed, and is not charged twice. While it is not yet known what
 * passed, one request of a transaction at a time. */
enum step
stage_repeated(struct request *rq)
{
	const struct verdict *given;

	rq->transaction = transaction_of(rq->service->transactions,
	    &rq->attrs, rq->facts.now_ms);
	if (rq->transaction == NULL)
		return STEP_NEXT;
	if (rq->transaction->asking != NULL) {
		STAILQ_INSERT_TAIL(&rq->transaction->asking->behind, rq, link);
		return STEP_WAIT;
	}
	rq->repeated = transaction_question(&rq->attrs);
	given = transaction_answered(rq->transaction, &rq->repeated);
	if (given == NULL)
		return STEP_NEXT;
	rq->decision.verdict = *given;
	return STEP_DONE;
}

enum step
stage_rules(struct request *rq)
{
	rules_decide(&rq->facts, &rq->decision);
	return stage_unless_refused(rq);
}

/* Does the transaction have inbound recipients of another tenant? */
static bool
is_among_others(const struct request *rq)
{
	const struct transaction *one = rq->transaction;

	return rq->facts.direction == DIR_INBOUND && one != NULL &&
	    one->tenant != NULL && (one->has_several_tenants ||
	    strcmp(one->tenant, rq->facts.account_id) != 0);
}

/* hold, filter, redirect and prepend act on the whole message: tenants must
 * not feel each other, so this recipient comes back on its own */
enum step
stage_isolation(struct request *rq)
{
	if (!is_among_others(rq) ||
	    (!action_is_whole_message(rq->decision.verdict.action) &&
	    rq->transaction->pending.action == ACTION_PERMIT))
		return STEP_NEXT;
	rq->decision.verdict = (struct verdict){
		.action = ACTION_SEPARATE, .rule = "isolation", .dn = "",
		.text = arena_printf(rq->arena,
		    "%ssend to this recipient separately, try again at once",
		    rule_prefix(&rq->facts)),
	};
	return STEP_DONE;
}

/* Greylisting and all limits in one question */
enum step
stage_counters(struct request *rq)
{
	bool looks = stage_charges_at_end(rq), is_greylisted;

	if (!rq->has_answer) {
		is_greylisted = greylist_ask(&rq->facts, &rq->decision,
		    &rq->grey);
		limits_at_rcpt(&rq->facts, rq->transaction,
		    looks ? PHASE_LOOK : PHASE_CHARGE, is_among_others(rq),
		    &rq->cases);
		limits_decide_caps(&rq->facts, &rq->cases, &rq->decision);
		if (stage_unless_refused(rq) == STEP_DONE)
			return STEP_DONE;
		if (!stage_ask(rq, is_greylisted ? &rq->grey : NULL, looks))
			return STEP_WAIT;
	}
	stage_take_answer(rq);
	return stage_unless_refused(rq);
}

/* An inbound verdict on the whole message is given at DATA, when no other
 * tenant's recipient can be in it any more; a header is given once */
static void
hold_back(struct request *rq)
{
	struct transaction *one = rq->transaction;
	struct verdict *verdict = &rq->decision.verdict;

	if (rq->facts.direction == DIR_INBOUND &&
	    action_is_whole_message(verdict->action)) {
		transaction_hold_back(one, verdict);
		alert_limit(&rq->facts, verdict);
		verdict->action = ACTION_PERMIT;
		verdict->limit = NULL;	/* told already, as it will be given */
	}
	transaction_prepend_once(one, verdict);
}

/* It passed: what the transaction must remember of it */
enum step
stage_settle(struct request *rq)
{
	struct transaction *one = rq->transaction;

	if (one == NULL)
		return STEP_DONE;
	limits_settle(&rq->facts, &rq->cases, one);
	if (rq->facts.direction == DIR_INBOUND)
		transaction_inbound(one, rq->facts.account_id);
	hold_back(rq);
	one->recipients++;
	transaction_remember(rq->service->transactions, one, &rq->repeated,
	    &rq->decision.verdict);
	return STEP_DONE;
}
