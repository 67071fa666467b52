/* SPDX-License-Identifier: ISC */
/* node.h - one entry of the directory as it stands: the layer that serves for
 * it, which is its last good form where it has become bad, and what was found
 * when it was read. Immutable but for two members. */
#ifndef COMMON_NODE_H
#define COMMON_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/entry.h"
#include "common/findings.h"
#include "common/layer.h"
#include "common/trie.h"

struct node {
	struct trie_item item;		/* by its path */
	struct layer *layer;		/* NULL: it serves for nothing, but
					 * there are findings */
	struct layer *wanted;		/* what the entry says, where layer
					 * serves because this one refers to a
					 * template that is not; else NULL */
	struct findings *findings;	/* of reading it; NULL: none */
	bool is_gone;			/* a template without its entry */

	/* These two change, in the hands of the one thread that builds */
	unsigned long line;		/* in the LDIF file; 0: not from one */
	unsigned round;			/* of reading in which it was seen */

	uint64_t hash;			/* node.c's own: of the entry */
	char path[];
};

/* The names of a normalised DN from the root down, a NUL behind each: the path
 * of what is below begins with it, and it comes before that. */
struct trie_key node_path(struct arena *arena, const char *key);
/* That of the entry above; of no length: there is none */
struct trie_key node_path_above(struct trie_key path);

/* Held once; NULL where the entry says nothing, and nothing is to be said about
 * it. last is the layer that serves for it so far, or NULL. */
struct node *node_new(const struct entry *entry, struct trie_key path,
    struct layer *last, layer_parser *parse);
/* The same with other layers */
struct node *node_with(const struct node *node, struct layer *layer,
    struct layer *wanted);
/* The same as one that has gone, with a path that no entry has */
struct node *node_gone(const struct node *node);

/* Reading the entry again would give this very node */
bool node_is_of(const struct node *node, const struct entry *entry);

bool node_is(const struct node *node, enum layer_kind kind);	/* NULL is not */

/* As strcmp(): the older createTimestamp, then the smaller DN; without time
 * stamps, the first in the file */
int node_seniority(const struct node *a, const struct node *b);

#endif
