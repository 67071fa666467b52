/* SPDX-License-Identifier: ISC */
/* redis_key.h - the names of keys in Redis: "postern:{TENANT}:" and what is
 * kept for it. The braces keep a tenant's keys on one node of a cluster. */
#ifndef POLICYD_REDIS_KEY_H
#define POLICYD_REDIS_KEY_H

#include "policyd/counters.h"

#define REDIS_KEY_MAX 128	/* with its NUL */

/* key NULL: the tenant's resets */
void redis_key(const char *tenant, const struct counter_key *key,
    char out[static REDIS_KEY_MAX]);

#endif
