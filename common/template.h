/* SPDX-License-Identifier: ISC */
/* template.h - which template inherits from which. It is looked up at each
 * question: so a changed template costs those who inherit from it nothing. */
#ifndef COMMON_TEMPLATE_H
#define COMMON_TEMPLATE_H

#include <stddef.h>

#include "common/findings.h"
#include "common/layer.h"
#include "common/name.h"

/* Templates between a tenant and global; what lies beyond is not used */
#define TEMPLATE_DEPTH_MAX 13

/* names: as name.h has them */

/* By normalised DN, NULL for none. One that has gone, but is still referred to,
 * is found in its last form. */
const struct node *template_get(struct trie *const names[],
    const char *key);
/* The one that ends every chain, NULL: there is none */
const struct node *template_global(struct trie *const names[]);

/* The layers from that template on, nearest first, each once, global at the
 * end; how many */
size_t template_chain(struct trie *const names[], const char *key,
    const struct layer **out);
#define TEMPLATE_CHAIN_MAX (TEMPLATE_DEPTH_MAX + 1)

/* What is wrong with an entry's reference to its template */
void template_check_reference(struct trie *const names[],
    const struct layer *layer, struct findings *findings);
/* What is wrong with a template: its name, its reference, a loop, the depth */
void template_check(struct trie *const names[],
    const struct node *template, struct findings *findings);

#endif
