/* SPDX-License-Identifier: ISC */
/* rules.h - the rules that need no counter, in their order. */
#ifndef POLICYD_RULES_H
#define POLICYD_RULES_H

#include "policyd/rule.h"

struct rule_row {
	const char *name;
	void (*decide)(const struct facts *facts, struct decision *decision);
};
extern const struct rule_row rule_rows[];	/* ends with a NULL name */

/* Until the first that refuses. Pure. */
void rules_decide(const struct facts *facts, struct decision *decision);

#endif
