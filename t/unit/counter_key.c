/* SPDX-License-Identifier: ISC */
/* counter_key.c - is one list of parts one key, on every host, and another
 * list another? */
#include "policyd/counter_key.h"

#include "t/unit/tap.h"

#define MAX 3
#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

struct list {
	const char *parts[MAX];
	size_t count;
};

/* No two may have the same key */
static const struct {
	const char *name;
	struct list one, other;
} differ[] = {
	{ "another part is another key", { { "a", "b" }, 2 },
	    { { "a", "c" }, 2 } },
	{ "the order matters", { { "a", "b" }, 2 }, { { "b", "a" }, 2 } },
	{ "where a part ends matters", { { "ab", "c" }, 2 },
	    { { "a", "bc" }, 2 } },
	{ "an empty part is a part", { { "a", "" }, 2 }, { { "a" }, 1 } },
	{ "where the empty part stands matters", { { "", "a" }, 2 },
	    { { "a", "" }, 2 } },
	{ "case matters: who wants it otherwise lowers it",
	    { { "a" }, 1 }, { { "A" }, 1 } },
	{ "8-bit bytes matter", { { "\303\244" }, 1 }, { { "\303\245" }, 1 } },
};

static struct counter_key
key_of(const struct list *list)
{
	return counter_key_of(list->parts, list->count);
}

/* Long foreign text differs in its last byte: hashed, never cut */
static void
test_long(void)
{
	static char one[5000], other[5000];
	const char *parts[] = { one }, *others[] = { other };
	struct counter_key a, b;

	memset(one, 'x', sizeof(one) - 1);
	memset(other, 'x', sizeof(other) - 1);
	other[sizeof(other) - 2] = 'y';
	a = counter_key_of(parts, 1);
	b = counter_key_of(others, 1);
	tap_ok(memcmp(&a, &b, sizeof(a)) != 0,
	    "a long text counts to its last byte");
}

/* sha256 of 00000001 "a" 00000002 "bc", its first half: what another host,
 * or the same one next year, must find again */
static void
test_stable(void)
{
	static const uint8_t want[COUNTER_KEY_BYTES] = {
		0xb5, 0x34, 0xce, 0x16, 0xac, 0x9c, 0x8b, 0x36,
		0x82, 0x3f, 0x39, 0xa3, 0x95, 0xce, 0x8e, 0x0e };
	struct counter_key got = key_of(&(struct list){ { "a", "bc" }, 2 });

	tap_ok(memcmp(got.bytes, want, sizeof(want)) == 0,
	    "a key is the start of the SHA-256 of lengths and parts");
}

static void
test_all(void)
{
	struct counter_key a, b;
	size_t i;

	for (i = 0; i < ROWS(differ); i++) {
		a = key_of(&differ[i].one);
		b = key_of(&differ[i].other);
		tap_ok(memcmp(&a, &b, sizeof(a)) != 0, differ[i].name);
	}
	a = key_of(&differ[0].one);
	b = key_of(&differ[0].one);
	tap_ok(memcmp(&a, &b, sizeof(a)) == 0, "the same parts, the same key");
	test_long();
}

int
main(void)
{
	struct counter_key own = key_of(&differ[0].one), shared;

	test_all();
	counter_keys_share();
	test_all();
	test_stable();
	shared = key_of(&differ[0].one);
	tap_ok(memcmp(&own, &shared, sizeof(own)) != 0,
	    "what other hosts do not have to find is not the same");
	shared = counter_key_own(differ[0].one.parts, differ[0].one.count);
	tap_ok(memcmp(&own, &shared, sizeof(own)) == 0,
	    "and what it alone remembers is named as before");
	return tap_done();
}
