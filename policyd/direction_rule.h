/* SPDX-License-Identifier: ISC */
/* direction_rule.h - posternDirectionRule: DIRECTION CONDITION ACTION
 * [ARGUMENT]: one value, read; and the rules that are built in. */
#ifndef POLICYD_DIRECTION_RULE_H
#define POLICYD_DIRECTION_RULE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"
#include "policyd/words.h"

enum condition {
	COND_OWN_SENDER,
	COND_FOREIGN_SENDER,
	COND_OTHER_MAILBOX,
	COND_NO_TLS,
	COND_NO_LOGIN,
	COND_NO_RDNS,
	COND_BAD_HELO,
	COND_NULL_SENDER,
	COND_ANY
};
#define CONDITION_COUNT (COND_ANY + 1)
extern const char *const condition_words[];

struct direction_rule {
	enum direction direction;
	enum condition condition;
	enum action action;
	const char *argument;	/* filter, redirect, prepend; else "" */
	bool is_twice;		/* policy.c's own */
};

/* Behind everything that is written */
extern const struct direction_rule direction_rules_built_in[];
extern const size_t direction_rules_built_in_count;

int direction_rule_parse(struct arena *arena, const char *value,
    struct direction_rule *out, const char **why);

#endif
