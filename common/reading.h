/* SPDX-License-Identifier: ISC */
/* reading.h - the layers of one reading of the directory, the eldest first,
 * and what serves where an entry has become bad: its last good form. */
#ifndef COMMON_READING_H
#define COMMON_READING_H

#include <stddef.h>

#include "common/arena.h"
#include "common/entry.h"
#include "common/findings.h"
#include "common/layer.h"
#include "common/template.h"

struct reading;

/* previous, NULL for none, must live until reading_settle() and
 * templates_link() have returned; arena and findings as long as the reading */
struct reading *reading_new(struct arena *arena,
    const struct reading *previous, layer_parser *parse,
    struct findings *findings);
void reading_free(struct reading *reading);	/* releases all layers */

/* The entry may go afterwards. Each DN once. */
void reading_take(struct reading *reading, const struct entry *entry);
/* After the last entry, and before any of what follows */
void reading_settle(struct reading *reading);

/* In order of seniority: older createTimestamp, then smaller DN; without one,
 * the first in the file. NULL ends. */
struct layer *reading_at(const struct reading *reading, size_t at);
/* By normalised DN */
struct layer *reading_find(const struct reading *reading, const char *key);
struct templates *reading_templates(const struct reading *reading);

#endif
