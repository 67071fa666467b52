/* SPDX-License-Identifier: ISC */
/* directory.h - where snapshots come from: a thread of its own reads the
 * source, notices changes, builds the next snapshot and hands it to the loop.
 * Nothing on the mail path ever waits for it. */
#ifndef COMMON_DIRECTORY_H
#define COMMON_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/layer.h"
#include "common/reading.h"
#include "common/snapshot.h"
#include "common/source.h"

struct directory;

/* 0; or -1 and *why (of this thread, until the next call) where the URI is not
 * one we know, or does not go with the other settings */
int directory_check(const struct source_settings *settings, const char **why);

/* Keeps a copy of the settings. NULL and *why where directory_check() finds a
 * fault. */
struct directory *directory_new(const struct source_settings *settings,
    layer_parser *parse, const char **why);
void directory_free(struct directory *directory);	/* stops the thread */

/* Read once, in this thread, without the loop: for -n. NULL and why (xmalloc'd
 * by us, the caller frees) where it could not be read. Held for the caller. */
struct snapshot *directory_read(const struct source_settings *settings,
    layer_parser *parse, char **why);

/* Read the state file, start the thread and wait up to wait_ms, or with a state
 * file a moment only, for its first attempt to end, good or bad. From then on
 * changes arrive through the loop. */
void directory_start(struct directory *directory, int64_t wait_ms);

/* The snapshot in force, NULL while there never was one. Loop thread only;
 * hold it if it is kept past the current callback. */
struct snapshot *directory_current(const struct directory *directory);

/* The same from any thread, held for the caller */
struct snapshot *directory_hold(struct directory *directory);

/* Read again now (SIGHUP), even if nothing seems to have changed */
void directory_reload(struct directory *directory);

/* Take the next reading as it is, however much it removes. False where
 * nothing is being held back. */
bool directory_accept(struct directory *directory);

/* Loop thread only */
void directory_status(const struct directory *directory,
    struct directory_status *out);

#endif
