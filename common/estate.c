/* SPDX-License-Identifier: ISC */
/* estate.c - what belongs to which tenant, listed: two maps a tenant, and none
 * where it has nothing. Whose something is, update.c decides. */
#include "common/estate.h"

#include <stdlib.h>
#include <string.h>

#include "common/xmalloc.h"

struct estate {
	struct trie_item item;	/* by the tenant's id */
	struct trie *mailboxes, *keys;
	unsigned round;
	char id[];
};

static void
estate_free(struct trie_item *item)
{
	struct estate *estate = (struct estate *)item;

	trie_release(estate->mailboxes);
	trie_release(estate->keys);
	free(estate);
}

static struct trie_key
key_of(const char *id)
{
	return trie_hashed(id, strlen(id) + 1);
}

static struct estate *
find(const struct trie *estates, const char *id)
{
	return (struct estate *)trie_get(estates, key_of(id));
}

static struct trie **
part(struct estate *estate, enum layer_kind kind)
{
	return kind == LAYER_KEY ? &estate->keys : &estate->mailboxes;
}

struct trie *
estate_of(const struct trie *estates, const char *id, enum layer_kind kind)
{
	struct estate *estate = find(estates, id);

	return estate != NULL ? *part(estate, kind) : NULL;
}

/* One that may be changed in this round */
static struct estate *
own(struct trie **estates, const char *id, unsigned round)
{
	struct estate *was = find(*estates, id), *estate;
	size_t len = strlen(id) + 1;

	if (was != NULL && was->round == round)
		return was;
	estate = xcalloc(1, sizeof(*estate) + len);
	memcpy(estate->id, id, len);
	trie_item_init(&estate->item, key_of(estate->id), estate_free);
	estate->round = round;
	if (was != NULL) {
		estate->mailboxes = trie_hold(was->mailboxes);
		estate->keys = trie_hold(was->keys);
	}
	trie_put(estates, &estate->item);
	return estate;
}

void
estate_add(struct trie **estates, const char *id, struct node *node,
    unsigned round)
{
	struct estate *estate = own(estates, id, round);

	trie_hold(&node->item.node);
	trie_put(part(estate, node->layer->kind), &node->item);
}

void
estate_remove(struct trie **estates, const char *id, const struct node *node,
    unsigned round)
{
	struct estate *estate = own(estates, id, round);

	trie_remove(part(estate, node->layer->kind), node->item.key);
	if (estate->mailboxes == NULL && estate->keys == NULL)
		trie_remove(estates, key_of(id));
}
