/* SPDX-License-Identifier: ISC */
/* stage_end.c - DATA, where a verdict on the whole message is given, and
 * END-OF-MESSAGE, where what is still owed is charged. */
#include <string.h>

#include "common/loop.h"
#include "policyd/alert.h"
#include "policyd/stage.h"

enum step
stage_pending(struct request *rq)
{
	rq->service->has_seen_data = true;
	rq->transaction = transaction_of(rq->service->transactions,
	    &rq->attrs, loop_now());
	if (rq->transaction == NULL)
		return STEP_DONE;
	rq->decision.verdict = rq->transaction->pending;
	if (rq->decision.verdict.action != ACTION_PERMIT) {
		/* for the log: only inbound verdicts are held back */
		rq->facts.direction = DIR_INBOUND;
		rq->facts.account_id = rq->transaction->tenant;
	}
	transaction_prepend_once(rq->transaction, &rq->decision.verdict);
	return STEP_DONE;
}

/* The next tenant whose counters saw this transaction, each once; NULL at the
 * end */
static const char *
next_tenant(struct request *rq)
{
	const struct transaction *one = rq->transaction;
	size_t i;

	for (; rq->passed_at < one->passed_count; rq->passed_at++) {
		for (i = 0; i < rq->passed_at; i++)
			if (strcmp(one->passed[i].tenant,
			    one->passed[rq->passed_at].tenant) == 0)
				break;
		if (i == rq->passed_at)
			return one->passed[rq->passed_at++].tenant;
	}
	return NULL;
}

/* Whose counters are charged next. With several recipients the request itself
 * does not tell whose message it is, nor that it came in: then it is no
 * mailbox's. */
static void
account_set(struct request *rq, const char *tenant)
{
	struct facts *facts = &rq->facts;

	if (strcmp(facts->account_id, tenant) == 0)
		return;
	facts->direction = DIR_INBOUND;
	facts->account = snapshot_tenant_by_id(rq->snapshot, tenant);
	facts->account_id = arena_strdup(rq->arena, tenant);
	facts->mailbox = "";
	chain_of(rq->snapshot, facts->account, NULL, &facts->chain);
}

/* What END-OF-MESSAGE still charges: of a transaction we know, to each
 * tenant its own, and only a single one may refuse the message to all */
static bool
prepare_end(struct request *rq)
{
	const char *tenant;

	if (rq->transaction == NULL || rq->transaction->recipients == 0) {
		if (!stage_charges_at_end(rq) || rq->passed_at++ > 0)
			return false;
		limits_at_end_alone(&rq->facts, &rq->cases);
		return true;
	}
	if ((tenant = next_tenant(rq)) == NULL)
		return false;
	account_set(rq, tenant);
	limits_at_end(&rq->facts, rq->transaction, tenant,
	    !rq->transaction->has_several_tenants, &rq->cases);
	return true;
}

/* One tenant's counters have answered, or need not be asked. It hears of its
 * own limits and of no other's; the log and the reply tell of one. */
static void
tenant_done(struct request *rq)
{
	struct verdict verdict;

	if (rq->has_answer)
		stage_take_answer(rq);
	verdict = rq->decision.verdict;
	alert_limit(&rq->facts, &verdict);
	verdict.limit = NULL;
	if (verdict.action > rq->end.action) {
		rq->end = verdict;
		rq->end_account_id = rq->facts.account_id;
	}
	rq->decision.verdict = (struct verdict){ .action = ACTION_PERMIT };
}

enum step
stage_end(struct request *rq)
{
	rq->service->has_seen_end = true;
	if (rq->has_answer)
		tenant_done(rq);
	while (!action_is_refusal(rq->end.action) && prepare_end(rq)) {
		limits_decide_caps(&rq->facts, &rq->cases, &rq->decision);
		if (stage_unless_refused(rq) == STEP_NEXT &&
		    !stage_ask(rq, NULL, false))
			return STEP_WAIT;
		tenant_done(rq);
	}
	rq->decision.verdict = rq->end;
	if (rq->end_account_id != NULL)
		rq->facts.account_id = rq->end_account_id;
	return stage_unless_refused(rq);
}

enum step
stage_over(struct request *rq)
{
	if (rq->transaction == NULL)
		return STEP_DONE;
	transaction_remember(rq->service->transactions, rq->transaction,
	    &rq->repeated, &rq->decision.verdict);
	transaction_over(rq->service->transactions, rq->transaction);
	rq->transaction = NULL;
	return STEP_DONE;
}
