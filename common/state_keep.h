/* SPDX-License-Identifier: ISC */
/* state_keep.h - when the state file is written, and what is said where it
 * cannot be. For the directory's thread. */
#ifndef COMMON_STATE_KEEP_H
#define COMMON_STATE_KEEP_H

#include "common/source.h"

struct state_keep;

/* NULL where these settings have no state file, or the source needs none; all
 * calls take that. Settings and source outlive it. */
struct state_keep *state_keep_new(const struct source_settings *settings,
    struct source *source);
void state_keep_free(struct state_keep *keep);

/* When the file was written (milliseconds since the epoch), all of which was
 * taken then; 0 where there is none to be believed, and what was taken must
 * not be used */
int64_t state_keep_read(struct state_keep *keep,
    const struct source_reader *to);

/* What the source says now is in force; or is not, and must not be kept */
void state_keep_changed(struct state_keep *keep);
void state_keep_forget(struct state_keep *keep);

/* Milliseconds until state_keep_write() would do something, -1: nothing to do */
int state_keep_wait_ms(const struct state_keep *keep);

/* Writes what the source says, if it is time, or (is_last) at once */
void state_keep_write(struct state_keep *keep, bool is_last);

/* Why it could not be written, "" where it could */
const char *state_keep_problem(const struct state_keep *keep);

#endif
