/* SPDX-License-Identifier: ISC */
/* arena.h - memory that is given back all at once: one per request, per
 * directory entry, per snapshot. Not for threads to share while filling. */
#ifndef COMMON_ARENA_H
#define COMMON_ARENA_H

#include <stddef.h>

struct arena;

/* chunk_bytes: what is taken from the heap at a time, 0 for the default */
struct arena *arena_new(size_t chunk_bytes);
void arena_free(struct arena *arena);	/* NULL is fine */

/* From now on every arena is wiped before its memory goes back: for a process
 * that reads secrets. Before the first thread. */
void arena_wipe_all(void);

/* Forget everything, but keep the first chunk for the next use */
void arena_reset(struct arena *arena);

/* Zeroed, aligned for any type; belongs to the arena */
void *arena_alloc(struct arena *arena, size_t bytes);
char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t len);
char *arena_printf(struct arena *arena, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
