/* SPDX-License-Identifier: ISC */
/* limit.h - posternRateLimit: NAME DIRECTION SUBJECT UNIT COUNT/WINDOW
 * [ACTION], or NAME off: one value, read and written. */
#ifndef POLICYD_LIMIT_H
#define POLICYD_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "policyd/words.h"

struct limit {
	const char *name;	/* lower case */
	const char *identity;	/* what its counters are named by: all but
				 * COUNT and ACTION; "" with off */
	bool is_off;		/* takes an inherited limit away */
	bool is_twice;		/* policy.c's own */
	enum direction direction;
	enum subject subject;
	enum unit unit;
	uint64_t count;
	int64_t window_ms;	/* 0: a cap on one message */
	enum action action;	/* defer, reject, hold, warn */
};

/* One value; texts are copied to the arena. 0, or -1 and *why. */
int limit_parse(struct arena *arena, const char *value, struct limit *out,
    const char **why);

/* "50 recipients per 1h", "100 recipients per message" */
const char *limit_text(struct arena *arena, const struct limit *limit);

/* As in the directory: "hourly outbound mailbox recipients 50/1h defer" */
const char *limit_value_text(struct arena *arena, const struct limit *limit);

#endif
