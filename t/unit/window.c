/* SPDX-License-Identifier: ISC */
/* window.c - the arithmetic of the sliding window, slot by slot. */
#include "policyd/window.h"

#include "t/unit/tap.h"

#define MINUTE 60000
#define HOUR (60 * MINUTE)
#define T0 ((int64_t)500000 * HOUR)	/* begins a slot of every window here */

/* Charge units at one moment, then look at another */
static const struct {
	const char *name;
	int64_t window_ms, charge_ms, look_ms;
	uint64_t used;
} slides[] = {
	{ "a charge counts at once", HOUR, 0, 0, 7 },
	{ "a charge counts until its window is over", HOUR, 0, HOUR - 1, 7 },
	{ "a charge at a slot's begin counts for 17 slots",
	  HOUR, 0, HOUR + HOUR / 16 - 1, 7 },
	{ "after 17 slots a charge is gone", HOUR, 0, HOUR + HOUR / 16, 0 },
	{ "a charge at a slot's end counts its whole window",
	  HOUR, HOUR / 16 - 1, HOUR + HOUR / 16 - 1, 7 },
	{ "a charge at a slot's end is gone 1 ms after its window",
	  HOUR, HOUR / 16 - 1, HOUR + HOUR / 16, 0 },
	{ "a long silence empties the window", HOUR, 0, 1000 * (int64_t)HOUR,
	  0 },
	{ "a slot may begin between two milliseconds", 1000, 0, 1062, 7 },
	{ "such a slot ends with the next whole one", 1000, 0, 1063, 0 },
	{ "a window of 1 ms is kept for 1 ms", 1, 0, 1, 7 },
	{ "a window of 1 ms is empty after 2 ms", 1, 0, 2, 0 },
	{ "a clock that goes back takes nothing away", HOUR, 0, -MINUTE, 7 },
	{ "a record one window ahead of the clock counts", HOUR, 0, -HOUR, 7 },
	{ "a record further ahead is dropped", HOUR, 0, -HOUR - 1, 0 },
};

static void
test_slides(void)
{
	for (size_t i = 0; i < sizeof(slides) / sizeof(slides[0]); i++) {
		struct window w = { 0 };

		window_advance(&w, T0 + slides[i].charge_ms,
		    slides[i].window_ms);
		window_charge(&w, 7);
		window_advance(&w, T0 + slides[i].look_ms,
		    slides[i].window_ms);
		tap_int(window_used(&w), slides[i].used, slides[i].name);
	}
}

/* 10 units at T0, 20 at + 30 min, 40 at + 60 min, asked at + 62 min */
static const struct {
	const char *name;
	uint64_t count, cost;
	int64_t wait_ms;
} waits[] = {
	{ "what fits waits for nothing", 71, 1, 0 },
	{ "what can never fit has no time to come", 70, 71, 0 },
	{ "one more than fits waits for the oldest slot to leave", 70, 1,
	  HOUR + HOUR / 16 - 62 * MINUTE },
	{ "the oldest slot makes room for all its units", 70, 10,
	  HOUR + HOUR / 16 - 62 * MINUTE },
	{ "one more than that waits for the second", 70, 11,
	  30 * MINUTE + HOUR + HOUR / 16 - 62 * MINUTE },
	{ "the whole count waits until all is gone", 70, 70,
	  HOUR + HOUR + HOUR / 16 - 62 * MINUTE },
	{ "a count that was made smaller waits longer", 39, 0,
	  HOUR + HOUR + HOUR / 16 - 62 * MINUTE },
};

static void
test_waits(void)
{
	struct window w = { 0 };

	window_advance(&w, T0, HOUR);
	window_charge(&w, 10);
	window_advance(&w, T0 + 30 * MINUTE, HOUR);
	window_charge(&w, 20);
	window_advance(&w, T0 + HOUR, HOUR);
	window_charge(&w, 40);
	window_advance(&w, T0 + 62 * MINUTE, HOUR);
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++)
		tap_int(window_wait_ms(&w, T0 + 62 * MINUTE, HOUR,
		    waits[i].count, waits[i].cost), waits[i].wait_ms,
		    waits[i].name);
	tap_int(window_end_ms(&w, HOUR), T0 + HOUR + HOUR + HOUR / 16,
	    "a window ends when its last charge leaves");
}

static void
test_edges(void)
{
	struct window w = { 0 };

	tap_ok(!window_advance(&w, T0, HOUR),
	    "an empty window is not ahead of anything");
	window_charge(&w, UINT64_MAX);
	window_charge(&w, 1);
	tap_ok(window_used(&w) == UINT64_MAX, "a slot does not wrap");
	window_advance(&w, T0 + HOUR / 2, HOUR);
	window_charge(&w, UINT64_MAX);
	tap_ok(window_used(&w) == UINT64_MAX, "the sum does not wrap");
	tap_int(window_wait_ms(&w, T0 + HOUR / 2, HOUR, UINT64_MAX, 1),
	    HOUR + HOUR / 16, "the wait is right though the sum is full");
	tap_ok(!window_advance(&w, T0 - HOUR / 2, HOUR),
	    "one window ahead is not said to be dropped");
	tap_ok(window_advance(&w, T0 - HOUR / 2 - 1, HOUR),
	    "more than one window ahead is said to be dropped");
	tap_ok(!window_advance(&w, T0 - HOUR / 2 - 1, HOUR),
	    "what was dropped starts again at the clock");
}

int
main(void)
{
	test_slides();
	test_waits();
	test_edges();
	return tap_done();
}
