/* SPDX-License-Identifier: ISC */
/* arena.c - chunks from the heap, handed out from front to back and given
 * back all at once. A text too large for a chunk gets a chunk of its own. */
#include "common/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/xmalloc.h"

#define CHUNK_BYTES 4096

struct chunk {
	struct chunk *next;
	size_t room;
	size_t used;
	alignas(max_align_t) char bytes[];
};

/* One piece of memory with its first chunk, which outlives arena_reset() */
struct arena {
	alignas(max_align_t) struct chunk *first;
	struct chunk *current;
	size_t chunk_bytes;
};

static bool must_wipe;

void
arena_wipe_all(void)
{
	must_wipe = true;
}

/* For the next use, or the last */
static void
chunk_empty(struct chunk *chunk)
{
	if (must_wipe)
		explicit_bzero(chunk->bytes, chunk->used);
	chunk->used = 0;
}

static struct chunk *
chunk_begin(void *memory, size_t bytes)
{
	struct chunk *chunk = memory;

	chunk->next = NULL;
	chunk->room = bytes;
	chunk->used = 0;
	return chunk;
}

struct arena *
arena_new(size_t chunk_bytes)
{
	size_t bytes = chunk_bytes ? chunk_bytes : CHUNK_BYTES;
	struct arena *arena = xmalloc(sizeof(*arena) + sizeof(struct chunk) +
	    bytes);

	arena->chunk_bytes = bytes;
	arena->first = chunk_begin(arena + 1, bytes);
	arena->current = arena->first;
	return arena;
}

void
arena_reset(struct arena *arena)
{
	struct chunk *chunk, *next;

	for (chunk = arena->first->next; chunk != NULL; chunk = next) {
		next = chunk->next;
		chunk_empty(chunk);
		free(chunk);
	}
	chunk_empty(arena->first);
	arena->first->next = NULL;
	arena->current = arena->first;
}

void
arena_free(struct arena *arena)
{
	if (arena == NULL)
		return;
	arena_reset(arena);
	free(arena);
}

/* Bytes that are not zeroed */
static void *
take(struct arena *arena, size_t bytes, size_t align)
{
	struct chunk *chunk = arena->current;
	size_t at = (chunk->used + align - 1) & ~(align - 1), room;

	if (at > chunk->room || chunk->room - at < bytes) {
		room = bytes > arena->chunk_bytes ? bytes
		    : arena->chunk_bytes;
		chunk = chunk_begin(xmalloc(sizeof(*chunk) + room), room);
		arena->current->next = chunk;
		arena->current = chunk;
		at = 0;
	}
	chunk->used = at + bytes;
	return chunk->bytes + at;
}

void *
arena_alloc(struct arena *arena, size_t bytes)
{
	return memset(take(arena, bytes, alignof(max_align_t)), 0, bytes);
}

char *
arena_strndup(struct arena *arena, const char *text, size_t len)
{
	char *copy = take(arena, len + 1, 1);

	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

char *
arena_strdup(struct arena *arena, const char *text)
{
	return arena_strndup(arena, text, strlen(text));
}

char *
arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0)
		panic("arena_printf: %s", fmt);
	text = take(arena, (size_t)len + 1, 1);
	va_start(ap, fmt);
	if (vsnprintf(text, (size_t)len + 1, fmt, ap) != len)
		panic("arena_printf: %s", fmt);
	va_end(ap);
	return text;
}
