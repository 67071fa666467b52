/* SPDX-License-Identifier: ISC */
/* snapshot.c - who has what, as update.c has decided it: looked up, never
 * worked out. Any thread that holds it may read it. */
#include "common/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "common/estate.h"
#include "common/xmalloc.h"

struct snapshot *
snapshot_hold(struct snapshot *snapshot)
{
	atomic_fetch_add_explicit(&snapshot->holds, 1, memory_order_relaxed);
	return snapshot;
}

void
snapshot_release(struct snapshot *s)
{
	int kind;

	if (s == NULL || atomic_fetch_sub(&s->holds, 1) != 1)
		return;
	trie_release(s->nodes);
	trie_release(s->gone);
	for (kind = 0; kind < NAME_KINDS; kind++)
		trie_release(s->names[kind]);
	trie_release(s->estates);
	trie_release(s->faults);
	findings_free(s->of_reading);
	findings_free(s->all);
	free(s);
}

bool
snapshot_is_last_hold(const struct snapshot *snapshot)
{
	return atomic_load(&snapshot->holds) == 1;
}

static void
fault_free(struct trie_item *item)
{
	struct fault *fault = (struct fault *)item;

	findings_free(fault->findings);
	free(fault);
}

struct fault *
fault_new(struct trie_key path, struct findings *findings)
{
	struct fault *fault = xmalloc(sizeof(*fault) + path.len);

	path.bytes = memcpy(fault->path, path.bytes, path.len);
	trie_item_init(&fault->item, path, fault_free);
	fault->findings = findings;
	return fault;
}

static void
append_fault(void *arg, struct trie_item *item)
{
	const struct fault *fault = (const struct fault *)item;

	findings_append(arg, fault->findings);
}

const struct findings *
snapshot_findings(const struct snapshot *snapshot)
{
	struct snapshot *s = (struct snapshot *)snapshot;
	struct findings *all = s->all, *none = NULL;

	if (all != NULL)
		return all;
	all = findings_new();
	findings_append(all, s->of_reading);
	trie_each(s->faults, append_fault, all);
	if (!atomic_compare_exchange_strong(&s->all, &none, all)) {
		findings_free(all);	/* another thread was first */
		all = none;
	}
	return all;
}

size_t
snapshot_errors(const struct snapshot *snapshot)
{
	return snapshot->errors + findings_errors(snapshot->of_reading);
}

size_t
snapshot_tenants(const struct snapshot *snapshot)
{
	return trie_count(snapshot->names[NAME_ID]);
}

const struct tenant *
snapshot_tenant_at(const struct snapshot *snapshot, size_t at)
{
	return ((const struct name *)trie_at(snapshot->names[NAME_ID],
	    at))->tenant;
}

const struct tenant *
snapshot_tenant_by_id(const struct snapshot *snapshot, const char *id)
{
	const struct name *name = name_get(snapshot->names, NAME_ID,
	    id);

	return name != NULL ? name->tenant : NULL;
}

const struct tenant *
snapshot_tenant_of(const struct snapshot *snapshot, const char *domain)
{
	const struct name *name = name_get(snapshot->names, NAME_DOMAIN,
	    domain);

	return name != NULL ? name->tenant : NULL;
}

const struct layer *
snapshot_mailbox(const struct snapshot *snapshot, const char *address)
{
	const struct name *name = name_get(snapshot->names, NAME_MAIL,
	    address);

	return name != NULL && name->holder != NULL ? name->holder->layer
	    : NULL;
}

size_t
snapshot_mailboxes(const struct snapshot *snapshot,
    const struct tenant *tenant)
{
	return trie_count(estate_of(snapshot->estates, tenant->id,
	    LAYER_MAILBOX));
}

static const struct layer *
part_at(const struct snapshot *snapshot, const struct tenant *tenant,
    enum layer_kind kind, size_t at)
{
	const struct trie *all = estate_of(snapshot->estates, tenant->id,
	    kind);

	return at < trie_count(all)
	    ? ((const struct node *)trie_at(all, at))->layer : NULL;
}

const struct layer *
snapshot_mailbox_at(const struct snapshot *snapshot,
    const struct tenant *tenant, size_t at)
{
	return part_at(snapshot, tenant, LAYER_MAILBOX, at);
}

const struct layer *
snapshot_key_at(const struct snapshot *snapshot, const struct tenant *tenant,
    size_t at)
{
	return part_at(snapshot, tenant, LAYER_KEY, at);
}

struct visit {
	void (*visit)(void *arg, const struct layer *layer);
	void *arg;
};

static void
visit_layer(void *arg, struct trie_item *item)
{
	const struct layer *layer = ((const struct node *)item)->layer;
	const struct visit *to = arg;

	if (layer != NULL)
		to->visit(to->arg, layer);
}

void
snapshot_each_layer(const struct snapshot *snapshot,
    void (*visit)(void *arg, const struct layer *layer), void *arg)
{
	struct visit to = { visit, arg };

	trie_each(snapshot->nodes, visit_layer, &to);
}

void
chain_of(const struct snapshot *snapshot, const struct tenant *tenant,
    const struct layer *mailbox, struct chain *out)
{
	out->count = 0;
	if (mailbox != NULL)
		out->layers[out->count++] = mailbox;
	if (tenant != NULL)
		out->layers[out->count++] = tenant->layer;
	out->count += template_chain(snapshot->names,
	    tenant != NULL ? tenant->layer->template_key : NULL,
	    out->layers + out->count);
}

static void
count_removed(void *arg, struct trie_item *before, struct trie_item *after)
{
	size_t *removed = arg;

	*removed += before != NULL && after == NULL;
}

size_t
snapshot_removed(const struct snapshot *previous,
    const struct snapshot *next)
{
	size_t removed = 0;

	trie_compare(previous->names[NAME_ID], next->names[NAME_ID],
	    count_removed, &removed);
	return removed;
}

static void
append_difference(void *arg, struct trie_item *before,
    struct trie_item *after)
{
	struct findings **sides = arg;

	if (before != NULL)
		append_fault(sides[0], before);
	if (after != NULL)
		append_fault(sides[1], after);
}

void
snapshot_log(const struct snapshot *next, const struct snapshot *previous)
{
	struct findings *sides[] = { findings_new(), findings_new() };

	if (previous != NULL)
		findings_append(sides[0], previous->of_reading);
	findings_append(sides[1], next->of_reading);
	trie_compare(previous != NULL ? previous->faults : NULL, next->faults,
	    append_difference, sides);
	findings_log("directory", sides[1], sides[0]);
	findings_free(sides[0]);
	findings_free(sides[1]);
}
