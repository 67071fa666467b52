/* SPDX-License-Identifier: ISC */
/* dkim_entry.c - fuzz target: lines of NUMBER VALUE become the values of an
 * entry, of a key or of another kind. A faulty key has no private half, and no
 * private half is in a finding. */
#include "dkimsign/dkim_entry.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static size_t
add_value(struct arena *arena, struct entry *entry, const uint8_t *data,
    size_t size)
{
	const char *const *names = dkim_entry_attributes();
	const uint8_t *end = memchr(data, '\n', size);
	size_t len = end != NULL ? (size_t)(end - data) : size;

	if (len > 0)
		entry_add(arena, entry, names[data[0] % 6],
		    arena_strndup(arena, (const char *)data + 1, len - 1),
		    len - 1);
	return len + (end != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(0);
	struct entry *entry = entry_new(arena, "cn=k,dc=a", 1);
	struct findings *findings = findings_new();
	const struct dkim_entry *read;
	enum layer_kind kind;
	size_t i;

	if (size > 0) {
		kind = data[0] & 1 ? LAYER_KEY : LAYER_TENANT;
		for (i = 1; i < size;)
			i += add_value(arena, entry, data + i, size - i);
		read = dkim_entry_parse(arena, entry, kind, findings);
		must(read->private_key == NULL || read->selector != NULL);
		must(read->private_key == NULL ||
		    findings_errors(findings) == 0);
		for (i = 0; i < findings_count(findings); i++)
			must(strcmp(findings_at(findings, i)->attribute,
			    "posternDkimPrivateKey") != 0 ||
			    *findings_at(findings, i)->value == '\0');
	}
	findings_free(findings);
	arena_free(arena);
	return 0;
}
