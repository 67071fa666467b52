/* SPDX-License-Identifier: ISC */
/* effective.h - the values in force for a mailbox or a tenant, and the entry
 * that each comes from: nearest first along the chain, then what is built in. */
#ifndef POLICYD_EFFECTIVE_H
#define POLICYD_EFFECTIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/snapshot.h"
#include "policyd/direction_rule.h"
#include "policyd/limit.h"
#include "policyd/policy.h"
#include "policyd/words.h"

/* In *from the layer that says it, NULL: built in; from itself may be NULL.
 * The status is the strictest of mailbox and tenant. */
int64_t effective_value(const struct chain *chain, enum policy_value which,
    const struct layer **from);
/* posternAlert, or NULL */
const char *effective_alert(const struct chain *chain,
    const struct layer **from);

struct effective_limit {
	const struct limit *limit;
	const struct layer *from;
};

/* The nearest of each name, but for those turned off. A mailbox cannot change
 * a limit of the whole tenant. Returns how many; *out is in the arena. */
size_t effective_limits(struct arena *arena, const struct chain *chain,
    struct effective_limit **out);

/* Of those, does this one count mail of that direction? outbound counts
 * internal mail too, unless another one in force names internal for the same
 * subject and unit. */
bool limit_applies(const struct effective_limit *all, size_t count,
    const struct limit *limit, enum direction mail);

struct effective_rule {
	const struct direction_rule *rule;	/* NULL: permit */
	const struct layer *from;	/* NULL: built in */
};

/* The rule of the nearest entry that names the condition; within one entry
 * the exact direction, then outbound for internal mail, then any. One for any
 * does not replace a harsher one further out that names the direction. */
struct effective_rule effective_rule(const struct chain *chain,
    enum direction mail, enum condition condition);

#endif
