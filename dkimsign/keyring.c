/* SPDX-License-Identifier: ISC */
/* keyring.c - which keys sign for this tenant now? By time, age and algorithm;
 * whether a key is good, keycache.c says. Knows no message. Next: signing.c. */
#include "dkimsign/keyring.h"

#include <stdlib.h>
#include <string.h>

#include "dkimsign/dkim_entry.h"

const struct tenant *
tenant_nearest(const struct snapshot *snapshot, const char *domain,
    const char **own)
{
	const struct tenant *tenant;
	const char *dot;

	while ((tenant = snapshot_tenant_of(snapshot, domain)) == NULL) {
		if ((dot = strchr(domain, '.')) == NULL)
			return NULL;
		domain = dot + 1;
	}
	*own = domain;
	return tenant;
}

static bool
is_due(const struct dkim_entry *entry, int64_t now_ms)
{
	return entry->private_key != NULL && entry->not_before_ms <= now_ms &&
	    now_ms < entry->not_after_ms;
}

/* Newest first; every host must choose the same */
static int
by_age(const void *left, const void *right)
{
	const struct layer *const *a = left, *const *b = right;
	const struct dkim_entry *first = dkim_entry_of(*a);
	const struct dkim_entry *second = dkim_entry_of(*b);
	int order;

	if (first->not_before_ms != second->not_before_ms)
		return first->not_before_ms > second->not_before_ms ? -1 : 1;
	order = strcmp(second->selector, first->selector);
	return order != 0 ? order : strcmp((*a)->key, (*b)->key);
}

/* The tenant's keys whose time has come, newest first */
static size_t
due_keys(const struct snapshot *snapshot, const struct tenant *tenant,
    int64_t now_ms, struct arena *arena, const struct layer ***out)
{
	const struct layer *layer, **list;
	size_t i, count = 0;

	while (snapshot_key_at(snapshot, tenant, count) != NULL)
		count++;
	list = arena_alloc(arena, count * sizeof(struct layer *));
	for (i = count = 0; (layer = snapshot_key_at(snapshot, tenant, i)) !=
	    NULL; i++)
		if (is_due(dkim_entry_of(layer), now_ms))
			list[count++] = layer;
	if (count > 1)
		qsort(list, count, sizeof(struct layer *), by_age);
	*out = list;
	return count;
}

/* Two records under one name would be none */
static bool
is_selector_taken(const struct cached_key *chosen, const char *selector)
{
	size_t i;

	for (i = 0; i < SIGNKEY_ALGORITHMS; i++)
		if (chosen[i].key != NULL &&
		    strcmp(chosen[i].selector, selector) == 0)
			return true;
	return false;
}

size_t
keyring_choose(struct keycache *cache, const struct snapshot *snapshot,
    const struct tenant *tenant, int64_t now_ms, struct arena *arena,
    struct cached_key out[SIGNKEY_ALGORITHMS], bool *has_bad)
{
	struct cached_key chosen[SIGNKEY_ALGORITHMS] = { 0 }, choice;
	const struct layer **due;
	size_t i, count, found = 0;

	*has_bad = false;
	count = due_keys(snapshot, tenant, now_ms, arena, &due);
	for (i = 0; i < count && found < SIGNKEY_ALGORITHMS; i++) {
		enum signkey_algorithm algorithm;

		keycache_get(cache, due[i], arena, &choice);
		if (choice.key == NULL) {
			*has_bad = true;
			continue;
		}
		algorithm = signkey_algorithm(choice.key);
		if (chosen[algorithm].key != NULL ||
		    is_selector_taken(chosen, choice.selector)) {
			signkey_release(choice.key);
			continue;
		}
		chosen[algorithm] = choice;
		found++;
	}
	for (i = count = 0; i < SIGNKEY_ALGORITHMS; i++)
		if (chosen[i].key != NULL)
			out[count++] = chosen[i];
	return count;
}

/* Every key of the tenant; how many it has */
static size_t
check_keys(const struct keycache *cache, const struct snapshot *snapshot,
    const struct tenant *tenant, struct findings *findings)
{
	const struct layer *layer;
	const char *why;
	size_t i;

	for (i = 0; (layer = snapshot_key_at(snapshot, tenant, i)) != NULL;
	    i++)
		if (dkim_entry_of(layer)->private_key != NULL &&
		    keycache_try(cache, layer, &why) == -1)
			findings_add(findings, FINDING_ERROR, layer->dn,
			    "posternDkimPrivateKey", "", "%s", why);
	return i;
}

void
keyring_check(const struct keycache *cache, const struct snapshot *snapshot,
    int64_t now_ms, struct findings *findings)
{
	struct arena *arena = arena_new(0);
	const struct tenant *tenant;
	const struct layer **due;
	size_t i;

	for (i = 0; i < snapshot_tenants(snapshot); i++) {
		tenant = snapshot_tenant_at(snapshot, i);
		if (check_keys(cache, snapshot, tenant, findings) == 0 ||
		    dkim_signing_of(snapshot, tenant) == DKIM_SIGNING_OFF)
			continue;
		if (due_keys(snapshot, tenant, now_ms, arena, &due) == 0)
			findings_add(findings, FINDING_NOTE, tenant->layer->dn,
			    "", "", "it has keys, but the time of none of "
			    "them is now");
		arena_reset(arena);
	}
	arena_free(arena);
}
