/* SPDX-License-Identifier: ISC */
/* rule_status.c - suspended and disabled tenants and mailboxes: what they send
 * is deferred or rejected; what is addressed to the disabled is rejected.
 * Pure. */
#include "policyd/effective.h"
#include "policyd/rule.h"

static void
status_raise(const struct facts *facts, struct decision *decision,
    enum action action, const struct layer *from, const char *text)
{
	struct verdict verdict = {
		.action = action, .rule = "status",
		.dn = from != NULL ? from->dn : "",
		.text = arena_printf(facts->arena, "%s%s",
		    rule_prefix(facts), text),
	};

	verdict_raise(&decision->verdict, &verdict);
}

static void
sender_status(const struct facts *facts, struct decision *decision)
{
	const struct layer *from;
	int64_t status = effective_value(&facts->chain, POLICY_STATUS, &from);

	if (status == STATUS_SUSPENDED)
		status_raise(facts, decision, ACTION_DEFER, from,
		    "sending is suspended");
	if (status == STATUS_DISABLED)
		status_raise(facts, decision, ACTION_REJECT, from,
		    "sending is disabled");
}

static void
recipient_status(const struct facts *facts, const struct chain *chain,
    struct decision *decision)
{
	const struct layer *from;

	if (effective_value(chain, POLICY_STATUS, &from) == STATUS_DISABLED)
		status_raise(facts, decision, ACTION_REJECT, from,
		    "the recipient is disabled");
}

void
rule_status(const struct facts *facts, struct decision *decision)
{
	switch (facts->direction) {
	case DIR_INTERNAL:
		recipient_status(facts, &facts->recipient_chain, decision);
		/* FALLTHROUGH */
	case DIR_OUTBOUND:
		sender_status(facts, decision);
		break;
	case DIR_INBOUND:
		recipient_status(facts, &facts->chain, decision);
		break;
	default:
		break;
	}
}
