/* SPDX-License-Identifier: ISC */
/* redis_key.c - names of keys. A tenant's id stands there to be read where it
 * is short and harmless, else its digest: an id may hold any byte, "}" too.
 * Pure. */
#include "policyd/redis_key.h"

#include <string.h>

#include "policyd/counter_key.h"

#define READABLE_MAX 64
#define READABLE "abcdefghijklmnopqrstuvwxyz0123456789.-_"

static void
hex(const struct counter_key *key, char out[static 2 * COUNTER_KEY_BYTES + 1])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < COUNTER_KEY_BYTES; i++) {
		*out++ = digits[key->bytes[i] >> 4];
		*out++ = digits[key->bytes[i] & 15];
	}
	*out = '\0';
}

void
redis_key(const char *tenant, const struct counter_key *key,
    char out[static REDIS_KEY_MAX])
{
	char digest[2 * COUNTER_KEY_BYTES + 2] = "#";
	size_t len = strlen(tenant);
	struct counter_key hashed;

	if (len == 0 || len > READABLE_MAX || strspn(tenant, READABLE) != len) {
		hashed = counter_key_of(&tenant, 1);
		hex(&hashed, digest + 1);
		tenant = digest;
	}
	out = stpcpy(stpcpy(stpcpy(out, "postern:{"), tenant), "}:");
	if (key != NULL)
		hex(key, out);
	else
		strcpy(out, "resets");
}
