/* SPDX-License-Identifier: ISC */
/* draft.h - a snapshot in the making, and what in it is to be decided anew. For
 * update.c and settle.c. */
#ifndef COMMON_DRAFT_H
#define COMMON_DRAFT_H

#include "common/name.h"
#include "common/node.h"
#include "common/snapshot.h"
#include "common/trie.h"

struct draft {
	const struct snapshot *before;	/* never NULL: one may be empty */
	struct snapshot *next;
	unsigned round;			/* no other draft has the same */
	struct trie *dirty[NAME_KINDS];	/* names: who holds it, now? */
	struct trie *touched;		/* nodes: what is said of it, now? */
	bool has_way_changed;		/* from template to template */
};

/* Takes over the hold on new. Both of one entry; NULL: before, or now, there is
 * none. */
void draft_replace(struct draft *draft, struct node *old, struct node *new);
/* A template that had gone is not referred to any more */
void draft_forget(struct draft *draft, struct node *gone);

/* No effect where nobody ever claimed or watched this name */
void draft_mark(struct draft *draft, enum name_kind kind, const char *text);
/* All that it claims */
void draft_mark_claims(struct draft *draft, struct node *node);
void draft_touch(struct draft *draft, struct node *node);
/* A mailbox or key whose tenant may be another, and what it claims; others are
 * left alone */
void draft_touch_part(void *draft, struct trie_item *node);
/* All those below it */
void draft_touch_below(struct draft *draft, const struct node *node);

#endif
