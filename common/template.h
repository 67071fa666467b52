/* SPDX-License-Identifier: ISC */
/* template.h - the templates of one snapshot, and which inherits from which.
 * A template that is still referred to outlives its entry. */
#ifndef COMMON_TEMPLATE_H
#define COMMON_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"
#include "common/findings.h"
#include "common/layer.h"

/* Templates between a tenant and global; what lies beyond is not used */
#define TEMPLATE_DEPTH_MAX 13

struct template {
	struct layer *layer;
	struct template *parent;	/* NULL: none of its own. The way up
					 * may be a loop: template_chain() */
	bool is_kept;		/* its entry has vanished */
	size_t walk;		/* template.c's own */
};

struct templates;

/* previous, NULL for none, must live until templates_link() has returned */
struct templates *templates_new(struct arena *arena,
    const struct templates *previous);
void templates_free(struct templates *templates);	/* releases layers */

/* Takes over the caller's hold. Of several named global the first is it. */
void templates_add(struct templates *templates, struct layer *layer,
    struct findings *findings);
/* By normalised DN. NULL: there is none. */
const struct template *templates_get(const struct templates *templates,
    const char *key);
/* The same, but a vanished one comes back in its last form. NULL: nor was
 * there one. */
struct template *templates_find(struct templates *templates, const char *key);
/* What layer's posternTemplate refers to; findings where it has vanished or
 * never was. NULL: nothing, or nothing that there is. */
struct template *templates_of(struct templates *templates,
    const struct layer *layer, struct findings *findings);
/* When all are added, and all tenants have theirs: give each its parent, and
 * report loops and what is too deep */
void templates_link(struct templates *templates, struct findings *findings);

/* The layers from template on, nearest first, each once, global at the end */
size_t template_chain(const struct templates *templates,
    const struct template *from, const struct layer **out);
#define TEMPLATE_CHAIN_MAX (TEMPLATE_DEPTH_MAX + 1)

#endif
