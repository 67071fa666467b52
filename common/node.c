/* SPDX-License-Identifier: ISC */
/* node.c - an entry becomes a node: read anew where it has changed, its last
 * good form where it is bad. Never looks at another entry; that is for
 * update.c. Next: layer.c. */
#include "common/node.h"

#include <stdlib.h>
#include <string.h>

#include "common/xmalloc.h"

struct trie_key
node_path(struct arena *arena, const char *key)
{
	size_t len = strlen(key) + 1, name;
	char *path = arena_alloc(arena, len), *at = path + len;
	const char *above;

	for (; key != NULL && *key != '\0'; key = above) {
		above = dn_parent(key);
		name = above != NULL ? (size_t)(above - key) - 1 : strlen(key);
		at -= name + 1;
		memcpy(at, key, name);
	}
	return trie_ordered(at, (size_t)(path + len - at));
}

struct trie_key
node_path_above(struct trie_key path)
{
	const char *bytes = path.bytes;

	if (path.len > 0)
		path.len--;
	while (path.len > 0 && bytes[path.len - 1] != '\0')
		path.len--;
	return path;
}

/* FNV-1a. Who could craft a collision may write the entry anyway. */
static uint64_t
hash_bytes(uint64_t hash, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;

	while (len-- > 0)
		hash = (hash ^ *at++) * 0x100000001b3;
	return hash;
}

static uint64_t
hash_entry(const struct entry *entry)
{
	const struct entry_attribute *a;
	uint64_t hash = 0xcbf29ce484222325;
	size_t i, j;

	/* Each text with its end, so that no two entries read alike */
	hash = hash_bytes(hash, entry->dn, strlen(entry->dn) + 1);
	hash = hash_bytes(hash, &entry->is_damaged, 1);
	for (i = 0; i < entry->count; i++) {
		a = &entry->attributes[i];
		hash = hash_bytes(hash, a->name, strlen(a->name) + 1);
		for (j = 0; j < a->count; j++) {
			hash = hash_bytes(hash, &a->values[j].len,
			    sizeof(a->values[j].len));
			hash = hash_bytes(hash, a->values[j].text,
			    a->values[j].len);
		}
		hash = hash_bytes(hash, "", 1);
	}
	return hash;
}

static void
node_free(struct trie_item *item)
{
	struct node *node = (struct node *)item;

	layer_release(node->layer);
	layer_release(node->wanted);
	findings_free(node->findings);
	free(node);
}

/* Its path may be longer than that one: for what has gone */
static struct node *
make(struct trie_key path, size_t len)
{
	struct node *node = xcalloc(1, sizeof(*node) + len);

	memcpy(node->path, path.bytes, path.len);
	trie_item_init(&node->item, trie_ordered(node->path, len), node_free);
	return node;
}

/* The entry's own layer, NULL: it is none; and whether there may be one that
 * cannot be read */
static struct layer *
read_layer(const struct entry *entry, layer_parser *parse,
    struct findings *findings, bool *is_bad)
{
	enum layer_kind kind;
	struct layer *layer = NULL;

	*is_bad = entry->is_damaged;
	if (layer_kind_of(entry, &kind)) {
		layer = layer_new(entry, kind, parse, findings);
		*is_bad = layer == NULL || !layer->is_good;
	} else if (!entry->is_damaged && entry_has_class(entry,
	    "posternPolicy"))
		findings_add(findings, FINDING_ERROR, entry->dn,
		    "objectClass", "posternPolicy", "no effect without "
		    "posternDomain, posternMailbox or posternTemplate");
	return layer;
}

struct node *
node_new(const struct entry *entry, struct trie_key path, struct layer *last,
    layer_parser *parse)
{
	struct findings *findings = findings_new();
	struct node *node = NULL;
	struct layer *layer;
	bool is_bad;

	layer = read_layer(entry, parse, findings, &is_bad);
	if (is_bad && last != NULL && last->is_good) {
		layer_release(layer);
		layer = layer_hold(last);
		findings_add(findings, FINDING_NOTE, entry->dn, "", "",
		    "the last good form of this entry serves");
	}
	if (findings_count(findings) == 0) {
		findings_free(findings);
		findings = NULL;
	}
	if (layer != NULL || findings != NULL) {
		node = make(path, path.len);
		node->layer = layer;
		node->findings = findings;
		node->hash = hash_entry(entry);
		node->line = entry->line;
	}
	return node;
}

struct node *
node_with(const struct node *node, struct layer *layer, struct layer *wanted)
{
	struct node *copy = make(node->item.key, node->item.key.len);

	copy->layer = layer_hold(layer);
	copy->wanted = wanted != NULL ? layer_hold(wanted) : NULL;
	if (node->findings != NULL) {
		copy->findings = findings_new();
		findings_append(copy->findings, node->findings);
	}
	copy->line = node->line;
	copy->round = node->round;
	copy->hash = node->hash;
	return copy;
}

struct node *
node_gone(const struct node *node)
{
	size_t len = node->item.key.len;
	struct node *gone = make(node->item.key, len + 1);

	gone->path[len] = '\1';
	gone->layer = layer_hold(node->layer);
	gone->is_gone = true;
	gone->line = node->line;
	return gone;
}

bool
node_is_of(const struct node *node, const struct entry *entry)
{
	return node->hash == hash_entry(entry);
}

bool
node_is(const struct node *node, enum layer_kind kind)
{
	return node != NULL && node->layer != NULL &&
	    node->layer->kind == kind;
}

int
node_seniority(const struct node *a, const struct node *b)
{
	bool a_has_time = *a->layer->created != '\0';
	bool b_has_time = *b->layer->created != '\0';
	int order = 0;

	if (a_has_time != b_has_time)
		return a_has_time ? -1 : 1;
	if (a_has_time)
		order = strcmp(a->layer->created, b->layer->created);
	else if (a->line != b->line)
		order = a->line < b->line ? -1 : 1;
	return order != 0 ? order : strcmp(a->layer->key, b->layer->key);
}
