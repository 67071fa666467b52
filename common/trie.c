/* SPDX-License-Identifier: ISC */
/* trie.c - branches by half a byte, with room for the twigs there are, and only
 * where keys part. What is held once, by the version that is being changed, is
 * changed in place; what others hold is copied first. So many changes in a row
 * pay for the copies once. */
#include "common/trie.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/xmalloc.h"

/* bits of a branch: its mark, and which of the 17 symbols have a twig. Of an
 * item: the length of its key. */
#define BRANCH (UINT32_C(1) << 31)

struct branch {
	struct trie node;
	uint32_t at;		/* half bytes that all keys have in common */
	uint32_t count;		/* items below */
	struct trie *twigs[];
};

void
trie_item_init(struct trie_item *item, const void *key, size_t len,
    void (*free)(struct trie_item *item))
{
	if (len >= BRANCH / 2)
		panic("trie: a key of %zu bytes", len);
	atomic_init(&item->node.holds, 1);
	item->node.bits = (uint32_t)len;
	item->key = key;
	item->free = free;
}

size_t
trie_item_len(const struct trie_item *item)
{
	return item->node.bits;
}

static bool
is_branch(const struct trie *node)
{
	return (node->bits & BRANCH) != 0;
}

/* The half byte, 1 to 16; 0 behind the end, so that "a" comes before "aa" */
static unsigned
symbol(const void *key, size_t len, size_t at)
{
	const unsigned char *bytes = key;

	if (at / 2 >= len)
		return 0;
	return 1 + (at % 2 == 0 ? bytes[at / 2] >> 4 : bytes[at / 2] & 15);
}

static unsigned
twig_count(const struct branch *b)
{
	return (unsigned)__builtin_popcount(b->node.bits & ~BRANCH);
}

static bool
has_twig(const struct branch *b, unsigned symbol)
{
	return (b->node.bits >> symbol & 1) != 0;
}

/* Where the symbol's twig is, or would be */
static unsigned
place(const struct branch *b, unsigned symbol)
{
	return (unsigned)__builtin_popcount(b->node.bits &
	    ((UINT32_C(1) << symbol) - 1));
}

static struct branch *
branch_new(uint32_t at, uint32_t count, unsigned twigs)
{
	struct branch *b = xmalloc(sizeof(*b) + twigs * sizeof(b->twigs[0]));

	atomic_init(&b->node.holds, 1);
	b->node.bits = BRANCH;
	b->at = at;
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
has_key(const struct trie_item *item, const void *key, size_t len)
{
	return trie_item_len(item) == len &&
	    (len == 0 || memcmp(item->key, key, len) == 0);
}

struct trie_item *
trie_get(const struct trie *trie, const void *key, size_t len)
{
	const struct branch *b;
	unsigned s;

	if (trie == NULL)
		return NULL;
	while (is_branch(trie)) {
		b = (const struct branch *)trie;
		s = symbol(key, len, b->at);
		if (!has_twig(b, s))
			return NULL;
		trie = b->twigs[place(b, s)];
	}
	return has_key((const struct trie_item *)trie, key, len)
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
nearest(const struct trie *node, const void *key, size_t len)
{
	const struct branch *b;
	unsigned s;

	while (is_branch(node)) {
		b = (const struct branch *)node;
		s = symbol(key, len, b->at);
		node = b->twigs[has_twig(b, s) ? place(b, s) : 0];
	}
	return (const struct trie_item *)node;
}

/* Where two keys part; they are not the same */
static uint32_t
parting(const void *a, size_t a_len, const void *b, size_t b_len)
{
	const unsigned char *left = a, *right = b;
	size_t at = 0;

	while (at < a_len && at < b_len && left[at] == right[at])
		at++;
	at *= 2;
	while (symbol(a, a_len, at) == symbol(b, b_len, at))
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
	copy = branch_new(b->at, b->count, twigs);
	copy->node.bits = b->node.bits;
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

/* Of two nodes that part at this half byte */
static struct trie *
fork_at(uint32_t at, struct trie *old, unsigned old_symbol,
    struct trie *new, unsigned new_symbol)
{
	struct branch *b = branch_new(at, (uint32_t)trie_count(old) + 1, 2);

	b->node.bits |= UINT32_C(1) << old_symbol | UINT32_C(1) << new_symbol;
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
	const void *key = p->item->key;
	size_t len = trie_item_len(p->item);
	unsigned s, i;

	if (p->is_known && !is_branch(node)) {
		trie_release(node);
		return &p->item->node;
	}
	if (!is_branch(node) || (!p->is_known && b->at > p->at))
		return fork_at(p->at, node, symbol(p->near->key,
		    trie_item_len(p->near), p->at), &p->item->node,
		    symbol(key, len, p->at));
	s = symbol(key, len, b->at);
	i = place(b, s);
	if (!has_twig(b, s)) {
		b = reshape(b, i, twig_count(b) + 1);
		b->node.bits |= UINT32_C(1) << s;
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
	size_t len = trie_item_len(item);

	if (*trie == NULL) {
		*trie = &item->node;
		return;
	}
	p.near = nearest(*trie, item->key, len);
	p.is_known = has_key(p.near, item->key, len);
	if (!p.is_known)
		p.at = parting(item->key, len, p.near->key,
		    trie_item_len(p.near));
	*trie = put_below(*trie, &p);
}

/* The key is there. Takes over the hold on node. */
static struct trie *
remove_below(struct trie *node, const void *key, size_t len)
{
	struct branch *b = (struct branch *)node;
	struct trie *left;
	unsigned s, i;

	if (!is_branch(node)) {
		trie_release(node);
		return NULL;
	}
	s = symbol(key, len, b->at);
	i = place(b, s);
	b = reshape(b, i, twig_count(b));
	b->count--;
	if ((b->twigs[i] = remove_below(b->twigs[i], key, len)) != NULL)
		return &b->node;
	if (twig_count(b) > 2) {
		b = reshape(b, i, twig_count(b) - 1);
		b->node.bits &= ~(UINT32_C(1) << s);
		return &b->node;
	}
	left = b->twigs[1 - i];
	free(b);
	return left;
}

void
trie_remove(struct trie **trie, const void *key, size_t len)
{
	if (trie_get(*trie, key, len) != NULL)
		*trie = remove_below(*trie, key, len);
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

/* Where all that begin so are below, with others or without; NULL: none does */
static struct trie *
find_prefix(struct trie *node, const void *prefix, size_t len)
{
	const struct trie_item *one;
	struct branch *b;

	while (node != NULL && is_branch(node)) {
		b = (struct branch *)node;
		if (b->at >= 2 * len)
			break;
		if (!has_twig(b, symbol(prefix, len, b->at)))
			return NULL;
		node = b->twigs[place(b, symbol(prefix, len, b->at))];
	}
	if (node == NULL)
		return NULL;
	one = nearest(node, prefix, len);
	return trie_item_len(one) >= len &&
	    (len == 0 || memcmp(one->key, prefix, len) == 0) ? node : NULL;
}

void
trie_each(struct trie *trie, const void *prefix, size_t len,
    void (*visit)(void *arg, struct trie_item *item), void *arg)
{
	struct trie *node = trie_hold(find_prefix(trie, prefix, len));

	if (node != NULL)
		visit_all(node, visit, arg);
	trie_release(node);
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
	const struct trie_item *one;
	bool is_level = right != NULL && is_branch(right) && b->at == left->at;
	unsigned s, right_symbol = 17;

	if (right != NULL && !is_level) {
		one = nearest(right, "", 0);
		right_symbol = symbol(one->key, trie_item_len(one), left->at);
	}
	for (s = 0; s < 17; s++) {
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
	uint32_t left_at, right_at;

	if (left == right)
		return;
	left_at = left != NULL && is_branch(left)
	    ? ((const struct branch *)left)->at : UINT32_MAX;
	right_at = right != NULL && is_branch(right)
	    ? ((const struct branch *)right)->at : UINT32_MAX;
	turned.is_turned = !c->is_turned;
	if (left_at < UINT32_MAX && left_at <= right_at)
		compare_twigs(c, (const struct branch *)left, right);
	else if (right_at < UINT32_MAX)
		compare_twigs(&turned, (const struct branch *)right, left);
	else {
		a = (const struct trie_item *)left;
		b = (const struct trie_item *)right;
		if (a != NULL && b != NULL &&
		    !has_key(a, b->key, trie_item_len(b))) {
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
