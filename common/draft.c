/* SPDX-License-Identifier: ISC */
/* draft.c - an entry comes, goes, or is another now: which names it claims and
 * watches then. What an entry claims follows from itself alone; who holds it,
 * settle.c decides afterwards, once for each name that was marked here. */
#include "common/draft.h"

#include <string.h>

void
draft_mark(struct draft *d, enum name_kind kind, const char *text)
{
	struct name *name = name_get(d->next->names, kind, text);

	if (name != NULL) {
		trie_hold(&name->item.node);
		trie_put(&d->dirty[kind], &name->item);
	}
}

void
draft_touch(struct draft *d, struct node *node)
{
	trie_hold(&node->item.node);
	trie_put(&d->touched, &node->item);
}

static void
edit(struct draft *d, enum name_kind kind, const char *text,
    struct node *node, name_edit *how)
{
	how(d->next->names, kind, text, node, d->round);
	draft_mark(d, kind, text);
}

static void
edit_mails(struct draft *d, struct node *node, name_edit *claim,
    name_edit *watch)
{
	const struct layer *layer = node->layer;
	size_t i;

	for (i = 0; i < layer->mail_count; i++) {
		edit(d, NAME_MAIL, layer->mails[i], node, claim);
		edit(d, NAME_DOMAIN, strrchr(layer->mails[i], '@') + 1, node,
		    watch);
	}
}

/* All that a node says, said or unsaid */
static void
edit_all(struct draft *d, struct node *node, name_edit *claim,
    name_edit *watch)
{
	const struct layer *layer = node->layer;
	size_t i;

	if (layer == NULL)
		return;
	if (layer->kind == LAYER_TEMPLATE)
		edit(d, NAME_TEMPLATE, layer->key, node, claim);
	if (layer->kind == LAYER_TEMPLATE && !node->is_gone &&
	    strcmp(layer->name, "global") == 0)
		edit(d, NAME_GLOBAL, layer->name, node, claim);
	if (layer->kind == LAYER_TENANT)
		edit(d, NAME_ID, layer->name, node, claim);
	for (i = 0; i < layer->domain_count; i++)
		edit(d, NAME_DOMAIN, layer->domains[i], node, claim);
	edit_mails(d, node, claim, watch);
	if (layer->template_key != NULL)
		edit(d, NAME_TEMPLATE, layer->template_key, node, watch);
	if (node->wanted != NULL)
		edit(d, NAME_TEMPLATE, node->wanted->template_key, node,
		    watch);
}

static void
leave(struct trie *names[], enum name_kind kind, const char *text,
    struct node *node, unsigned round)
{
	(void)names;
	(void)kind;
	(void)text;
	(void)node;
	(void)round;
}

void
draft_mark_claims(struct draft *d, struct node *node)
{
	edit_all(d, node, leave, leave);
}

static void
put(struct draft *d, struct trie **nodes, struct node *node)
{
	trie_put(nodes, &node->item);
	edit_all(d, node, name_claim, name_watch);
	draft_touch(d, node);
}

static void
cut(struct draft *d, struct trie **nodes, struct node *node)
{
	trie_hold(&node->item.node);
	edit_all(d, node, name_unclaim, name_unwatch);
	draft_touch(d, node);
	trie_remove(nodes, node->item.key);
	trie_release(&node->item.node);
}

void
draft_forget(struct draft *d, struct node *gone)
{
	cut(d, &d->next->gone, gone);
}

/* A template that comes back takes the place of the one that had gone */
static void
forget_gone(struct draft *d, const struct node *back)
{
	struct node *gone = (struct node *)template_get(d->next->names,
	    back->layer->key);

	if (gone != NULL && gone->is_gone)
		draft_forget(d, gone);
}

static bool
is_same_way(const struct node *old, const struct node *new)
{
	const char *a, *b;

	if (!node_is(old, LAYER_TEMPLATE) || !node_is(new, LAYER_TEMPLATE))
		return node_is(old, LAYER_TEMPLATE) ==
		    node_is(new, LAYER_TEMPLATE);
	a = old->layer->template_key;
	b = new->layer->template_key;
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

void
draft_replace(struct draft *d, struct node *old, struct node *new)
{
	struct node *gone = NULL;
	bool was_tenant = node_is(old, LAYER_TENANT);

	d->has_way_changed = d->has_way_changed || !is_same_way(old, new);
	if (node_is(old, LAYER_TEMPLATE) && !node_is(new, LAYER_TEMPLATE))
		gone = node_gone(old);
	if (was_tenant != node_is(new, LAYER_TENANT))
		draft_touch_below(d, new != NULL ? new : old);
	if (old != NULL)
		cut(d, &d->next->nodes, old);
	if (node_is(new, LAYER_TEMPLATE))
		forget_gone(d, new);
	if (new != NULL)
		put(d, &d->next->nodes, new);
	if (gone != NULL)
		put(d, &d->next->gone, gone);
}

void
draft_touch_part(void *arg, struct trie_item *item)
{
	struct node *node = (struct node *)item;
	struct draft *d = arg;

	if (!node_is(node, LAYER_MAILBOX) && !node_is(node, LAYER_KEY))
		return;
	draft_touch(d, node);
	draft_mark_claims(d, node);
}

void
draft_touch_below(struct draft *d, const struct node *node)
{
	trie_each_below(d->next->nodes, node->item.key, draft_touch_part, d);
}
