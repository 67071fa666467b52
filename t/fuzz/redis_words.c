/* SPDX-License-Identifier: ISC */
/* redis_words.c - fuzz target: what a node says of another one, and what stands
 * in counters.uri, is understood or refused, and stays in its bounds. */
#include "policyd/redis_slot.h"
#include "policyd/redis_uri.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
check_redirect(const char *text)
{
	struct redis_redirect to;

	if (!redis_redirect_parse(text, &to) || to.kind == REDIRECT_AGAIN)
		return;
	must(to.slot < REDIS_SLOTS && to.port > 0 && to.port <= 65535);
	must(strlen(to.host) < sizeof(to.host) &&
	    strstr(text, to.host) != NULL);
}

static void
check_uri(const char *text)
{
	struct arena *arena = arena_new(0);
	const char *why = NULL;
	struct redis_uri uri;

	if (redis_uri_parse(arena, text, &uri, &why) == -1) {
		must(why != NULL);
	} else {
		must((uri.host_count == 0) == (uri.path != NULL));
		must((uri.kind == REDIS_SENTINEL) == (uri.master != NULL));
		must(uri.db >= 0 && uri.db <= 65535);
		must(strlen(uri.shown) <= strlen(text));
		for (size_t i = 0; i < uri.host_count; i++)
			must(*uri.hosts[i].name != '\0' &&
			    uri.hosts[i].port > 0);
	}
	arena_free(arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	must(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	must(redis_slot(text) < REDIS_SLOTS);
	check_redirect(text);
	check_uri(text);
	free(text);
	return 0;
}
