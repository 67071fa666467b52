/* SPDX-License-Identifier: ISC */
/* update.h - how a snapshot becomes the next one: by entries that are new, are
 * others now, or have gone. It costs what has changed. */
#ifndef COMMON_UPDATE_H
#define COMMON_UPDATE_H

#include <stdbool.h>

#include "common/entry.h"
#include "common/findings.h"
#include "common/layer.h"
#include "common/snapshot.h"

struct update;

/* previous is NULL, or held by the caller until the update has ended. What is
 * wrong, but with no entry, is added to findings, which the update owns.
 * Updates of one row of snapshots come one after another. */
struct update *update_new(const struct snapshot *previous,
    layer_parser *parse, struct findings *findings);

/* update is a struct update: this is what ldif_read() calls. The entry may go
 * afterwards. Each DN once. */
void update_take(void *update, const struct entry *entry);
/* There is no such entry any more; key is its normalised DN */
void update_gone(void *update, const char *key);

/* The next snapshot, held for the caller. is_whole: what was not taken has
 * gone. Ends the update. */
struct snapshot *update_settle(struct update *update, bool is_whole);
void update_drop(struct update *update);	/* ends it without one */

#endif
