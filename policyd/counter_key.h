/* SPDX-License-Identifier: ISC */
/* counter_key.h - names of counters: foreign text is hashed, never cut. */
#ifndef POLICYD_COUNTER_KEY_H
#define POLICYD_COUNTER_KEY_H

#include <stddef.h>

#include "policyd/counters.h"

/* 128 bits of a hash over all parts, each with its length before it, so that no
 * two lists of parts are the same bytes */
struct counter_key counter_key_of(const char *const *parts, size_t count);

/* The same for what this process alone remembers */
struct counter_key counter_key_own(const char *const *parts, size_t count);

/* Before the first key, where other hosts must find the same ones: SHA-256
 * from then on. Else they are this process' own. */
void counter_keys_share(void);

#endif
