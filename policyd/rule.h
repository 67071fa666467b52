/* SPDX-License-Identifier: ISC */
/* rule.h - what every rule has: it looks at the facts and may raise the
 * decision. A rule is one file rule_NAME.c, one line here and one row in
 * rules.c. */
#ifndef POLICYD_RULE_H
#define POLICYD_RULE_H

#include <stdbool.h>

#include "policyd/facts.h"
#include "policyd/verdict.h"

struct decision {
	struct verdict verdict;
	bool is_allowed;	/* an allow line lifts greylisting (and score) */
	const char *allowed_by;	/* the line, for explain; NULL none */
	const char *allowed_dn;
};

/* A tenant's name for people, at the start of a text: "client1.example: " */
const char *rule_prefix(const struct facts *facts);

void rule_status(const struct facts *facts, struct decision *decision);
void rule_direction(const struct facts *facts, struct decision *decision);
void rule_lists(const struct facts *facts, struct decision *decision);

#endif
