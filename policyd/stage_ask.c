/* SPDX-License-Identifier: ISC */
/* stage_ask.c - the one question that a stage puts to the counters, and what
 * its answer means for the verdict. */
#include "common/log.h"
#include "common/loop.h"
#include "policyd/report.h"
#include "policyd/rule_greylist.h"
#include "policyd/stage.h"

static void
question_done(struct counter_question *question)
{
	struct request *rq = question->arg;

	rq->has_answer = true;
	if (rq->is_asking)
		return;
	/* while we waited the transaction may have been forgotten */
	if (rq->transaction != NULL)
		rq->transaction = transaction_of(rq->service->transactions,
		    &rq->attrs, loop_now());
	if (rq->transaction != NULL && rq->transaction->asking == rq)
		rq->transaction->asking = NULL;
	rq->resume(rq);
}

bool
stage_ask(struct request *rq, struct counter_grey *grey, bool is_peek)
{
	struct counter_store *store = rq->service->counters;

	rq->question = (struct counter_question){
		.tenant = rq->facts.account_id, .grey = grey,
		.limits = rq->cases.asked,
		.limit_count = rq->cases.asked_count,
		.is_peek = is_peek, .done = question_done, .arg = rq,
	};
	if (grey == NULL && rq->cases.asked_count == 0)
		return rq->has_answer = true;
	rq->is_asking = true;
	store->ops->ask(store, &rq->question);
	rq->is_asking = false;
	if (!rq->has_answer && rq->transaction != NULL)
		rq->transaction->asking = rq;
	return rq->has_answer;
}

static void
local_done(struct counter_question *question)
{
	(void)question;
}

/* The limits in this process instead; greylisting passes */
static void
ask_local(struct request *rq)
{
	struct counter_store *local = rq->service->local;

	if (local == NULL ||
	    rq->service->conf->on_counter_failure != FAILURE_LOCAL)
		return;
	rq->question.grey = NULL;
	rq->question.done = local_done;
	local->ops->ask(local, &rq->question);
}

/* UNKNOWN is not "below the limit": the configuration says what it is.
 * Greylisting passes in any case. */
static void
counters_failed(struct request *rq)
{
	static struct log_limit limit;

	report_counter_failure();
	ask_local(rq);
	if (!rq->question.is_unknown)
		return;
	if (log_allows(&limit))
		log_warn(log_foreign(rq->attrs.instance),
		    "counters cannot be asked");
	if (rq->service->conf->on_counter_failure != FAILURE_DEFER ||
	    rq->question.limit_count == 0)
		return;
	verdict_raise(&rq->decision.verdict, &(struct verdict){
		.action = ACTION_DEFER, .rule = "counters", .dn = "",
		.text = "counters cannot be asked, try again later" });
}

void
stage_take_answer(struct request *rq)
{
	rq->has_answer = false;
	if (rq->question.is_unknown)
		counters_failed(rq);
	if (rq->question.is_unknown)
		return;
	if (rq->question.grey != NULL)
		greylist_decide(&rq->facts, rq->question.grey, &rq->decision);
	if (!action_is_refusal(rq->decision.verdict.action))
		limits_decide(&rq->facts, &rq->cases, &rq->decision);
}
