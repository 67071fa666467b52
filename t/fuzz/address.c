/* SPDX-License-Identifier: ISC */
/* address.c - fuzz target: whatever the bytes, what comes out is in normal
 * form. The first octet chooses the delimiters, the rest is the address. */
#include "common/address.h"

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
check_domain(const char *text, size_t len)
{
	char once[DOMAIN_MAX], twice[DOMAIN_MAX];

	if (domain_normalise(text, len, once) == -1) {
		must(*once == '\0');
		return;
	}
	must(strlen(once) > 0 && strlen(once) <= 253);
	must(strspn(once, "abcdefghijklmnopqrstuvwxyz0123456789-_.") ==
	    strlen(once));
	must(domain_normalise(once, strlen(once), twice) == 0);
	must(strcmp(once, twice) == 0 && domain_is_within(once, twice));
}

static void
check_parts(const struct address *got)
{
	size_t local = strlen(got->local), bare = strlen(got->bare);

	must(strncmp(got->text, got->local, local) == 0);
	must(bare <= strlen(got->text));
	if (*got->domain == '\0')
		return;
	must(got->text[local] == '@');
	must(strcmp(got->text + local + 1, got->domain) == 0);
	must(strcmp(strrchr(got->bare, '@') + 1, got->domain) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const delimiters[] = { "", "+", "-", "+-=" };
	struct arena *arena = arena_new(0);
	struct address got;
	int rc;

	if (size > 0) {
		const char *bytes = (const char *)data + 1;
		char *text = arena_strndup(arena, bytes, size - 1);

		check_domain(bytes, size - 1);
		rc = address_parse(arena, text, delimiters[*data % 4], &got);
		must(rc == 0 || *got.domain == '\0');
		check_parts(&got);
	}
	arena_free(arena);
	return 0;
}
