/* SPDX-License-Identifier: ISC */
/* name.h - what only one entry can have, who claims it, and who cares: a
 * template's DN, "global", a tenant's id, a domain, a mail address. */
#ifndef COMMON_NAME_H
#define COMMON_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "common/node.h"
#include "common/tenant.h"
#include "common/trie.h"

enum name_kind {
	NAME_TEMPLATE,		/* normalised DN; who inherits from it watches */
	NAME_GLOBAL,		/* "global" */
	NAME_ID,		/* of a tenant */
	NAME_DOMAIN,		/* mailboxes in it watch */
	NAME_MAIL,
	NAME_KINDS
};

struct name {
	struct trie_item item;		/* by its text, the NUL included; ids
					 * in order */
	struct trie *watchers;		/* nodes, by path */
	const struct node *holder;	/* domain, mail: that one of the claims,
					 * or NULL */
	struct tenant *tenant;		/* id, domain: the holder's; held */
	unsigned round;			/* of building in which it was made:
					 * until that ends, it may change */
	unsigned count;
	enum name_kind kind;
	struct node *claims[];		/* held, the eldest first; the text
					 * stands behind them */
};

/* names: a map for each kind. NULL: nobody ever claimed or watched it. */
struct name *name_get(struct trie *const names[], enum name_kind kind,
    const char *text);
/* Of one that may be NULL: the eldest claim, or NULL */
const struct node *name_first(const struct name *name);

/* One that may be changed in this round, in the place of that one */
struct name *name_own(struct trie *names[], struct name *name, unsigned round);

/* Each makes that map another version. Said twice it is said once. */
typedef void name_edit(struct trie *names[], enum name_kind kind,
    const char *text, struct node *node, unsigned round);
name_edit name_claim, name_unclaim, name_watch, name_unwatch;
/* Puts the claims in order anew, as the nodes' lines are now */
void name_sort(struct trie *names[], struct name *name, unsigned round);

#endif
