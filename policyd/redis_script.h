/* SPDX-License-Identifier: ISC */
/* redis_script.h - what Redis runs for us, in Lua, and how it is given
 * numbers. */
#ifndef POLICYD_REDIS_SCRIPT_H
#define POLICYD_REDIS_SCRIPT_H

#include <stdint.h>

#define REDIS_NUMBER 8	/* bytes */
#define REDIS_NUMBER_MAX (INT64_C(1) << 53)	/* up to there it is exact */

/* One question (redis_ask.lua).
 * KEYS: the tenant's resets, each limit; record and promotion if greylisted.
 * ARGV[1], numbers: now in ms (0: Redis' own clock), 1 for a peek, how many
 *   limits; each limit: window_ms, count less cost, cost, 1 if it refuses, tag.
 * ARGV[2] if greylisted, numbers: delay_ms, window_ms, pass_ms, promote.
 * Returns 1 where all is charged and nothing exceeded: nearly always. Else
 *   integers: 1 if it was charged; then by three, where greylisting does not
 *   let pass: 0, enum grey_answer, wait_ms; or for each limit that is exceeded,
 *   and for all of a peek: which one from 1, used, wait_ms (-1: it is not
 *   exceeded). */
extern const char redis_script_ask[];

/* A reset by limit (redis_reset.lua).
 * KEYS: the tenant's resets. ARGV[1], numbers: now, tag (0: all limits) */
extern const char redis_script_reset[];

/* For struct.unpack('<d'): a double, its lowest byte first */
void redis_number(int64_t number, uint8_t out[static REDIS_NUMBER]);

#endif
