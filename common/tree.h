/* SPDX-License-Identifier: ISC */
/* tree.h - entries by their DN, and what a server would make of changes to
 * them. A copy to try things on: nothing goes back to where it came from. */
#ifndef COMMON_TREE_H
#define COMMON_TREE_H

#include "common/entry.h"
#include "common/ldif_change.h"

struct tree;

/* What is known of an entry: this one, it and all below it, or its children */
enum tree_scope { TREE_SELF, TREE_CHILDREN, TREE_BELOW };

/* Where a tree that holds a part of the directory finds the rest */
struct tree_rest {
	/* tree_take() what there is; 0, also where that is nothing; or -1 and
	 * *why (until the next call) where it cannot be told */
	int (*fetch)(void *arg, struct tree *tree, const char *dn,
	    enum tree_scope scope, const char **why);
	void *arg;
	/* The only ones that entries are fetched with; NULL ends */
	const char *const *attributes;
};

/* rest NULL: what is taken is all there is, parents or not */
struct tree *tree_new(const struct tree_rest *rest);
void tree_free(struct tree *tree);	/* NULL is fine */

/* tree is a struct tree, as sources call it. Copies the entry; one that the
 * tree knows already, or knows to be gone, stays as it is. */
void tree_take(void *tree, const struct entry *entry);

enum tree_result {
	TREE_DONE,
	TREE_REFUSED,		/* it cannot be applied: *why */
	TREE_UNKNOWN		/* the rest could not be asked: *why */
};
/* A change applies whole or not at all. What is added counts as younger than
 * all that was taken. *why lives until the next call. */
enum tree_result tree_apply(struct tree *tree, const struct change *change,
    const char **why);

/* All entries there are now, in the order in which they came */
void tree_give(const struct tree *tree,
    void (*take)(void *arg, const struct entry *entry), void *arg);

#endif
