/* SPDX-License-Identifier: ISC */
/* redis_script.h - what Redis runs for us, in Lua. */
#ifndef POLICYD_REDIS_SCRIPT_H
#define POLICYD_REDIS_SCRIPT_H

/* One question.
 * KEYS: the tenant's resets, each limit; record and promotion if greylisted.
 * ARGV: now in ms ("": Redis' own clock), "1" for a peek, number of limits;
 *   each limit: tag, window_ms, count, cost, "1" if it refuses;
 *   if greylisted: delay_ms, window_ms, pass_ms, promote.
 * Returns: charged, enum grey_answer, its wait_ms; each limit: used, exceeded,
 *   wait_ms. Limits are missing where greylisting does not let pass. */
extern const char redis_script_ask[];

/* KEYS: the tenant's resets. ARGV: now, tag ("0": all limits) */
extern const char redis_script_reset[];

#endif
