/* SPDX-License-Identifier: ISC */
/* source.c - the settings of a source, copied and compared: which of its
 * members are texts stands here alone. */
#include "common/source.h"

#include <stddef.h>
#include <string.h>

static const size_t texts[] = {
	offsetof(struct source_settings, uri),
	offsetof(struct source_settings, base),
	offsetof(struct source_settings, bind_dn),
	offsetof(struct source_settings, bind_password_file),
	offsetof(struct source_settings, ca_file),
	offsetof(struct source_settings, cert_file),
	offsetof(struct source_settings, key_file),
	offsetof(struct source_settings, state_file),
};
#define TEXTS (sizeof(texts) / sizeof(texts[0]))

static const char *
text_at(const struct source_settings *settings, size_t offset)
{
	const char *text = *(const char *const *)
	    ((const char *)settings + offset);

	return text != NULL ? text : "";
}

void
source_settings_copy(struct arena *arena, struct source_settings *to,
    const struct source_settings *from)
{
	size_t i;

	*to = *from;
	for (i = 0; i < TEXTS; i++)
		*(const char **)((char *)to + texts[i]) =
		    arena_strdup(arena, text_at(from, texts[i]));
}

bool
source_settings_are_equal(const struct source_settings *a,
    const struct source_settings *b)
{
	size_t i;

	for (i = 0; i < TEXTS; i++)
		if (strcmp(text_at(a, texts[i]), text_at(b, texts[i])) != 0)
			return false;
	return a->tls == b->tls && a->sasl == b->sasl &&
	    a->poll_ms == b->poll_ms && a->wants_keys == b->wants_keys;
}
