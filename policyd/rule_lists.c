/* SPDX-License-Identifier: ISC */
/* rule_lists.c - posternAllow and posternBlock: allow lifts block, greylisting
 * and score, nothing else; block rejects. Internal mail obeys the recipient's
 * blocks, too. Pure. */
#include "policyd/lists.h"
#include "policyd/rule.h"

static void
block(const struct facts *facts, const struct list_hit *hit,
    struct decision *decision)
{
	struct verdict verdict = {
		.action = ACTION_REJECT, .dn = hit->from->dn,
		.rule = arena_printf(facts->arena, "block:%s",
		    list_kind_words[hit->line->kind]),
		.text = arena_printf(facts->arena, "%sblocked by policy (%s)",
		    rule_prefix(facts), list_kind_words[hit->line->kind]),
	};

	verdict_raise(&decision->verdict, &verdict);
}

void
rule_lists(const struct facts *facts, struct decision *decision)
{
	struct list_hit hit = lists_find(facts, &facts->chain);

	if (hit.line != NULL && hit.line->is_allow) {
		decision->is_allowed = true;
		decision->allowed_by = hit.line->value;
		decision->allowed_dn = hit.from->dn;
	} else if (hit.line != NULL) {
		block(facts, &hit, decision);
	}
	if (facts->direction != DIR_INTERNAL)
		return;
	hit = lists_find(facts, &facts->recipient_chain);
	if (hit.line != NULL && !hit.line->is_allow)
		block(facts, &hit, decision);
}
