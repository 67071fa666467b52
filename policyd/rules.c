/* SPDX-License-Identifier: ISC */
/* rules.c - DESIGN section 3's order: status, direction rules, lists; the
 * first refusal ends it. Greylisting and limits follow, in one question to
 * the counters: rule_greylist.c, rule_limits.c. */
#include "policyd/rules.h"

#include <stddef.h>

const struct rule_row rule_rows[] = {
	{ "status", rule_status },
	{ "direction", rule_direction },
	{ "lists", rule_lists },
	{ NULL, NULL },
};

const char *
rule_prefix(const struct facts *facts)
{
	return facts->account == NULL ? ""
	    : arena_printf(facts->arena, "%s: ", facts->account_id);
}

void
rules_decide(const struct facts *facts, struct decision *decision)
{
	const struct rule_row *row;

	for (row = rule_rows; row->name != NULL; row++) {
		row->decide(facts, decision);
		if (action_is_refusal(decision->verdict.action))
			return;
	}
}
