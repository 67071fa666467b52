/* SPDX-License-Identifier: ISC */
/* window.h - the sliding window of DESIGN section 3, as arithmetic alone: 17
 * slots of a sixteenth of the window each. In any half-open interval of one
 * WINDOW at most COUNT pass; nothing is refused unless what passed in the
 * last WINDOW x 17/16 plus the request exceeds COUNT. Pure: time is an
 * argument. All zero is an empty window. */
#ifndef POLICYD_WINDOW_H
#define POLICYD_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#define WINDOW_SLOTS 17

struct window {
	int64_t newest;		/* slot: floor(now_ms x 16 / window_ms) */
	uint64_t units[WINDOW_SLOTS];	/* by slot number mod 17 */
};

/* Bring w up to now (never backwards: now = max(clock, newest slot)). True
 * where the record lay more than one WINDOW ahead of the clock and was
 * dropped: the caller logs it. */
bool window_advance(struct window *w, int64_t now_ms, int64_t window_ms);

/* After window_advance(): the units of the 17 slots */
uint64_t window_used(const struct window *w);
/* Saturates instead of wrapping */
void window_charge(struct window *w, uint64_t units);
/* How long until cost fits under count, all else being quiet; 0 where it
 * never will (cost > count) or fits now. */
int64_t window_wait_ms(const struct window *w, int64_t now_ms,
    int64_t window_ms, uint64_t count, uint64_t cost);
/* When the last unit will have left */
int64_t window_end_ms(const struct window *w, int64_t window_ms);

#endif
