/* SPDX-License-Identifier: ISC */
/* stage.h - a request under way, and the stages that it goes through. For
 * request.c and the stages alone: who asks policyd sees request.h. */
#ifndef POLICYD_STAGE_H
#define POLICYD_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "policyd/facts.h"
#include "policyd/rule.h"
#include "policyd/rule_limits.h"
#include "policyd/service.h"

struct request;

enum step {
	STEP_NEXT,		/* go on with the next stage */
	STEP_DONE,		/* the verdict stands: answer */
	STEP_WAIT		/* this stage again, when there is an answer */
};

struct stage {
	const char *name;
	enum step (*run)(struct request *rq);
};

struct request {
	struct service *service;
	struct arena *arena;
	struct snapshot *snapshot;	/* NULL: there was none yet */
	struct attrs attrs;
	struct facts facts;
	const struct stage *stage;	/* to run next */
	struct transaction *transaction;	/* NULL: there is none */
	struct counter_key repeated;	/* if there is: to know it again */
	struct decision decision;
	STAILQ_HEAD(, request) behind;	/* of its transaction, until it is
					 * answered */
	STAILQ_ENTRY(request) link;

	/* stage_ask.c */
	struct counter_grey grey;
	struct limit_cases cases;
	struct counter_question question;
	bool is_asking, has_answer;
	void (*resume)(struct request *rq);	/* after STEP_WAIT */

	/* stage_end.c */
	size_t passed_at;		/* the next to charge */
	struct verdict end;		/* so far, and whose it is */
	const char *end_account_id;

	void (*answer)(void *arg, const char *action);
	void *arg;
};

/* stage_rcpt.c */
enum step stage_repeated(struct request *rq);
enum step stage_rules(struct request *rq);
enum step stage_isolation(struct request *rq);
enum step stage_counters(struct request *rq);
enum step stage_settle(struct request *rq);
/* stage_end.c */
enum step stage_pending(struct request *rq);
enum step stage_end(struct request *rq);
enum step stage_over(struct request *rq);

/* stage_ask.c: puts the limits in rq->cases, and the greylist record where
 * grey is not NULL, as one question. True when the answer is there: take it.
 * False: STEP_WAIT, and the stage is run again with rq->has_answer. */
bool stage_ask(struct request *rq, struct counter_grey *grey, bool is_peek);
void stage_take_answer(struct request *rq);

/* charge_at = "end-of-message", and this is what it is about */
bool stage_charges_at_end(const struct request *rq);
/* STEP_DONE where the verdict so far refuses */
enum step stage_unless_refused(const struct request *rq);

#endif
