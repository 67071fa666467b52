/* SPDX-License-Identifier: ISC */
/* trie.c - branches by six bits of the hash, then by half a byte, with room for
 * the twigs there are, and only where keys part. What is held once, by the version that is being changed, is
 * changed in place; what others hold is copied first. So many changes in a row
 * pay for the copies once. */
#include "common/trie.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/xmalloc.h"

/* at: how many symbols all keys below have in common; of an item: */
#define ITEM UINT32_MAX
#define SYMBOLS 64
#define HASH_SYMBOLS 6		/* of each key the first */

struct branch {
	struct trie node;
	uint64_t bits;		/* the symbols that have a twig */
	size_t count;		/* items below */
	struct trie *twigs[];
};

struct trie_key
trie_ordered(const void *bytes, size_t len)
{
	if (len > UINT32_MAX / 4)
		panic("trie: a key of %zu bytes", len);
	return (struct trie_key){ bytes, (uint32_t)len, 0 };
}

/* FNV-1a, and stirred once more: the first symbols count most. Who crafts keys
 * that collide has them stand as far apart as those in order. */
struct trie_key
trie_hashed(const void *bytes, size_t len)
{
	struct trie_key key = trie_ordered(bytes, len);
	const unsigned char *at = bytes;
	uint64_t hash = 0xcbf29ce484222325;

	while (len-- > 0)
		hash = (hash ^ *at++) * 0x100000001b3;
	hash = (hash ^ hash >> 32) * 0x9e3779b97f4a7c15;
	key.hash = (uint32_t)(hash >> 32);
	return key;
}

void
trie_item_init(struct trie_item *item, struct trie_key key,
    void (*free)(struct trie_item *item))
{
	atomic_init(&item->node.holds, 1);
	item->node.at = ITEM;
	item->key = key;
	item->free = free;
}

static bool
is_branch(const struct trie *node)
{
	return node->at != ITEM;
}

/* First six bits at a time of the hash, then half bytes, 1 to 16; 0 behind the
 * end, so that "a" comes before "aa" */
static unsigned
symbol(struct trie_key key, size_t at)
{
	const unsigned char *bytes = key.bytes;

	if (at < HASH_SYMBOLS)
		return (unsigned)((uint64_t)key.hash << 4 >> (30 - 6 * at)) & 63;
	at -= HASH_SYMBOLS;
	if (at / 2 >= key.len)
		return 0;
	return 1 + (at % 2 == 0 ? bytes[at / 2] >> 4 : bytes[at / 2] & 15);
}

static unsigned
twig_count(const struct branch *b)
{
	return (unsigned)__builtin_popcountll(b->bits);
}

static bool
has_twig(const struct branch *b, unsigned symbol)
{
	return (b->bits >> symbol & 1) != 0;
}

/* Where the symbol's twig is, or would be */
static unsigned
place(const struct branch *b, unsigned symbol)
{
	return (unsigned)__builtin_popcountll(b->bits &
	    ((UINT64_C(1) << symbol) - 1));
}

static struct branch *
branch_new(uint32_t at, uint64_t bits, size_t count, unsigned twigs)
{
	struct branch *b = xmalloc(sizeof(*b) + twigs * sizeof(b->twigs[0]));

	atomic_init(&b->node.holds, 1);
	b->node.at = at;
	b->bits = bits;
	b->count = count;
	return b;
}

struct trie *
trie_hold(struct trie *trie)
{
	if (trie != NULL)
		atomic_fetch_add_explicit(&trie->holds, 1,
		    memory_order_relaxed);
	return trie;
}

void
trie_release(struct trie *trie)
{
	struct trie_item *item = (struct trie_item *)trie;
	struct branch *b = (struct branch *)trie;
	unsigned i;

	if (trie == NULL || atomic_fetch_sub(&trie->holds, 1) != 1)
		return;
	if (!is_branch(trie)) {
		item->free(item);
		return;
	}
	for (i = 0; i < twig_count(b); i++)
		trie_release(b->twigs[i]);
	free(b);
}

size_t
trie_count(const struct trie *trie)
{
	if (trie == NULL)
		return 0;
	return is_branch(trie) ? ((const struct branch *)trie)->count : 1;
}

static bool
is_same(struct trie_key a, struct trie_key b)
{
	return a.hash == b.hash && a.len == b.len &&
	    (a.len == 0 || memcmp(a.bytes, b.bytes, a.len) == 0);
}

struct trie_item *
trie_get(const struct trie *trie, struct trie_key key)
{
	const struct branch *b;
	unsigned s;

	if (trie == NULL)
		return NULL;
	while (is_branch(trie)) {
		b = (const struct branch *)trie;
		s = symbol(key, b->node.at);
		if (!has_twig(b, s))
			return NULL;
		trie = b->twigs[place(b, s)];
	}
	return is_same(((const struct trie_item *)trie)->key, key)
	    ? (struct trie_item *)trie : NULL;
}

struct trie_item *
trie_at(const struct trie *trie, size_t at)
{
	const struct branch *b;
	unsigned i;

	while (is_branch(trie)) {
		b = (const struct branch *)trie;
		for (i = 0; at >= trie_count(b->twigs[i]); i++)
			at -= trie_count(b->twigs[i]);
		trie = b->twigs[i];
	}
	return (struct trie_item *)trie;
}

/* One whose key has as much in common with this one as any */
static const struct trie_item *
nearest(const struct trie *node, struct trie_key key)
{
	const struct branch *b;
	unsigned s;

	while (is_branch(node)) {
		b = (const struct branch *)node;
		s = symbol(key, b->node.at);
		node = b->twigs[has_twig(b, s) ? place(b, s) : 0];
	}
	return (const struct trie_item *)node;
}

/* Where two keys part; they are not the same */
static uint32_t
parting(struct trie_key a, struct trie_key b)
{
	const unsigned char *left = a.bytes, *right = b.bytes;
	size_t at = 0;

	if (a.hash == b.hash) {
		while (at < a.len && at < b.len && left[at] == right[at])
			at++;
		at = HASH_SYMBOLS + 2 * at;
	}
	while (symbol(a, at) == symbol(b, at))
		at++;
	return (uint32_t)at;
}

/* The same with this many twigs: one more, with a hole for it, or one less, but
 * for what stands there, or as many. Takes over the hold; nobody else has one
 * on what comes back. */
static struct branch *
reshape(struct branch *b, unsigned hole, unsigned twigs)
{
	unsigned i, to = 0, was = twig_count(b);
	bool is_ours = b->node.holds == 1;
	struct branch *copy;

	if (is_ours && twigs == was)
		return b;
	copy = branch_new(b->node.at, b->bits, b->count, twigs);
	for (i = 0; i < was; i++) {
		if (i == hole && twigs < was)
			continue;
		to += i == hole && twigs > was;
		copy->twigs[to++] = is_ours ? b->twigs[i]
		    : trie_hold(b->twigs[i]);
	}
	if (is_ours)
		free(b);
	else
		trie_release(&b->node);
	return copy;
}

/* Of two nodes that part at this symbol */
static struct trie *
fork_at(uint32_t at, struct trie *old, unsigned old_symbol,
    struct trie *new, unsigned new_symbol)
{
	struct branch *b = branch_new(at, UINT64_C(1) << old_symbol |
	    UINT64_C(1) << new_symbol, trie_count(old) + 1, 2);

	b->twigs[place(b, old_symbol)] = old;
	b->twigs[place(b, new_symbol)] = new;
	return &b->node;
}

struct putting {
	struct trie_item *item;
	const struct trie_item *near;
	uint32_t at;		/* where they part */
	bool is_known;		/* they do not: replace it */
};

/* Takes over the hold on node, and returns what stands in its place */
static struct trie *
put_below(struct trie *node, const struct putting *p)
{
	struct branch *b = (struct branch *)node;
	struct trie_key key = p->item->key;
	unsigned s, i;

	if (p->is_known && !is_branch(node)) {
		trie_release(node);
		return &p->item->node;
	}
	if (!is_branch(node) || (!p->is_known && b->node.at > p->at))
		return fork_at(p->at, node, symbol(p->near->key, p->at),
		    &p->item->node, symbol(key, p->at));
	s = symbol(key, b->node.at);
	i = place(b, s);
	if (!has_twig(b, s)) {
		b = reshape(b, i, twig_count(b) + 1);
		b->bits |= UINT64_C(1) << s;
		b->twigs[i] = &p->item->node;
	} else {
		b = reshape(b, i, twig_count(b));
		b->twigs[i] = put_below(b->twigs[i], p);
	}
	b->count += !p->is_known;
	return &b->node;
}

void
trie_put(struct trie **trie, struct trie_item *item)
{
	struct putting p = { .item = item };

	if (*trie == NULL) {
		*trie = &item->node;
		return;
	}
	p.near = nearest(*trie, item->key);
	p.is_known = is_same(p.near->key, item->key);
	if (!p.is_known)
		p.at = parting(item->key, p.near->key);
	*trie = put_below(*trie, &p);
}

/* The key is there. Takes over the hold on node. */
static struct trie *
remove_below(struct trie *node, struct trie_key key)
{
	struct branch *b = (struct branch *)node;
	struct trie *left;
	unsigned s, i;

	if (!is_branch(node)) {
		trie_release(node);
		return NULL;
	}
	s = symbol(key, b->node.at);
	i = place(b, s);
	b = reshape(b, i, twig_count(b));
	b->count--;
	if ((b->twigs[i] = remove_below(b->twigs[i], key)) != NULL)
		return &b->node;
	if (twig_count(b) > 2) {
		b = reshape(b, i, twig_count(b) - 1);
		b->bits &= ~(UINT64_C(1) << s);
		return &b->node;
	}
	left = b->twigs[1 - i];
	free(b);
	return left;
}

void
trie_remove(struct trie **trie, struct trie_key key)
{
	if (trie_get(*trie, key) != NULL)
		*trie = remove_below(*trie, key);
}

static void
visit_all(struct trie *node,
    void (*visit)(void *arg, struct trie_item *item), void *arg)
{
	struct branch *b = (struct branch *)node;
	unsigned i;

	if (!is_branch(node)) {
		visit(arg, (struct trie_item *)node);
		return;
	}
	for (i = 0; i < twig_count(b); i++)
		visit_all(b->twigs[i], visit, arg);
}

void
trie_each(struct trie *trie,
    void (*visit)(void *arg, struct trie_item *item), void *arg)
{
	if (trie == NULL)
		return;
	trie_hold(trie);
	visit_all(trie, visit, arg);
	trie_release(trie);
}

void
trie_each_below(struct trie *trie, struct trie_key prefix,
    void (*visit)(void *arg, struct trie_item *item), void *arg)
{
	const struct trie_item *one;
	struct branch *b;

	while (trie != NULL && is_branch(trie)) {
		b = (struct branch *)trie;
		if (b->node.at >= HASH_SYMBOLS + 2 * prefix.len)
			break;
		trie = has_twig(b, symbol(prefix, b->node.at))
		    ? b->twigs[place(b, symbol(prefix, b->node.at))] : NULL;
	}
	if (trie == NULL)
		return;
	one = nearest(trie, prefix);	/* as good as any other of them */
	if (one->key.len >= prefix.len && (prefix.len == 0 ||
	    memcmp(one->key.bytes, prefix.bytes, prefix.len) == 0))
		trie_each(trie, visit, arg);
}

struct comparing {
	void (*differs)(void *arg, struct trie_item *before,
	    struct trie_item *after);
	void *arg;
	bool is_turned;		/* after stands on the left */
};

static void
tell(const struct comparing *c, const struct trie *left,
    const struct trie *right)
{
	struct trie_item *a = (struct trie_item *)left;
	struct trie_item *b = (struct trie_item *)right;

	c->differs(c->arg, c->is_turned ? b : a, c->is_turned ? a : b);
}

static void compare(const struct comparing *c, const struct trie *left,
    const struct trie *right);

/* All of right is in left's place, or as a twig of it */
static void
compare_twigs(const struct comparing *c, const struct branch *left,
    const struct trie *right)
{
	const struct branch *b = (const struct branch *)right;
	const struct trie *other;
	bool is_level = right != NULL && right->at == left->node.at;
	unsigned s, right_symbol = SYMBOLS;

	if (right != NULL && !is_level)
		right_symbol = symbol(nearest(right, trie_ordered("", 0))->key,
		    left->node.at);
	for (s = 0; s < SYMBOLS; s++) {
		other = s == right_symbol ? right : NULL;
		if (is_level && has_twig(b, s))
			other = b->twigs[place(b, s)];
		compare(c, has_twig(left, s) ? left->twigs[place(left, s)]
		    : NULL, other);
	}
}

static void
compare(const struct comparing *c, const struct trie *left,
    const struct trie *right)
{
	struct comparing turned = *c;
	const struct trie_item *a, *b;
	uint32_t left_at = left != NULL ? left->at : ITEM;
	uint32_t right_at = right != NULL ? right->at : ITEM;

	if (left == right)
		return;
	turned.is_turned = !c->is_turned;
	if (left_at < ITEM && left_at <= right_at)
		compare_twigs(c, (const struct branch *)left, right);
	else if (right_at < ITEM)
		compare_twigs(&turned, (const struct branch *)right, left);
	else {
		a = (const struct trie_item *)left;
		b = (const struct trie_item *)right;
		if (a != NULL && b != NULL && !is_same(a->key, b->key)) {
			tell(c, left, NULL);
			left = NULL;
		}
		tell(c, left, right);
	}
}

void
trie_compare(const struct trie *before, const struct trie *after,
    void (*differs)(void *arg, struct trie_item *before,
	struct trie_item *after), void *arg)
{
	compare(&(struct comparing){ differs, arg, false }, before, after);
}
