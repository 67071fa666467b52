/* SPDX-License-Identifier: ISC */
/* reading.h - the source, read again and again, and what of it may come into
 * force. For one thread. */
#ifndef COMMON_READING_H
#define COMMON_READING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/layer.h"
#include "common/snapshot.h"
#include "common/source.h"

struct directory_status {
	int64_t adopted_ms;	/* when the snapshot in force came, 0 never */
	uint64_t reads;		/* attempts, and how many of them failed */
	uint64_t failures;
	bool is_held;		/* the last reading would remove too much */
	size_t held_removed;	/* tenants it would remove, of held_total */
	size_t held_total;
	char problem[256];	/* why the last attempt failed, or "" */
	int64_t state_ms;	/* what is in force is from the state file as
				 * it was written then; 0: it is not */
	char state_problem[256]; /* why that could not be written, or "" */
};

struct reading;

/* 0; or -1 and *why (of this thread, until the next call) where the URI is not
 * one we know, or does not go with the other settings */
int reading_check(const struct source_settings *settings, const char **why);

/* The settings, which have passed that check, and must_stop outlive it */
struct reading *reading_new(const struct source_settings *settings,
    layer_parser *parse, const atomic_bool *must_stop);
void reading_free(struct reading *reading);	/* NULL is fine */

/* Is it time to read, and until when need nobody ask? See source.h. */
bool reading_is_due(struct reading *reading);
int reading_wait_ms(struct reading *reading);
int reading_wait_fd(struct reading *reading);

/* What the state file says, as reading_attempt(), before which it is called
 * where there is to be such a file */
struct snapshot *reading_start(struct reading *reading);

/* Reads. is_asked: also where nothing seems to have changed; is_accepted: and
 * takes it, however much it removes. The snapshot to come into force, held for
 * the caller; or NULL, and the status says why. */
struct snapshot *reading_attempt(struct reading *reading, bool is_asked,
    bool is_accepted);
/* The first and only reading: whatever it says. NULL and *why (while the
 * reading lives) where it failed. */
struct snapshot *reading_once(struct reading *reading, const char **why);
/* All but adopted_ms */
const struct directory_status *reading_status(const struct reading *reading);

/* A reading that removes so many of total tenants is not adopted by itself: a
 * broken ACL, a wrong base, a wiped server look like this */
bool reading_is_wreck(size_t removed, size_t total);

/* Each snapshot that came into force is kept until nobody else holds it: then
 * it is this thread that pays for its freeing, here. And writes the state file,
 * if it is time for that, or this is the last call. */
void reading_tidy(struct reading *reading, bool is_last);

#endif
