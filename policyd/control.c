/* SPDX-License-Identifier: ISC */
/* control.c - the control socket's paths, a row each, and what each answers.
 * Reads what is in force; changes only what reset and accept-snapshot name. */
#include "policyd/control.h"

#include <time.h>

#include "common/metrics.h"
#include "policyd/advice.h"
#include "policyd/control_answer.h"
#include "policyd/explain.h"
#include "policyd/findings_json.h"
#include "common/json_text.h"

static struct sessions *sessions;

void
control_start(struct service *service, struct sessions *all)
{
	control_service = service;
	sessions = all;
}

static json_t *
time_json(int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	char text[32];
	struct tm utc;

	if (ms == 0)
		return json_null();
	gmtime_r(&seconds, &utc);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
	return json_string(text);
}

static json_t *
directory_json(void)
{
	struct directory_status status;

	directory_status(control_service->directory, &status);
	return json_pack("{s:s, s:o, s:I, s:I, s:b, s:I, s:I, s:o, s:o, s:o}",
	    "uri", control_service->conf->directory.uri,
	    "adopted", time_json(status.adopted_ms),
	    "reads", (json_int_t)status.reads,
	    "failures", (json_int_t)status.failures,
	    "held", status.is_held,
	    "held_removed", (json_int_t)status.held_removed,
	    "held_total", (json_int_t)status.held_total,
	    "problem", json_text(status.problem),
	    "state_file", time_json(status.state_ms),
	    "state_file_problem", json_text(status.state_problem));
}

static void
do_check(struct http_request *rq)
{
	struct counter_store *store = control_service->counters;
	struct snapshot *snapshot =
	    directory_current(control_service->directory);
	const struct findings *found = snapshot == NULL ? NULL
	    : snapshot_findings(snapshot);
	struct findings *advice = findings_new();

	advice_find(control_service, snapshot, advice);
	control_answer(rq, json_pack("{s:o, s:o, s:o, s:{s:s, s:I, s:I}, s:I}",
	    "findings", findings_json(found),
	    "advice", findings_json_texts(advice),
	    "directory", directory_json(),
	    "counters", "uri", store->name,
	    "records", (json_int_t)store->ops->records(store),
	    "evicted", (json_int_t)store->ops->evicted(store),
	    "connections", (json_int_t)sessions_count(sessions)));
	findings_free(advice);
}

static void
explained(void *arg, json_t *json, const char *why)
{
	struct http_request *rq = arg;

	if (json == NULL)
		control_fail(rq, 400, why);
	else
		control_answer(rq, json);
	http_answer(rq);
}

static void
do_explain(struct http_request *rq)
{
	rq->is_late = true;
	explain_request(control_service, rq->arena, rq->body, rq->body_len,
	    explained, rq);
}

static void
do_accept_snapshot(struct http_request *rq)
{
	control_answer(rq, json_pack("{s:b}", "accepted",
	    directory_accept(control_service->directory)));
}

static void
do_metrics(struct http_request *rq)
{
	rq->type = "text/plain; version=0.0.4";
	rq->answer = metrics_text(rq->arena);
}

/* Alive, and with a directory: what a load balancer wants to know */
static void
do_healthz(struct http_request *rq)
{
	bool is_ready = directory_current(control_service->directory) != NULL;

	rq->type = "text/plain";
	rq->status = is_ready ? 200 : 503;
	rq->answer = is_ready ? "ok\n" : "no directory yet\n";
}

const struct http_route control_routes[] = {
	{ "GET", "/check", do_check },
	{ "GET", "/domains", control_domains },
	{ "GET", "/show", control_show },
	{ "GET", "/status", control_status },
	{ "POST", "/explain", do_explain },
	{ "GET", "/usage", control_usage },
	{ "POST", "/reset", control_reset },
	{ "GET", "/exceptions", control_exceptions },
	{ "POST", "/accept-snapshot", do_accept_snapshot },
	{ NULL, NULL, NULL },
};

const struct http_route metrics_routes[] = {
	{ "GET", "/metrics", do_metrics },
	{ "GET", "/healthz", do_healthz },
	{ NULL, NULL, NULL },
};
