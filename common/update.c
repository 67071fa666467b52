/* SPDX-License-Identifier: ISC */
/* update.c - entries, one at a time, into a draft of the next snapshot: what is
 * as it was is not touched. That all of a reading came, and nothing else is
 * there, is one case of the same. Next: draft.c, settle.c. */
#include "common/update.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "common/draft.h"
#include "common/node.h"
#include "common/settle.h"
#include "common/xmalloc.h"

struct update {
	struct draft draft;
	struct snapshot *nothing;	/* before the first one */
	layer_parser *parse;
	struct arena *arena;		/* of one entry's path */
};

static struct snapshot *
snapshot_new(void)
{
	struct snapshot *s = xcalloc(1, sizeof(*s));

	atomic_init(&s->holds, 1);
	return s;
}

struct update *
update_new(const struct snapshot *previous, layer_parser *parse,
    struct findings *findings)
{
	static atomic_uint rounds;
	struct update *update = xcalloc(1, sizeof(*update));
	struct snapshot *next = snapshot_new();
	int kind;

	update->parse = parse;
	update->arena = arena_new(0);
	update->draft.round = ++rounds;
	update->draft.next = next;
	next->of_reading = findings;
	if (previous == NULL)
		previous = update->nothing = snapshot_new();
	update->draft.before = previous;
	next->nodes = trie_hold(previous->nodes);
	next->gone = trie_hold(previous->gone);
	for (kind = 0; kind < NAME_KINDS; kind++)
		next->names[kind] = trie_hold(previous->names[kind]);
	next->estates = trie_hold(previous->estates);
	next->faults = trie_hold(previous->faults);
	next->errors = previous->errors;
	return update;
}

static struct node *
find(struct update *update, const char *key, struct trie_key *path)
{
	arena_reset(update->arena);
	*path = node_path(update->arena, key);
	return (struct node *)trie_get(update->draft.next->nodes, *path);
}

/* What serves for an entry so far, also for a template that had gone */
static struct layer *
last_layer(const struct update *update, const struct node *old,
    const char *key)
{
	if (old == NULL || old->layer == NULL)
		old = template_get(update->draft.next->names, key);
	return old != NULL ? old->layer : NULL;
}

void
update_take(void *arg, const struct entry *entry)
{
	struct update *update = arg;
	struct trie_key path;
	struct node *old = find(update, entry->key, &path), *new;

	if (old != NULL && node_is_of(old, entry)) {
		old->line = entry->line;
		old->round = update->draft.round;
		return;
	}
	new = node_new(entry, path, last_layer(update, old, entry->key),
	    update->parse);
	if (new != NULL)
		new->round = update->draft.round;
	if (old != NULL || new != NULL)
		draft_replace(&update->draft, old, new);
}

void
update_gone(void *arg, const char *key)
{
	struct update *update = arg;
	struct trie_key path;
	struct node *old = find(update, key, &path);

	if (old != NULL)
		draft_replace(&update->draft, old, NULL);
}

static void
drop_unseen(void *arg, struct trie_item *item)
{
	struct node *node = (struct node *)item;
	struct draft *draft = arg;

	if (node->round != draft->round)
		draft_replace(draft, node, NULL);
}

/* In a file the first claim holds, and the entries may have changed places.
 * Who lost one has a fault. */
static void
contest_again(void *arg, struct trie_item *fault)
{
	struct draft *draft = arg;
	struct trie_item *item = trie_get(draft->next->nodes, fault->key);

	if (item != NULL)
		draft_mark_claims(draft, (struct node *)item);
}

/* All but what it has made */
static void
end(struct update *update)
{
	int kind;

	for (kind = 0; kind < NAME_KINDS; kind++)
		trie_release(update->draft.dirty[kind]);
	trie_release(update->draft.touched);
	snapshot_release(update->nothing);
	arena_free(update->arena);
	free(update);
}

struct snapshot *
update_settle(struct update *update, bool is_whole)
{
	struct draft *draft = &update->draft;
	struct snapshot *next = draft->next;

	if (is_whole) {
		trie_each(next->nodes, drop_unseen, draft);
		trie_each(next->faults, contest_again, draft);
	}
	settle(draft);
	end(update);
	return next;
}

void
update_drop(struct update *update)
{
	snapshot_release(update->draft.next);
	end(update);
}
