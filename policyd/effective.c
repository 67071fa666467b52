/* SPDX-License-Identifier: ISC */
/* effective.c - inheritance: mailbox, tenant, its templates, global, built in.
 * Walks the chain at each question, so that a changed template costs nothing
 * but its own entry. Pure. */
#include "policyd/effective.h"

#include <string.h>

#define MINUTE_MS 60000LL
#define DAY_MS 86400000LL

static const int64_t built_in[POLICY_VALUES] = {
	[POLICY_STATUS] = STATUS_ACTIVE,
	[POLICY_GREYLIST] = GREYLIST_OFF,
	[POLICY_GREYLIST_DELAY] = 5 * MINUTE_MS,
	[POLICY_GREYLIST_WINDOW] = 2 * DAY_MS,
	[POLICY_GREYLIST_PASS] = 35 * DAY_MS,
	[POLICY_GREYLIST_PROMOTE] = 3,
	[POLICY_GREYLIST_THRESHOLD] = POLICY_UNSET,
	[POLICY_QUARANTINE_THRESHOLD] = POLICY_UNSET,
	[POLICY_REJECT_THRESHOLD] = POLICY_UNSET,
};

/* From the layer at on, the first that says it */
static int64_t
inherited(const struct chain *chain, size_t at, enum policy_value which,
    const struct layer **from)
{
	int64_t value;

	for (; at < chain->count; at++) {
		value = policy_of(chain->layers[at])->values[which];
		if (value != POLICY_UNSET) {
			*from = chain->layers[at];
			return value;
		}
	}
	*from = NULL;
	return built_in[which];
}

int64_t
effective_value(const struct chain *chain, enum policy_value which,
    const struct layer **from)
{
	const struct layer *near, *outer;
	int64_t value = inherited(chain, 0, which, &near), tenants;

	if (which == POLICY_STATUS && chain->count > 0 &&
	    chain->layers[0]->kind == LAYER_MAILBOX) {
		tenants = inherited(chain, 1, which, &outer);
		if (tenants > value) {
			value = tenants;
			near = outer;
		}
	}
	if (from != NULL)
		*from = near;
	return value;
}

const char *
effective_alert(const struct chain *chain, const struct layer **from)
{
	size_t i;

	for (i = 0; i < chain->count; i++)
		if (policy_of(chain->layers[i])->alert != NULL) {
			if (from != NULL)
				*from = chain->layers[i];
			return policy_of(chain->layers[i])->alert;
		}
	return NULL;
}

static const struct limit *
limit_named(const struct layer *layer, const char *name)
{
	const struct policy *policy = policy_of(layer);
	size_t i;

	for (i = 0; i < policy->limit_count; i++)
		if (strcmp(policy->limits[i].name, name) == 0)
			return &policy->limits[i];
	return NULL;
}

/* Does a layer nearer than chain->layers[at] decide about this name? The
 * mailbox's word does not count where the limit is the whole tenant's. */
static bool
is_replaced(const struct chain *chain, size_t at, const struct limit *limit)
{
	size_t i;

	for (i = 0; i < at; i++) {
		if (chain->layers[i]->kind == LAYER_MAILBOX &&
		    limit->subject == SUBJECT_DOMAIN && !limit->is_off)
			continue;
		if (limit_named(chain->layers[i], limit->name) != NULL)
			return true;
	}
	return false;
}

/* A mailbox's limit of a name that further out is a limit of the tenant */
static bool
is_overruled(const struct chain *chain, size_t at, const struct limit *limit)
{
	const struct limit *outer;
	size_t i;

	if (chain->layers[at]->kind != LAYER_MAILBOX)
		return false;
	for (i = at + 1; i < chain->count; i++)
		if ((outer = limit_named(chain->layers[i], limit->name)) != NULL)
			return !outer->is_off &&
			    outer->subject == SUBJECT_DOMAIN;
	return false;
}

size_t
effective_limits(struct arena *arena, const struct chain *chain,
    struct effective_limit **out)
{
	const struct policy *policy;
	const struct limit *limit;
	size_t i, j, n = 0, room = 0;

	for (i = 0; i < chain->count; i++)
		room += policy_of(chain->layers[i])->limit_count;
	*out = arena_alloc(arena, (room + 1) * sizeof(**out));
	for (i = 0; i < chain->count; i++) {
		policy = policy_of(chain->layers[i]);
		for (j = 0; j < policy->limit_count; j++) {
			limit = &policy->limits[j];
			if (limit->is_off || is_replaced(chain, i, limit) ||
			    is_overruled(chain, i, limit))
				continue;
			(*out)[n++] = (struct effective_limit){ limit,
			    chain->layers[i] };
		}
	}
	return n;
}

bool
limit_applies(const struct effective_limit *all, size_t count,
    const struct limit *limit, enum direction mail)
{
	size_t i;

	if (!direction_applies(limit->direction, mail))
		return false;
	if (limit->direction != DIR_OUTBOUND || mail != DIR_INTERNAL)
		return true;
	for (i = 0; i < count; i++)
		if (all[i].limit->direction == DIR_INTERNAL &&
		    all[i].limit->subject == limit->subject &&
		    all[i].limit->unit == limit->unit)
			return false;
	return true;
}

/* How closely a rule's direction fits the mail's: 0 not at all */
static int
closeness(enum direction written, enum direction mail)
{
	if (!direction_applies(written, mail))
		return 0;
	return written == mail ? 3 : written == DIR_ANY ? 1 : 2;
}

static const struct direction_rule *
closest(const struct direction_rule *rules, size_t count, enum direction mail,
    enum condition condition)
{
	const struct direction_rule *best = NULL;
	int fit, best_fit = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		if (rules[i].condition != condition)
			continue;
		fit = closeness(rules[i].direction, mail);
		if (fit > best_fit) {
			best_fit = fit;
			best = &rules[i];
		}
	}
	return best;
}

static struct effective_rule
harsher(struct effective_rule any, struct effective_rule named)
{
	if (any.rule == NULL || (named.rule != NULL &&
	    named.rule->action >= any.rule->action))
		return named;
	return any;
}

/* The nearest, but what is written for any direction only adds to what names
 * this one: "any any warn" must not open the door for relaying */
struct effective_rule
effective_rule(const struct chain *chain, enum direction mail,
    enum condition condition)
{
	struct effective_rule any = { NULL, NULL }, here;
	const struct policy *policy;
	size_t i;

	for (i = 0; i < chain->count; i++) {
		here.from = chain->layers[i];
		policy = policy_of(here.from);
		here.rule = closest(policy->rules, policy->rule_count, mail,
		    condition);
		if (here.rule == NULL)
			continue;
		if (here.rule->direction != DIR_ANY)
			return harsher(any, here);
		if (any.rule == NULL)
			any = here;
	}
	here.from = NULL;
	here.rule = closest(direction_rules_built_in,
	    direction_rules_built_in_count, mail, condition);
	return harsher(any, here);
}
