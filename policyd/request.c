/* SPDX-License-Identifier: ISC */
/* request.c - one policy request by stages: who, which way, what the rules
 * say, what the counters say, what was promised. session.c hands in the
 * bytes and gets one answer. Never decides by itself: rule_*.c do. */
#include "policyd/request.h"

#include <string.h>

#include "common/log.h"
#include "common/loop.h"
#include "policyd/alert.h"
#include "policyd/direction.h"
#include "policyd/ends.h"
#include "policyd/report.h"
#include "policyd/stage.h"

bool
stage_charges_at_end(const struct request *rq)
{
	return rq->service->conf->charge_at == CHARGE_AT_END_OF_MESSAGE &&
	    (rq->facts.direction == DIR_OUTBOUND ||
	    rq->facts.direction == DIR_INTERNAL);
}

enum step
stage_unless_refused(const struct request *rq)
{
	return action_is_refusal(rq->decision.verdict.action) ? STEP_DONE
	    : STEP_NEXT;
}

/* Until a directory was read nobody is a tenant: better no policy for a
 * moment than relaying denied to all */
static enum step
stage_directory(struct request *rq)
{
	static struct log_limit limit;
	bool defers = rq->service->conf->on_no_directory == NO_DIRECTORY_DEFER;

	if (rq->snapshot != NULL)
		return STEP_NEXT;
	rq->decision.verdict = (struct verdict){
		.action = defers ? ACTION_DEFER : ACTION_PERMIT,
		.rule = "no-directory", .dn = "",
		.text = "the directory was not read yet, try again",
	};
	if (log_allows(&limit))
		log_warn(NULL, "no directory yet: %s without policy",
		    defers ? "deferring" : "permitting");
	return STEP_DONE;
}

static enum step
stage_ends(struct request *rq)
{
	rq->facts = (struct facts){
		.arena = rq->arena, .conf = rq->service->conf,
		.snapshot = rq->snapshot, .attrs = &rq->attrs,
		.now_ms = loop_now(),
	};
	ends_find(&rq->facts);
	return STEP_NEXT;
}

static enum step
stage_direction(struct request *rq)
{
	direction_find(&rq->facts);
	return STEP_NEXT;
}

static const struct stage rcpt_stages[] = {
	{ "directory", stage_directory },
	{ "ends", stage_ends },			/* whose are they? */
	{ "direction", stage_direction },
	{ "repeated", stage_repeated },		/* was it answered before? */
	{ "rules", stage_rules },		/* status, direction, lists */
	{ "isolation", stage_isolation },	/* two tenants, one message */
	{ "counters", stage_counters },		/* may wait: the store */
	{ "settle", stage_settle },
	{ NULL, NULL },
};
static const struct stage data_stages[] = {
	{ "pending", stage_pending },		/* decided at RCPT */
	{ NULL, NULL },
};
static const struct stage end_stages[] = {
	{ "directory", stage_directory },
	{ "ends", stage_ends },
	{ "direction", stage_direction },
	{ "repeated", stage_repeated },
	{ "end", stage_end },			/* may wait: the store */
	{ "over", stage_over },
	{ NULL, NULL },
};
static const struct stage other_stages[] = {
	{ NULL, NULL },				/* no opinion */
};

static const struct {
	const char *protocol_state;
	const struct stage *stages;
} states[] = {
	{ "RCPT", rcpt_stages },
	{ "DATA", data_stages },
	{ "END-OF-MESSAGE", end_stages },
};

static const struct stage *
stages_of(const char *protocol_state)
{
	size_t i;

	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(states[i].protocol_state, protocol_state) == 0)
			return states[i].stages;
	return other_stages;
}

/* One arena is kept for the next request: mostly there is one at a time */
static struct arena *
arena_take(struct service *service)
{
	struct arena *spare = service->spare;

	service->spare = NULL;
	return spare != NULL ? spare : arena_new(0);
}

static void
arena_give(struct service *service, struct arena *arena)
{
	if (service->spare != NULL) {
		arena_free(arena);
		return;
	}
	arena_reset(arena);
	service->spare = arena;
}

static void
request_free(struct request *rq)
{
	snapshot_release(rq->snapshot);
	arena_give(rq->service, rq->arena);
}

static void
finish(struct request *rq)
{
	char reply[VERDICT_REPLY];

	verdict_reply(&rq->decision.verdict, reply);
	report_verdict(&rq->attrs, &rq->facts, &rq->decision.verdict);
	alert_limit(&rq->facts, &rq->decision.verdict);
	/* refused mail leaves nothing behind, however much there is of it */
	if (rq->transaction != NULL && rq->transaction->recipients == 0)
		transaction_over(rq->service->transactions, rq->transaction);
	rq->answer(rq->arg, reply);
}

/* True when it is answered */
static bool
run(struct request *rq)
{
	enum step step = STEP_NEXT;

	while (rq->stage->run != NULL && step != STEP_DONE) {
		step = rq->stage->run(rq);
		if (step == STEP_WAIT)
			return false;
		rq->stage++;
	}
	finish(rq);
	return true;
}

/* Then those that waited for it go on; they may wait for each other */
static void
resume(struct request *rq)
{
	struct request *next;

	/* meanwhile the configuration may have been read anew */
	rq->facts.conf = rq->service->conf;
	if (!run(rq))
		return;
	while ((next = STAILQ_FIRST(&rq->behind)) != NULL) {
		STAILQ_REMOVE_HEAD(&rq->behind, link);
		resume(next);
	}
	request_free(rq);
}

struct request *
request_start(struct service *service, const char *bytes, size_t len,
    request_answer *answer, void *arg)
{
	struct arena *arena = arena_take(service);
	struct request *rq = arena_alloc(arena, sizeof(*rq));
	char *text = arena_strndup(arena, bytes, len);
	const char *why;

	*rq = (struct request){ .service = service, .arena = arena,
		.resume = resume, .answer = answer, .arg = arg };
	if (attrs_parse(text, len, &rq->attrs, &why) == -1) {
		report_malformed(why);
		arena_give(service, arena);
		answer(arg, NULL);
		return NULL;
	}
	if (directory_current(service->directory) != NULL)
		rq->snapshot = snapshot_hold(
		    directory_current(service->directory));
	STAILQ_INIT(&rq->behind);
	rq->stage = stages_of(rq->attrs.protocol_state);
	if (!run(rq))
		return rq;
	request_free(rq);
	return NULL;
}

static void
answer_nobody(void *arg, const char *action)
{
	(void)arg;
	(void)action;
}

void
request_forget(struct request *request)
{
	request->answer = answer_nobody;
}
