/* SPDX-License-Identifier: ISC */
/* lists.c - allow and block lines along a chain: the nearest scope decides.
 * Pure. */
#include "policyd/lists.h"

#include "policyd/policy.h"

static struct list_subject
subject_of(const struct facts *facts)
{
	return (struct list_subject){
		.sender = &facts->sender,
		.recipient = &facts->recipient,
		.client = facts->client,
		.client_name = facts->attrs->client_name,
		.helo = facts->attrs->helo_name,
		.direction = facts->direction,
		.now_ms = facts->now_ms,
	};
}

/* allow beats block, then the first */
static const struct list_line *
scope_find(const struct policy *policy, const struct list_subject *subject)
{
	const struct list_line *line, *found = NULL;
	size_t i;

	for (i = 0; i < policy->line_count; i++) {
		line = &policy->lines[i];
		if (!list_line_matches(line, subject))
			continue;
		if (line->is_allow)
			return line;
		if (found == NULL)
			found = line;
	}
	return found;
}

struct list_hit
lists_find(const struct facts *facts, const struct chain *chain)
{
	struct list_subject subject = subject_of(facts);
	const struct list_line *line;
	size_t i;

	for (i = 0; i < chain->count; i++) {
		line = scope_find(policy_of(chain->layers[i]), &subject);
		if (line != NULL)
			return (struct list_hit){ line, chain->layers[i] };
	}
	return (struct list_hit){ NULL, NULL };
}

bool
lists_allow_client(const struct facts *facts, const struct tenant *tenant)
{
	struct list_subject subject = subject_of(facts);
	const struct policy *policy;
	struct chain chain;
	size_t i, j;

	chain_of(facts->snapshot, tenant, NULL, &chain);
	for (i = 0; i < chain.count; i++) {
		policy = policy_of(chain.layers[i]);
		for (j = 0; j < policy->line_count; j++)
			if (policy->lines[j].kind == LIST_CLIENT &&
			    policy->lines[j].is_allow &&
			    list_line_matches(&policy->lines[j], &subject))
				return true;
	}
	return false;
}
