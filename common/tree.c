/* SPDX-License-Identifier: ISC */
/* tree.c - which entries are there while changes come, one after the other: what
 * is changed must be there, what is added must not, and has something above it.
 * What a change makes of an entry: entry_change.c. */
#include "common/tree.h"

#include <stdlib.h>
#include <string.h>

#include "common/entry_change.h"
#include "common/table.h"
#include "common/xmalloc.h"

struct node {
	const char *key;
	struct entry *entry;	/* NULL: there is none */
};

/* How many stand right below a DN */
struct children {
	size_t count;
};

struct tree {
	const struct tree_rest *rest;
	struct arena *arena;
	struct table *by_key;	/* to nodes */
	struct table *children;	/* by the key of their parent */
	struct node **nodes;	/* in the order in which they came */
	size_t count, room;
	unsigned long line;	/* the last of all that were taken */
};

struct tree *
tree_new(const struct tree_rest *rest)
{
	struct tree *tree = xcalloc(1, sizeof(*tree));

	tree->rest = rest;
	tree->arena = arena_new(1 << 16);
	tree->by_key = table_new();
	tree->children = table_new();
	return tree;
}

void
tree_free(struct tree *tree)
{
	if (tree == NULL)
		return;
	table_free(tree->by_key);
	table_free(tree->children);
	arena_free(tree->arena);
	free(tree->nodes);
	free(tree);
}

static struct node *
node_for(struct tree *tree, const char *key)
{
	struct node *node = table_gets(tree->by_key, key);

	if (node != NULL)
		return node;
	node = arena_alloc(tree->arena, sizeof(*node));
	node->key = arena_strdup(tree->arena, key);
	table_puts(tree->by_key, node->key, node);
	if (tree->count == tree->room) {
		tree->room = tree->room ? 2 * tree->room : 64;
		tree->nodes = xrealloc(tree->nodes, tree->room,
		    sizeof(struct node *));
	}
	tree->nodes[tree->count++] = node;
	return node;
}

static struct children *
children_of(struct tree *tree, const char *key)
{
	struct children *children = table_gets(tree->children, key);

	if (children == NULL) {
		children = arena_alloc(tree->arena, sizeof(*children));
		table_puts(tree->children, key, children);
	}
	return children;
}

/* The entry of a node from now on; NULL: it has none */
static void
place(struct tree *tree, struct node *node, struct entry *entry)
{
	const char *parent = dn_parent(node->key);

	if (parent != NULL && node->entry == NULL && entry != NULL)
		children_of(tree, parent)->count++;
	if (parent != NULL && node->entry != NULL && entry == NULL)
		children_of(tree, parent)->count--;
	node->entry = entry;
}

void
tree_take(void *arg, const struct entry *entry)
{
	struct tree *tree = arg;

	if (table_gets(tree->by_key, entry->key) != NULL)
		return;
	if (entry->line > tree->line)
		tree->line = entry->line;
	place(tree, node_for(tree, entry->key),
	    entry_copy(tree->arena, entry, entry->dn));
}

static enum tree_result
fetch(struct tree *tree, const char *dn, enum tree_scope scope,
    const char **why)
{
	if (tree->rest == NULL || tree->rest->fetch(tree->rest->arg, tree, dn,
	    scope, why) == 0)
		return TREE_DONE;
	return TREE_UNKNOWN;
}

/* The node of a DN, whose entry is there or is not */
static enum tree_result
find(struct tree *tree, const char *key, struct node **out, const char **why)
{
	enum tree_result result = TREE_DONE;

	if (table_gets(tree->by_key, key) == NULL)
		result = fetch(tree, key, TREE_SELF, why);
	*out = node_for(tree, key);
	return result;
}

static enum tree_result
refuse(const char **why, const char *reason)
{
	*why = reason;
	return TREE_REFUSED;
}

static enum tree_result
find_there(struct tree *tree, const char *key, struct node **out,
    const char **why)
{
	enum tree_result result = find(tree, key, out, why);

	if (result == TREE_DONE && (*out)->entry == NULL)
		return refuse(why, "there is no such entry");
	return result;
}

/* A file may leave parents out, a server has them all */
static enum tree_result
find_parent(struct tree *tree, const char *key, const char **why)
{
	const char *parent = dn_parent(key);
	enum tree_result result;
	struct node *node;

	if (parent == NULL || *parent == '\0' || tree->rest == NULL)
		return TREE_DONE;
	result = find(tree, parent, &node, why);
	if (result == TREE_DONE && node->entry == NULL)
		return refuse(why, "the entry above it is not there");
	return result;
}

static bool
is_below(const char *key, const char *above)
{
	size_t len = strlen(key), end = strlen(above);

	return len > end && key[len - end - 1] == ',' &&
	    strcmp(key + len - end, above) == 0;
}

/* ---- Changes ---- */

static enum tree_result
apply_add(struct tree *tree, const struct change *change, const char **why)
{
	enum tree_result result;
	struct node *node;

	result = find(tree, change->entry->key, &node, why);
	if (result == TREE_DONE && node->entry != NULL)
		return refuse(why, "this entry is there already");
	if (result == TREE_DONE)
		result = find_parent(tree, node->key, why);
	if (result != TREE_DONE)
		return result;
	place(tree, node, entry_copy(tree->arena, change->entry,
	    change->entry->dn));
	node->entry->line = ++tree->line;
	return TREE_DONE;
}

static enum tree_result
apply_delete(struct tree *tree, const struct change *change, const char **why)
{
	enum tree_result result;
	struct node *node;

	result = find_there(tree, change->entry->key, &node, why);
	if (result == TREE_DONE)
		result = fetch(tree, change->entry->dn, TREE_CHILDREN, why);
	if (result != TREE_DONE)
		return result;
	if (children_of(tree, node->key)->count > 0)
		return refuse(why, "others stand below it");
	place(tree, node, NULL);
	return TREE_DONE;
}

static enum tree_result
apply_modify(struct tree *tree, const struct change *change, const char **why)
{
	enum tree_result result;
	struct entry *entry;
	struct node *node;

	result = find_there(tree, change->entry->key, &node, why);
	if (result != TREE_DONE)
		return result;
	entry = entry_copy(tree->arena, node->entry, node->entry->dn);
	*why = entry_modify(tree->arena, entry, change, tree->rest != NULL
	    ? tree->rest->attributes : NULL);
	if (*why != NULL)
		return TREE_REFUSED;
	node->entry = entry;
	return TREE_DONE;
}

/* To another DN; the node that it had stays, without an entry */
static void
move(struct tree *tree, struct node *from, const char *dn, const char *key)
{
	struct entry *entry = entry_copy(tree->arena, from->entry, dn);

	place(tree, from, NULL);
	place(tree, node_for(tree, key), entry);
}

static void
move_all_below(struct tree *tree, const char *old, const char *new)
{
	size_t i, count = tree->count;
	const char *dn, *key;
	struct node *node;

	for (i = 0; i < count; i++) {
		node = tree->nodes[i];
		if (node->entry == NULL || !is_below(node->key, old))
			continue;
		dn = arena_printf(tree->arena, "%.*s%s",
		    (int)(strlen(node->key) - strlen(old)), node->key, new);
		if ((key = dn_normalise(tree->arena, dn)) != NULL)
			move(tree, node, dn, key);
	}
}

/* Whether the new place is free and has something above it */
static enum tree_result
check_place(struct tree *tree, const char *old, const char *key,
    const char **why)
{
	enum tree_result result = TREE_DONE;
	struct node *node;

	if (is_below(key, old))
		return refuse(why, "it cannot be moved below itself");
	if (strcmp(key, old) != 0) {
		result = find(tree, key, &node, why);
		if (result == TREE_DONE && node->entry != NULL)
			return refuse(why, "an entry with the new DN is there "
			    "already");
	}
	return result == TREE_DONE ? find_parent(tree, key, why) : result;
}

static enum tree_result
apply_rename(struct tree *tree, const struct change *change, const char **why)
{
	const char *old = change->entry->dn, *rdn, *dn, *key, *above;
	struct entry *entry;
	struct node *node;
	enum tree_result result;

	result = find_there(tree, change->entry->key, &node, why);
	if (result != TREE_DONE)
		return result;
	rdn = dn_normalise(tree->arena, change->new_rdn);
	if (rdn == NULL || *rdn == '\0' || dn_parent(rdn) != NULL)
		return refuse(why, "newrdn: not one RDN");
	above = change->new_superior != NULL ? change->new_superior
	    : dn_parent(node->key);
	dn = arena_printf(tree->arena, "%s%s%s", change->new_rdn,
	    above != NULL && *above != '\0' ? "," : "",
	    above != NULL ? above : "");
	if ((key = dn_normalise(tree->arena, dn)) == NULL)
		return refuse(why, "newsuperior: not a DN");
	result = check_place(tree, node->key, key, why);
	if (result == TREE_DONE)
		result = fetch(tree, old, TREE_BELOW, why);
	if (result != TREE_DONE)
		return result;
	entry = entry_copy(tree->arena, node->entry, dn);
	entry_rename(tree->arena, entry, old, change->deletes_old_rdn);
	node->entry = entry;
	if (strcmp(key, node->key) == 0)
		return TREE_DONE;
	move(tree, node, dn, key);
	move_all_below(tree, node->key, dn);
	return TREE_DONE;
}

enum tree_result
tree_apply(struct tree *tree, const struct change *change, const char **why)
{
	static enum tree_result (*const kinds[])(struct tree *,
	    const struct change *, const char **) = {
		[CHANGE_ADD] = apply_add,
		[CHANGE_DELETE] = apply_delete,
		[CHANGE_MODIFY] = apply_modify,
		[CHANGE_RENAME] = apply_rename,
	};

	return kinds[change->kind](tree, change, why);
}

void
tree_give(const struct tree *tree,
    void (*take)(void *arg, const struct entry *entry), void *arg)
{
	size_t i;

	for (i = 0; i < tree->count; i++)
		if (tree->nodes[i]->entry != NULL)
			take(arg, tree->nodes[i]->entry);
}
