/* SPDX-License-Identifier: ISC */
/* name.c - the claims to a name, in order of seniority, and who watches it.
 * Never decides who holds it: update.c does. */
#include "common/name.h"

#include <stdlib.h>
#include <string.h>

#include "common/xmalloc.h"

static void
name_free(struct trie_item *item)
{
	struct name *name = (struct name *)item;
	unsigned i;

	for (i = 0; i < name->count; i++)
		trie_release(&name->claims[i]->item.node);
	trie_release(name->watchers);
	tenant_release(name->tenant);
	free(name);
}

/* Tenants are listed in order; domains and addresses are looked up for every
 * message */
static struct trie_key
key_of(enum name_kind kind, const char *text)
{
	size_t len = strlen(text) + 1;

	return kind == NAME_ID ? trie_ordered(text, len)
	    : trie_hashed(text, len);
}

struct name *
name_get(struct trie *const names[], enum name_kind kind, const char *text)
{
	return (struct name *)trie_get(names[kind], key_of(kind, text));
}

const struct node *
name_first(const struct name *name)
{
	return name != NULL && name->count > 0 ? name->claims[0] : NULL;
}

static struct name *
make(enum name_kind kind, struct trie_key key, unsigned round, unsigned count)
{
	struct name *name = xcalloc(1, sizeof(*name) +
	    count * sizeof(name->claims[0]) + key.len);

	key.bytes = memcpy(&name->claims[count], key.bytes, key.len);
	trie_item_init(&name->item, key, name_free);
	name->kind = kind;
	name->round = round;
	name->count = count;
	return name;
}

/* In the place of that one, with other claims, the holds on which it takes
 * over */
static struct name *
replace(struct trie *names[], const struct name *name, unsigned round,
    struct node *const *claims, unsigned count)
{
	struct name *new = make(name->kind, name->item.key, round, count);

	if (count > 0)
		memcpy(new->claims, claims, count * sizeof(claims[0]));
	new->watchers = trie_hold(name->watchers);
	new->holder = name->holder;
	new->tenant = tenant_hold(name->tenant);
	trie_put(&names[name->kind], &new->item);
	return new;
}

struct name *
name_own(struct trie *names[], struct name *name, unsigned round)
{
	unsigned i;

	if (name->round == round)
		return name;
	for (i = 0; i < name->count; i++)
		trie_hold(&name->claims[i]->item.node);
	return replace(names, name, round, name->claims, name->count);
}

static struct name *
find_or_make(struct trie *names[], enum name_kind kind, const char *text,
    unsigned round)
{
	struct name *name = name_get(names, kind, text);

	if (name == NULL) {
		name = make(kind, key_of(kind, text), round, 0);
		trie_put(&names[kind], &name->item);
	}
	return name;
}

static unsigned
find_claim(const struct name *name, const struct node *node)
{
	unsigned i;

	for (i = 0; i < name->count && name->claims[i] != node; i++)
		;
	return i;
}

void
name_claim(struct trie *names[], enum name_kind kind, const char *text,
    struct node *node, unsigned round)
{
	struct name *name = find_or_make(names, kind, text, round);
	unsigned i, at = 0, count = name->count;
	struct node **claims;

	if (find_claim(name, node) < count)
		return;
	claims = xcalloc(count + 1, sizeof(claims[0]));
	while (at < count && node_seniority(name->claims[at], node) < 0)
		at++;
	for (i = 0; i <= count; i++) {
		claims[i] = i == at ? node : name->claims[i - (i > at)];
		trie_hold(&claims[i]->item.node);
	}
	replace(names, name, round, claims, count + 1);
	free(claims);
}

void
name_unclaim(struct trie *names[], enum name_kind kind, const char *text,
    struct node *node, unsigned round)
{
	struct name *name = name_get(names, kind, text), *new;
	struct node **claims;
	unsigned i, count = 0;

	if (name == NULL || find_claim(name, node) == name->count)
		return;
	claims = xcalloc(name->count, sizeof(claims[0]));
	for (i = 0; i < name->count; i++)
		if (name->claims[i] != node) {
			claims[count] = name->claims[i];
			trie_hold(&claims[count++]->item.node);
		}
	new = replace(names, name, round, claims, count);
	if (new->holder == node) {
		new->holder = NULL;
		tenant_release(new->tenant);
		new->tenant = NULL;
	}
	free(claims);
}

void
name_watch(struct trie *names[], enum name_kind kind, const char *text,
    struct node *node, unsigned round)
{
	struct name *name = name_own(names, find_or_make(names, kind, text,
	    round), round);

	trie_hold(&node->item.node);
	trie_put(&name->watchers, &node->item);
}

void
name_unwatch(struct trie *names[], enum name_kind kind, const char *text,
    struct node *node, unsigned round)
{
	struct name *name = name_get(names, kind, text);

	if (name == NULL)
		return;
	name = name_own(names, name, round);
	trie_remove(&name->watchers, node->item.key);
}

void
name_sort(struct trie *names[], struct name *name, unsigned round)
{
	struct node *claim;
	unsigned i, at;

	for (i = 1; i < name->count; i++) {
		if (node_seniority(name->claims[i - 1], name->claims[i]) < 0)
			continue;
		name = name_own(names, name, round);
		claim = name->claims[i];
		for (at = i; at > 0 && node_seniority(claim,
		    name->claims[at - 1]) < 0; at--)
			name->claims[at] = name->claims[at - 1];
		name->claims[at] = claim;
	}
}
