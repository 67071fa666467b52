/* SPDX-License-Identifier: ISC */
/* header.c - fuzz target: whatever the bytes, the fields are all of them, in
 * order, and what is signed of them never overruns. */
#include "dkimsign/header.h"

#include <stdint.h>
#include <stdlib.h>

#include "dkimsign/sign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
check_fields(const struct header *header)
{
	const char *at = header->text, *end = at + header->len;
	size_t i;

	for (i = 0; i < header->count; i++) {
		const struct header_field *field = &header->fields[i];

		must(field->text == at);
		at += field->len;
		must(at <= end && field->name_len <= field->len);
		if (at < end)
			must(*at++ == '\r' && *at++ == '\n');
		if (field->name_len > 0)
			must(field->value + field->value_len ==
			    field->text + field->len);
		else
			must(header->is_malformed);
	}
	must(at == end);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const over[] = { "From", "To" };
	static const char *const others[] = { "List-*", "X*" };
	struct sign_profile profile = { .oversign = over, .oversign_count = 2,
		.headers = others, .header_count = 2 };
	struct arena *arena = arena_new(0);
	struct header header;
	struct sign_message message = { .profile = &profile,
		.header = &header };
	const char *why;

	if (size > 0) {
		profile.header_canon = (enum canon)(data[0] & 1);
		header_parse(arena, (const char *)data + 1, size - 1, &header);
		check_fields(&header);
		(void)sign_prepare(arena, &message, &why);
	}
	arena_free(arena);
	return 0;
}
