/* SPDX-License-Identifier: ISC */
/* t/unit/trie.c - versions of a map against plain lists of the same keys: what
 * is in which, in which order, and what differs. */
#include "common/trie.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/xmalloc.h"
#include "t/unit/tap.h"

#define KEYS 64
#define STEPS 20000
#define VERSIONS 8

struct word {
	struct trie_item item;
	char text[16];
};

static int words;
static bool is_hashed;		/* the keys, that is */

/* A few hashes are the same, as if someone had crafted the keys */
static struct trie_key
key_of(const char *text, size_t len)
{
	struct trie_key key = is_hashed ? trie_hashed(text, len)
	    : trie_ordered(text, len);

	key.hash &= is_hashed && key.hash % 2 == 0 ? 0xf0000000 : 0xffffffff;
	return key;
}

static void
word_free(struct trie_item *item)
{
	words--;
	free(item);
}

static struct trie_item *
word_new(const char *text, size_t len)
{
	struct word *word = xcalloc(1, sizeof(*word));

	words++;
	memcpy(word->text, text, len);
	trie_item_init(&word->item, key_of(word->text, len), word_free);
	return &word->item;
}

/* Keys that are beginnings of others, differ in either half of a byte, hold
 * NULs and are empty; in order */
static struct {
	char text[16];
	size_t len;
} keys[KEYS];

static int
by_bytes(const void *left, const void *right)
{
	const char *a = left, *b = right;
	size_t a_len = *(const size_t *)(const void *)(a + 16);
	size_t b_len = *(const size_t *)(const void *)(b + 16);
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return order != 0 ? order : a_len < b_len ? -1 : a_len > b_len;
}

static void
make_keys(void)
{
	static const char letters[] = { 'a', 'b', 'q', '\0', '\xff' };
	size_t i, j, at;

	for (i = 0; i < KEYS; i++)
		for (at = i; at > 0; at /= 5) {
			for (j = 0; j < at % 5 % 3; j++)
				keys[i].text[keys[i].len++] = letters[at % 5];
			keys[i].text[keys[i].len++] = letters[at % 5];
		}
	qsort(keys, KEYS, sizeof(keys[0]), by_bytes);
}

/* One version, and what should be in it, by the key's number */
static struct version {
	struct trie *trie;
	struct trie_item *items[KEYS];
} versions[VERSIONS];

static size_t seen, count;
static bool is_right;

static void
check_next(void *arg, struct trie_item *item)
{
	const struct version *v = arg;

	size_t i;

	for (i = is_hashed ? 0 : seen; i < KEYS && v->items[i] != item; i++)
		is_right = is_right && (is_hashed || v->items[i] == NULL);
	is_right = is_right && i < KEYS && trie_at(v->trie, count++) == item;
	seen = i + 1;
}

static bool
is_as_listed(struct version *v)
{
	size_t i, all = 0;

	for (i = 0; i < KEYS; i++) {
		if (trie_get(v->trie, key_of(keys[i].text, keys[i].len)) !=
		    v->items[i])
			return false;
		all += v->items[i] != NULL;
	}
	seen = count = 0;
	is_right = true;
	trie_each(v->trie, check_next, v);
	return is_right && count == all && trie_count(v->trie) == all;
}

static const struct version *left_side, *right_side;

static void
check_difference(void *arg, struct trie_item *before, struct trie_item *after)
{
	const struct trie_item *one = before != NULL ? before : after;
	bool *told = arg;
	size_t i;

	for (i = 0; i < KEYS; i++)
		if (keys[i].len == one->key.len &&
		    memcmp(keys[i].text, one->key.bytes,
		    keys[i].len) == 0)
			break;
	is_right = is_right && i < KEYS && !told[i] &&
	    before == left_side->items[i] && after == right_side->items[i] &&
	    before != after;
	if (i < KEYS)
		told[i] = true;
}

static bool
differ_as_listed(const struct version *a, const struct version *b)
{
	bool told[KEYS] = { false };
	size_t i;

	left_side = a;
	right_side = b;
	is_right = true;
	trie_compare(a->trie, b->trie, check_difference, told);
	for (i = 0; i < KEYS; i++)
		is_right = is_right && told[i] == (a->items[i] != b->items[i]);
	return is_right;
}

static size_t
chance(size_t below)
{
	static unsigned state = 1;

	state = state * 1103515245 + 12345;
	return (state >> 16) % below;
}

/* Changes any version, or lets it go on from any other one */
static void
step(void)
{
	struct version *v = &versions[chance(VERSIONS)];
	struct version *from = &versions[chance(VERSIONS)];
	size_t i = chance(KEYS), what = chance(20);

	if (what == 0 && v != from) {
		trie_release(v->trie);
		*v = *from;
		trie_hold(v->trie);
	} else if (what < 10) {
		v->items[i] = word_new(keys[i].text, keys[i].len);
		trie_put(&v->trie, v->items[i]);
	} else {
		v->items[i] = NULL;
		trie_remove(&v->trie, key_of(keys[i].text, keys[i].len));
	}
}

static void
test_versions(void)
{
	int wrong = 0, different = 0;
	size_t i, n;

	memset(versions, 0, sizeof(versions));
	for (n = 0; n < STEPS; n++) {
		step();
		i = chance(VERSIONS);
		wrong += !is_as_listed(&versions[i]);
		different += !differ_as_listed(&versions[i],
		    &versions[chance(VERSIONS)]);
	}
	for (i = 0; i < VERSIONS; i++)
		wrong += !is_as_listed(&versions[i]);
	tap_int(wrong, 0, "each version holds what was put into it, in order");
	tap_int(different, 0, "two versions differ in what is told, and only so");
	for (i = 0; i < VERSIONS; i++)
		trie_release(versions[i].trie);
	tap_int(words, 0, "and in the end nothing is held");
}

static void
note(void *arg, struct trie_item *item)
{
	strncat(arg, item->key.bytes, item->key.len);
	strcat(arg, " ");
}

static const struct {
	const char *name, *prefix, *found;
} prefixes[] = {
	{ "no prefix finds all", "", "a ab abc abd b " },
	{ "a prefix finds what begins so, itself too", "ab", "ab abc abd " },
	{ "one where keys part in half a byte", "abc", "abc " },
	{ "one in the middle of what all have in common", "b", "b " },
	{ "one that goes on otherwise finds nothing", "ax", "" },
	{ "nor one that is longer than all", "abcd", "" },
};

static void
test_prefixes(void)
{
	static const char *const texts[] = { "abd", "b", "a", "abc", "ab" };
	struct trie *trie = NULL;
	char found[64];
	size_t i;

	for (i = 0; i < 5; i++)
		trie_put(&trie, word_new(texts[i], strlen(texts[i])));
	for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		found[0] = '\0';
		trie_each_below(trie, trie_ordered(prefixes[i].prefix,
		    strlen(prefixes[i].prefix)), note, found);
		tap_is(found, prefixes[i].found, prefixes[i].name);
	}
	trie_release(trie);
	tap_ok(trie_get(NULL, trie_ordered("a", 1)) == NULL, "an empty one has nothing");
}

int
main(void)
{
	make_keys();
	test_versions();
	is_hashed = true;
	test_versions();
	is_hashed = false;
	test_prefixes();
	return tap_done();
}
