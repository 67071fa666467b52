/* SPDX-License-Identifier: ISC */
/* stage_end.c - DATA, where a verdict on the whole message is given, and
 * END-OF-MESSAGE, where what is still owed is charged. */
#include <string.h>

#include "common/loop.h"
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
 * does not tell whose message it is: then it is no mailbox's. */
static void
account_set(struct request *rq, const char *tenant)
{
	struct facts *facts = &rq->facts;

	if (strcmp(facts->account_id, tenant) == 0)
		return;
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

enum step
stage_end(struct request *rq)
{
	rq->service->has_seen_end = true;
	if (rq->has_answer)
		stage_take_answer(rq);
	while (stage_unless_refused(rq) == STEP_NEXT && prepare_end(rq)) {
		limits_decide_caps(&rq->facts, &rq->cases, &rq->decision);
		if (stage_unless_refused(rq) == STEP_DONE)
			break;
		if (!stage_ask(rq, NULL, false))
			return STEP_WAIT;
		stage_take_answer(rq);
	}
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
