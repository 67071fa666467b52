/* SPDX-License-Identifier: ISC */
/* advice.c - policyctl check's second half: looks at every entry for what
 * needs something that is not there. Changes nothing. */
#include "policyd/advice.h"

#include <stddef.h>

#include "common/loop.h"
#include "policyd/policy.h"

/* What entries want of Postfix; each is told once, with its first entry */
struct wants {
	const struct layer *data, *end, *score;
};

struct advice {
	struct wants wants;
	struct findings *out;
};

static bool
is_inbound(enum direction direction)
{
	return direction_applies(direction, DIR_INBOUND);
}

static void
note_expired(const struct layer *layer, struct findings *out)
{
	const struct policy *policy = policy_of(layer);
	const struct list_line *line;
	size_t i;

	for (i = 0; i < policy->line_count; i++) {
		line = &policy->lines[i];
		if (list_line_is_expired(line, loop_now()))
			findings_add(out, FINDING_NOTE, layer->dn,
			    line->is_allow ? "posternAllow" : "posternBlock",
			    line->value, "expired: it does nothing any more");
	}
}

static void
look_at(void *arg, const struct layer *layer)
{
	const struct policy *policy = policy_of(layer);
	struct advice *advice = arg;
	struct wants *wants = &advice->wants;
	size_t i;

	for (i = 0; i < policy->rule_count; i++)
		if (is_inbound(policy->rules[i].direction) &&
		    action_is_whole_message(policy->rules[i].action))
			wants->data = layer;
	for (i = 0; i < policy->limit_count; i++) {
		if (policy->limits[i].is_off)
			continue;
		if (is_inbound(policy->limits[i].direction) &&
		    policy->limits[i].action == ACTION_HOLD)
			wants->data = layer;
		if (policy->limits[i].unit == UNIT_BYTES)
			wants->end = layer;
	}
	if (policy->values[POLICY_GREYLIST] == GREYLIST_SCORE)
		wants->score = layer;
	note_expired(layer, advice->out);
}

static void
note_hooks(const struct service *service, const struct wants *wants,
    struct findings *out)
{
	const char *counters;

	if (wants->score != NULL)
		findings_add(out, FINDING_NOTE, wants->score->dn,
		    "posternGreylist", "score", "there is no score yet: this "
		    "greylists nobody");
	if (service == NULL)
		return;
	if ((counters = service->counters->ops->advice(service->counters)) !=
	    NULL)
		findings_add(out, FINDING_NOTE, "", "counters.uri",
		    service->counters->name, "%s", counters);
	if (wants->data != NULL && !service->has_seen_data)
		findings_add(out, FINDING_NOTE, wants->data->dn, "", "",
		    "holds, filters, redirects or prepends to inbound mail: "
		    "that is done at DATA, but Postfix has not asked there "
		    "since we started; smtpd_data_restrictions must ask us");
	if (wants->end != NULL && !service->has_seen_end)
		findings_add(out, FINDING_NOTE, wants->end->dn, "", "",
		    "limits bytes: without check_policy_service in "
		    "smtpd_end_of_data_restrictions the size is only what "
		    "the client claims, and the limit is advisory");
	if (service->conf->charge_at == CHARGE_AT_END_OF_MESSAGE &&
	    !service->has_seen_end)
		findings_add(out, FINDING_NOTE, "", "charge_at",
		    "end-of-message", "Postfix has not asked there since we "
		    "started; smtpd_end_of_data_restrictions must ask us, or "
		    "no outbound mail is counted");
}

void
advice_find(const struct service *service, const struct snapshot *snapshot,
    struct findings *out)
{
	struct advice advice = { .out = out };

	if (snapshot == NULL)
		return;
	snapshot_each_layer(snapshot, look_at, &advice);
	note_hooks(service, &advice.wants, out);
}
