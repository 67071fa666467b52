/* SPDX-License-Identifier: ISC */
/* control_show.c - domains, show, exceptions: what the directory says, each
 * value with the entry that it comes from. Reads only. */
#include <stdio.h>
#include <time.h>

#include "common/loop.h"
#include "policyd/control.h"
#include "policyd/control_answer.h"
#include "policyd/effective.h"
#include "common/json_text.h"

static json_t *
tenant_json(const struct snapshot *snapshot, const struct tenant *tenant)
{
	json_t *domains = json_array();
	struct chain chain;
	size_t i;

	for (i = 0; i < tenant->domain_count; i++)
		json_array_append_new(domains, json_text(tenant->domains[i]));
	chain_of(snapshot, tenant, NULL, &chain);
	return json_pack("{s:o, s:o, s:s, s:o, s:I, s:o}",
	    "tenant", json_text(tenant->id), "domains", domains,
	    "status", status_words[effective_value(&chain, POLICY_STATUS,
		NULL)],
	    "template", json_text(tenant->layer->template_key != NULL
		? tenant->layer->template_key : ""),
	    "mailboxes", (json_int_t)snapshot_mailboxes(snapshot, tenant),
	    "dn", json_text(tenant->layer->dn));
}

void
control_domains(struct http_request *rq)
{
	struct snapshot *snapshot = directory_current(control_service->directory);
	json_t *tenants = json_array();
	size_t i;

	for (i = 0; snapshot != NULL && i < snapshot_tenants(snapshot); i++)
		json_array_append_new(tenants, tenant_json(snapshot,
		    snapshot_tenant_at(snapshot, i)));
	control_answer(rq, json_pack("{s:o}", "tenants", tenants));
}

static void
add_value(json_t *values, const char *attribute, const char *value,
    const struct layer *from)
{
	json_array_append_new(values, json_pack("{s:s, s:o, s:o}",
	    "attribute", attribute, "value", json_text(value),
	    "dn", json_text(from != NULL ? from->dn : "")));
}

static void
show_limits(struct http_request *rq, const struct chain *chain,
    json_t *values)
{
	struct effective_limit *limits;
	size_t i, count = effective_limits(rq->arena, chain, &limits);

	for (i = 0; i < count; i++)
		add_value(values, "posternRateLimit", limit_value_text(rq->arena,
		    limits[i].limit), limits[i].from);
}

static void
show_rules(struct http_request *rq, const struct chain *chain, json_t *values)
{
	struct effective_rule found;
	int direction, condition;

	for (direction = 0; direction < DIR_ANY; direction++)
		for (condition = 0; condition < CONDITION_COUNT; condition++) {
			found = effective_rule(chain,
			    (enum direction)direction,
			    (enum condition)condition);
			if (found.rule == NULL || (found.from == NULL &&
			    found.rule->action == ACTION_PERMIT))
				continue;
			add_value(values, "posternDirectionRule", arena_printf(
			    rq->arena, "%s %s %s%s%s",
			    direction_words[direction],
			    condition_words[condition],
			    action_words[found.rule->action],
			    *found.rule->argument != '\0' ? " " : "",
			    found.rule->argument), found.from);
		}
}

static void
show_lines(const struct chain *chain, json_t *values)
{
	const struct policy *policy;
	size_t i, j;

	for (i = 0; i < chain->count; i++) {
		policy = policy_of(chain->layers[i]);
		for (j = 0; j < policy->line_count; j++)
			add_value(values, policy->lines[j].is_allow
			    ? "posternAllow" : "posternBlock",
			    policy->lines[j].value, chain->layers[i]);
	}
}

void
control_show(struct http_request *rq)
{
	json_t *json, *values = json_array();
	const struct layer *from = NULL;
	struct control_name named;
	const char *alert;
	int64_t value;
	int which;

	if (!control_find(rq, &named)) {
		json_decref(values);
		return;
	}
	for (which = 0; which < POLICY_VALUES; which++) {
		value = effective_value(&named.chain,
		    (enum policy_value)which, &from);
		add_value(values, policy_attribute((enum policy_value)which),
		    policy_value_text(rq->arena, (enum policy_value)which,
			value), from);
	}
	alert = effective_alert(&named.chain, &from);
	add_value(values, "posternAlert", alert != NULL ? alert : "",
	    alert != NULL ? from : NULL);
	show_limits(rq, &named.chain, values);
	show_rules(rq, &named.chain, values);
	show_lines(&named.chain, values);
	json = control_named(rq, &named);
	json_object_set_new(json, "values", values);
	control_answer(rq, json);
}

static json_t *
line_json(const struct list_line *line, const struct layer *from)
{
	int64_t now_ms = loop_now();
	time_t last = (time_t)(line->expires_ms / 1000) - 1;
	char expires[16] = "";
	struct tm utc;

	if (line->expires_ms != 0) {
		gmtime_r(&last, &utc);
		strftime(expires, sizeof(expires), "%Y-%m-%d", &utc);
	}
	return json_pack("{s:s, s:o, s:s, s:o, s:s, s:o, s:b, s:o}",
	    "list", line->is_allow ? "allow" : "block",
	    "value", json_text(line->value),
	    "kind", list_kind_words[line->kind],
	    "owner", json_text(line->owner), "expires", expires,
	    "note", json_text(line->note),
	    "expired", list_line_is_expired(line, now_ms),
	    "dn", json_text(from->dn));
}

static void
add_lines(void *list, const struct layer *layer)
{
	const struct policy *policy = policy_of(layer);
	size_t i;

	for (i = 0; i < policy->line_count; i++)
		json_array_append_new(list, line_json(&policy->lines[i],
		    layer));
}

void
control_exceptions(struct http_request *rq)
{
	struct snapshot *snapshot = directory_current(control_service->directory);
	json_t *list = json_array();

	if (snapshot != NULL)
		snapshot_each_layer(snapshot, add_lines, list);
	control_answer(rq, json_pack("{s:o}", "lines", list));
}
