/* SPDX-License-Identifier: ISC */
/* author.c - fuzz target: the bytes are the value of From:. Who is found has a
 * domain in normal form, and a second field makes anybody unclear. */
#include "dkimsign/author.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static enum author_outcome
find(struct arena *arena, const char *fields, size_t len,
    struct author *author)
{
	struct header header;

	header_parse(arena, fields, len, &header);
	return author_find(arena, &header, author);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char before[] = "From:", behind[] = "\r\nFrom: a@b\r\n";
	struct arena *arena = arena_new(0);
	char *text = arena_alloc(arena, size + 64), domain[DOMAIN_MAX];
	size_t len = sizeof(before) - 1 + size;
	struct author author;
	enum author_outcome outcome;

	memcpy(text, before, sizeof(before) - 1);
	memcpy(text + sizeof(before) - 1, data, size);
	memcpy(text + len, behind, sizeof(behind) - 1);
	outcome = find(arena, text, len, &author);
	if (outcome == AUTHOR_FOUND) {
		must(author.count > 0 && *author.local != '\0');
		must(*author.domain == '[' || (domain_normalise(author.domain,
		    strlen(author.domain), domain) == 0 &&
		    strcmp(author.domain, domain) == 0));
	} else if (outcome == AUTHOR_UNCLEAR)
		must(*author.why != '\0' && *author.domain == '\0');
	outcome = find(arena, text, len + sizeof(behind) - 1, &author);
	must(outcome == AUTHOR_UNCLEAR || memchr(data, '\n', size) != NULL ||
	    (size > 0 && data[size - 1] == '\r'));
	arena_free(arena);
	return 0;
}
