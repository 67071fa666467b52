/* SPDX-License-Identifier: ISC */
/* redis_key.c - names of keys: readable, harmless, and no two the same. */
#include "policyd/redis_key.h"

#include "policyd/counter_key.h"
#include "t/unit/tap.h"

static const char *
key_of(const char *tenant, const struct counter_key *key)
{
	static char name[2][REDIS_KEY_MAX];
	static int at;

	redis_key(tenant, key, name[at ^= 1]);
	return name[at];
}

int
main(void)
{
	struct counter_key key = { { 0x01, 0xab, [15] = 0xff } };
	char longest[65];

	counter_keys_share();
	memset(longest, 'a', 64);
	longest[64] = '\0';
	tap_is(key_of("client1.example", &key), "postern:{client1.example}:"
	    "01ab00000000000000000000000000ff",
	    "a tenant is read in the key, its counter is a digest");
	tap_is(key_of("-", NULL), "postern:{-}:resets",
	    "the pseudo-tenant has resets, too");
	tap_int((int64_t)strlen(key_of(longest, &key)), 8 + 66 + 1 + 32,
	    "a long tenant fits");
	tap_ok(strncmp(key_of("a}b", NULL), "postern:{#", 10) == 0,
	    "a brace does not end the hash tag");
	tap_ok(strcmp(key_of("a}b", NULL), key_of("a}c", NULL)) != 0 &&
	    strcmp(key_of("\n", NULL), key_of("", NULL)) != 0,
	    "digests of tenants differ");
	return tap_done();
}
