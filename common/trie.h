/* SPDX-License-Identifier: ISC */
/* trie.h - a map from byte strings to items, in order of their bytes, that
 * shares what two of its versions have in common: to hold the one before costs
 * nothing, a change costs the way to the leaf, and so does what is to be
 * compared. A version that others hold never changes under them. */
#ifndef COMMON_TRIE_H
#define COMMON_TRIE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A node of it: of a version, the root. NULL is the empty one. */
struct trie {
	atomic_uint holds;
	uint32_t at;		/* trie.c's own */
};

/* Any bytes. One map has keys of one sort: those in order, or those that are
 * found faster among many, but stand in no order that means anything. */
struct trie_key {
	const void *bytes;
	uint32_t len;
	uint32_t hash;		/* 0: in order */
};

struct trie_key trie_ordered(const void *bytes, size_t len);
struct trie_key trie_hashed(const void *bytes, size_t len);

/* What a map leads to begins with this. The key lives as long as the item. */
struct trie_item {
	struct trie node;
	struct trie_key key;
	void (*free)(struct trie_item *item);	/* when nobody holds it */
};

/* Held once, by the caller */
void trie_item_init(struct trie_item *item, struct trie_key key,
    void (*free)(struct trie_item *item));

/* Of a version or of an item (whose first member is the node); any thread, NULL
 * is fine */
struct trie *trie_hold(struct trie *trie);
void trie_release(struct trie *trie);

/* These change *trie to another version, and release the one before. put takes
 * over the caller's hold on the item, which replaces one of the same key. */
void trie_put(struct trie **trie, struct trie_item *item);
void trie_remove(struct trie **trie, struct trie_key key);

/* NULL: there is none */
struct trie_item *trie_get(const struct trie *trie, struct trie_key key);
size_t trie_count(const struct trie *trie);
/* In order of keys; at less than trie_count() */
struct trie_item *trie_at(const struct trie *trie, size_t at);

/* All in order. visit may change any variable that holds the version: this one
 * is held meanwhile. */
void trie_each(struct trie *trie,
    void (*visit)(void *arg, struct trie_item *item), void *arg);
/* The same for those whose keys, which are in order, begin with prefix */
void trie_each_below(struct trie *trie, struct trie_key prefix,
    void (*visit)(void *arg, struct trie_item *item), void *arg);

/* Each item that is not the same in both: before or after is NULL where the
 * other side has no such key. In no order to rely on. */
void trie_compare(const struct trie *before, const struct trie *after,
    void (*differs)(void *arg, struct trie_item *before,
	struct trie_item *after), void *arg);

#endif
