/* SPDX-License-Identifier: ISC */
/* estate.h - the mailboxes and the keys of each tenant. */
#ifndef COMMON_ESTATE_H
#define COMMON_ESTATE_H

#include "common/node.h"
#include "common/trie.h"

/* Of all these estates, one tenant's nodes of this kind, by path; NULL: none */
struct trie *estate_of(const struct trie *estates, const char *id,
    enum layer_kind kind);

/* Each makes *estates another version; round as in name.h */
void estate_add(struct trie **estates, const char *id, struct node *node,
    unsigned round);
void estate_remove(struct trie **estates, const char *id,
    const struct node *node, unsigned round);

#endif
