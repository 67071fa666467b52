/* SPDX-License-Identifier: ISC */
/* counter_key.h - names of counters: foreign text is hashed, never cut. */
#ifndef POLICYD_COUNTER_KEY_H
#define POLICYD_COUNTER_KEY_H

#include <stddef.h>

#include "policyd/counters.h"

/* SHA-256 over all parts, each with its length before it, so that no two
 * lists of parts are the same bytes; cut to 128 bits */
struct counter_key counter_key_of(const char *const *parts, size_t count);

#endif
