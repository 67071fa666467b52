/* SPDX-License-Identifier: ISC */
/* arena.c - what comes out of an arena is zeroed, aligned and stays. */
#include "common/arena.h"

#include <stdalign.h>
#include <stdlib.h>

#include "t/unit/tap.h"

static bool
is_zero(const char *bytes, size_t len)
{
	while (len > 0)
		if (bytes[--len] != 0)
			return false;
	return true;
}

static void
test_wiping(void)
{
	struct arena *arena = arena_new(64);
	char *text = arena_strdup(arena, "a secret");

	arena_reset(arena);
	tap_is(text, "a secret", "what is given back may still stand there");
	arena_wipe_all();
	text = arena_strdup(arena, "a secret");
	arena_reset(arena);
	tap_ok(is_zero(text, sizeof("a secret")), "but not where all is wiped");
	arena_free(arena);
}

int
main(void)
{
	struct arena *arena = arena_new(64);
	char *first, *large, *text;
	int i;

	text = arena_strdup(arena, "kept");
	first = arena_alloc(arena, 7);
	tap_ok((uintptr_t)first % alignof(max_align_t) == 0,
	    "memory behind an odd text is aligned");
	large = arena_alloc(arena, 100000);
	tap_ok(is_zero(large, 100000), "more than a chunk is given, zeroed");
	for (i = 0; i < 1000; i++)
		memset(arena_alloc(arena, 33), 0xff, 33);
	tap_is(text, "kept", "what was given first is still what it was");
	tap_is(arena_printf(arena, "%s-%d", "a", 12), "a-12", "texts are made");
	tap_is(arena_strndup(arena, "abcdef", 3), "abc", "and cut");
	tap_is(arena_printf(arena, "%0500d", 1) + 499, "1",
	    "also such that no chunk has room for");
	arena_reset(arena);
	first = arena_alloc(arena, 64);
	tap_ok(is_zero(first, 64), "after a reset memory is zeroed again");
	arena_free(arena);
	arena_free(NULL);
	tap_ok(true, "no arena may be freed");
	test_wiping();
	return tap_done();
}
