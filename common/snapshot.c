/* SPDX-License-Identifier: ISC */
/* snapshot.c - all entries together: whose is a domain that two claim, whose
 * mailbox is an address, and what serves where an entry has become bad. Once
 * built nothing in it changes; it is read from one thread, freed by any. */
#include "common/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "common/reading.h"
#include "common/table.h"
#include "common/xmalloc.h"

/* A mailbox or a key, and whose it is */
struct part {
	const struct tenant *tenant;
	const struct layer *layer;
};

struct parts {
	struct part *list;	/* in order of tenant, then name or DN */
	size_t count, room;
};

struct snapshot {
	atomic_uint holds;
	struct arena *arena;
	struct findings *findings;
	struct reading *reading;
	struct tenant **tenants;	/* in order of id */
	size_t tenant_count, tenant_room;
	struct table *by_id, *by_domain;	/* to tenants */
	struct parts mailboxes, keys;
	struct table *by_mail;	/* to layers */
};

/* Room for one more behind count items */
static void *
grow(void *items, size_t count, size_t *room, size_t bytes)
{
	if (count < *room)
		return items;
	*room = *room ? 2 * *room : 64;
	return xrealloc(items, *room, bytes);
}

/* The domains that nobody has claimed before */
static void
claim_domains(struct snapshot *s, struct tenant *tenant)
{
	const struct layer *layer = tenant->layer;
	const char **held = arena_alloc(s->arena,
	    layer->domain_count * sizeof(*held));
	const struct tenant *holder;
	size_t i;

	tenant->domains = held;
	for (i = 0; i < layer->domain_count; i++) {
		holder = table_gets(s->by_domain, layer->domains[i]);
		if (holder == NULL) {
			table_puts(s->by_domain, layer->domains[i], tenant);
			held[tenant->domain_count++] = layer->domains[i];
		} else if (holder != tenant)
			findings_add(s->findings, FINDING_ERROR, layer->dn,
			    "associatedDomain", layer->domains[i],
			    "%s has it already", holder->layer->dn);
	}
}

static void
take_tenant(struct snapshot *s, struct layer *layer)
{
	const struct tenant *holder = table_gets(s->by_id, layer->name);
	struct tenant *tenant;

	if (holder != NULL) {
		findings_add(s->findings, FINDING_ERROR, layer->dn, "", "",
		    "refused: the tenant id %s is taken by %s", holder->id,
		    holder->layer->dn);
		return;
	}
	tenant = arena_alloc(s->arena, sizeof(*tenant));
	tenant->id = layer->name;
	tenant->layer = layer;
	tenant->template = templates_of(reading_templates(s->reading), layer,
	    s->findings);
	claim_domains(s, tenant);
	table_puts(s->by_id, tenant->id, tenant);
	s->tenants = grow(s->tenants, s->tenant_count, &s->tenant_room,
	    sizeof(struct tenant *));
	s->tenants[s->tenant_count++] = tenant;
}

/* The tenant's layer nearest above, in force or refused */
static const struct layer *
tenant_above(const struct snapshot *s, const char *key)
{
	const struct layer *layer;

	while ((key = dn_parent(key)) != NULL) {
		layer = reading_find(s->reading, key);
		if (layer != NULL && layer->kind == LAYER_TENANT)
			return layer;
	}
	return NULL;
}

/* The tenant that an entry stands below, NULL: none. -1, and reported, where
 * that one is refused. */
static int
owner_above(struct snapshot *s, const struct layer *layer,
    const struct tenant **owner)
{
	const struct layer *above = tenant_above(s, layer->key);

	*owner = above != NULL ? snapshot_tenant_by_id(s, above->name) : NULL;
	if (above == NULL || (*owner)->layer == above)
		return 0;
	findings_add(s->findings, FINDING_ERROR, layer->dn, "", "",
	    "no effect: its tenant %s is refused", above->dn);
	return -1;
}

/* One mail value, for its owner or whoever has its domain. The owner then;
 * NULL, and reported, where it has no effect. */
static const struct tenant *
claim_mail(struct snapshot *s, struct layer *layer, const char *mail,
    const struct tenant *owner)
{
	const struct tenant *tenant;
	const struct layer *holder;

	tenant = snapshot_tenant_of(s, strrchr(mail, '@') + 1);
	if (tenant == NULL || (owner != NULL && tenant != owner)) {
		findings_add(s->findings, FINDING_ERROR, layer->dn, "mail",
		    mail, "no effect: %s%s has this domain",
		    owner != NULL ? "not its tenant " : "no tenant",
		    owner != NULL ? owner->id : "");
		return NULL;
	}
	if ((holder = table_gets(s->by_mail, mail)) == layer)
		return tenant;
	if (holder != NULL) {
		findings_add(s->findings, FINDING_ERROR, layer->dn, "mail",
		    mail, "%s has it already", holder->dn);
		return NULL;
	}
	table_puts(s->by_mail, mail, layer);
	return tenant;
}

static void
add_part(struct parts *parts, const struct tenant *tenant,
    const struct layer *layer)
{
	parts->list = grow(parts->list, parts->count, &parts->room,
	    sizeof(*parts->list));
	parts->list[parts->count++] = (struct part){ tenant, layer };
}

static void
take_mailbox(struct snapshot *s, struct layer *layer)
{
	const struct tenant *owner, *claimed;
	size_t i, held = 0;

	if (owner_above(s, layer, &owner) != 0)
		return;
	for (i = 0; i < layer->mail_count; i++) {
		claimed = claim_mail(s, layer, layer->mails[i], owner);
		if (claimed == NULL)
			continue;
		owner = claimed;
		held++;
	}
	if (held == 0)
		return;
	add_part(&s->mailboxes, owner, layer);
}

static void
take_key(struct snapshot *s, struct layer *layer)
{
	const struct tenant *owner;

	if (owner_above(s, layer, &owner) != 0)
		return;
	if (owner != NULL)
		add_part(&s->keys, owner, layer);
	else
		findings_add(s->findings, FINDING_ERROR, layer->dn, "", "",
		    "no effect: a key stands below its tenant");
}

static int
by_id(const void *left, const void *right)
{
	const struct tenant *const *a = left, *const *b = right;

	return strcmp((*a)->id, (*b)->id);
}

static int
by_tenant(const void *left, const void *right)
{
	const struct part *a = left, *b = right;
	int order = strcmp(a->tenant->id, b->tenant->id);

	if (order == 0 && a->layer->kind == LAYER_MAILBOX)
		order = strcmp(a->layer->name, b->layer->name);
	return order != 0 ? order : strcmp(a->layer->key, b->layer->key);
}

static void
sort_parts(struct parts *parts)
{
	if (parts->count > 0)
		qsort(parts->list, parts->count, sizeof(*parts->list),
		    by_tenant);
}

/* The tenant's at-th, NULL: it has no more */
static const struct layer *
part_at(const struct parts *parts, const struct tenant *tenant, size_t at)
{
	const struct part *list = parts->list;
	size_t low = 0, high = parts->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (strcmp(list[middle].tenant->id, tenant->id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (at >= parts->count - low || list[low + at].tenant != tenant)
		return NULL;
	return list[low + at].layer;
}

struct snapshot *
snapshot_new(const struct snapshot *previous, layer_parser *parse,
    struct findings *findings)
{
	struct snapshot *s = xcalloc(1, sizeof(*s));

	atomic_init(&s->holds, 1);
	s->arena = arena_new(0);
	s->findings = findings;
	s->by_id = table_new();
	s->by_domain = table_new();
	s->by_mail = table_new();
	s->reading = reading_new(s->arena,
	    previous != NULL ? previous->reading : NULL, parse, findings);
	return s;
}

void
snapshot_take(void *snapshot, const struct entry *entry)
{
	struct snapshot *s = snapshot;

	reading_take(s->reading, entry);
}

void
snapshot_settle(struct snapshot *s)
{
	struct layer *layer;
	size_t i;

	reading_settle(s->reading);
	for (i = 0; (layer = reading_at(s->reading, i)) != NULL; i++)
		if (layer->kind == LAYER_TENANT)
			take_tenant(s, layer);
	templates_link(reading_templates(s->reading), s->findings);
	for (i = 0; (layer = reading_at(s->reading, i)) != NULL; i++)
		if (layer->kind == LAYER_MAILBOX)
			take_mailbox(s, layer);
		else if (layer->kind == LAYER_KEY)
			take_key(s, layer);
	if (s->tenant_count > 0)
		qsort(s->tenants, s->tenant_count, sizeof(struct tenant *),
		    by_id);
	sort_parts(&s->mailboxes);
	sort_parts(&s->keys);
}

struct snapshot *
snapshot_hold(struct snapshot *snapshot)
{
	atomic_fetch_add_explicit(&snapshot->holds, 1, memory_order_relaxed);
	return snapshot;
}

void
snapshot_release(struct snapshot *s)
{
	if (s == NULL || atomic_fetch_sub(&s->holds, 1) != 1)
		return;
	reading_free(s->reading);
	table_free(s->by_id);
	table_free(s->by_domain);
	table_free(s->by_mail);
	free(s->tenants);
	free(s->mailboxes.list);
	free(s->keys.list);
	findings_free(s->findings);
	arena_free(s->arena);
	free(s);
}

bool
snapshot_is_last_hold(const struct snapshot *snapshot)
{
	return atomic_load(&snapshot->holds) == 1;
}

const struct findings *
snapshot_findings(const struct snapshot *snapshot)
{
	return snapshot->findings;
}

size_t
snapshot_tenants(const struct snapshot *snapshot)
{
	return snapshot->tenant_count;
}

const struct tenant *
snapshot_tenant_at(const struct snapshot *snapshot, size_t at)
{
	return snapshot->tenants[at];
}

const struct tenant *
snapshot_tenant_by_id(const struct snapshot *snapshot, const char *id)
{
	return table_gets(snapshot->by_id, id);
}

const struct tenant *
snapshot_tenant_of(const struct snapshot *snapshot, const char *domain)
{
	return table_gets(snapshot->by_domain, domain);
}

const struct layer *
snapshot_mailbox(const struct snapshot *snapshot, const char *address)
{
	return table_gets(snapshot->by_mail, address);
}

const struct layer *
snapshot_mailbox_at(const struct snapshot *snapshot,
    const struct tenant *tenant, size_t at)
{
	return part_at(&snapshot->mailboxes, tenant, at);
}

const struct layer *
snapshot_key_at(const struct snapshot *snapshot, const struct tenant *tenant,
    size_t at)
{
	return part_at(&snapshot->keys, tenant, at);
}

const struct layer *
snapshot_layer_at(const struct snapshot *snapshot, size_t at)
{
	return reading_at(snapshot->reading, at);
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
	out->count += template_chain(
	    reading_templates(snapshot->reading),
	    tenant != NULL ? tenant->template : NULL,
	    out->layers + out->count);
}

size_t
snapshot_removed(const struct snapshot *previous,
    const struct snapshot *next)
{
	size_t i, removed = 0;

	for (i = 0; i < previous->tenant_count; i++)
		removed += snapshot_tenant_by_id(next,
		    previous->tenants[i]->id) == NULL;
	return removed;
}
