/* SPDX-License-Identifier: ISC */
/* window.c - how much of a limit is used, and when will there be room?
 * Two moments less than one WINDOW apart are at most 16 slots apart, so the
 * 17 newest slots hold all that passed in the last WINDOW; and the oldest of
 * them begins less than WINDOW x 17/16 ago. Both promises follow from this.
 * Never reads a clock, never keeps an event. Next: counters_memory.c. */
#include "policyd/window.h"

#include <string.h>

static uint64_t
add_saturated(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static int64_t
slot_at(int64_t now_ms, int64_t window_ms)
{
	return now_ms * (WINDOW_SLOTS - 1) / window_ms;
}

/* Rounded up: a slot may begin between two milliseconds */
static int64_t
slot_begin_ms(int64_t slot, int64_t window_ms)
{
	return (slot * window_ms + WINDOW_SLOTS - 2) / (WINDOW_SLOTS - 1);
}

bool
window_advance(struct window *w, int64_t now_ms, int64_t window_ms)
{
	int64_t slot = slot_at(now_ms, window_ms);
	bool is_ahead = w->newest - slot > WINDOW_SLOTS - 1;

	if (is_ahead || slot - w->newest >= WINDOW_SLOTS) {
		memset(w, 0, sizeof(*w));
		w->newest = slot;
	}
	while (w->newest < slot)
		w->units[++w->newest % WINDOW_SLOTS] = 0;
	return is_ahead;
}

uint64_t
window_used(const struct window *w)
{
	uint64_t used = 0;

	for (int i = 0; i < WINDOW_SLOTS; i++)
		used = add_saturated(used, w->units[i]);
	return used;
}

void
window_charge(struct window *w, uint64_t units)
{
	uint64_t *newest = &w->units[w->newest % WINDOW_SLOTS];

	*newest = add_saturated(*newest, units);
}

int64_t
window_wait_ms(const struct window *w, int64_t now_ms, int64_t window_ms,
    uint64_t count, uint64_t cost)
{
	uint64_t sum = 0;

	if (cost > count)
		return 0;
	/* from the newest slot back: the first that is too much has to leave */
	for (int age = 0; age < WINDOW_SLOTS; age++) {
		int i = (w->newest + WINDOW_SLOTS - age) % WINDOW_SLOTS;

		sum = add_saturated(sum, w->units[i]);
		if (sum > count - cost)
			return slot_begin_ms(w->newest - age + WINDOW_SLOTS,
			    window_ms) - now_ms;
	}
	return 0;
}

int64_t
window_end_ms(const struct window *w, int64_t window_ms)
{
	return slot_begin_ms(w->newest + WINDOW_SLOTS, window_ms);
}
