/* SPDX-License-Identifier: ISC */
/* snapshot.h - the whole directory at one moment: immutable, held by who reads
 * it, freed by the last one. Decides who holds a domain that two claim,
 * which template a tenant has, whose mailbox an address is; and keeps the
 * last good layer of an entry that has become bad. */
#ifndef COMMON_SNAPSHOT_H
#define COMMON_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/entry.h"
#include "common/findings.h"
#include "common/layer.h"
#include "common/template.h"

struct tenant {
	const char *id;
	struct layer *layer;
	const struct template *template;	/* NULL: none */
	const char *const *domains;	/* those it holds, in order of claim */
	size_t domain_count;
};

struct snapshot;

/* A new snapshot, held once: it takes all entries, settles who has what, and is
 * immutable from then on. previous is the one in force, or NULL. What is wrong
 * goes to findings, which the snapshot owns then. */
struct snapshot *snapshot_new(const struct snapshot *previous,
    layer_parser *parse, struct findings *findings);
/* snapshot is a struct snapshot: this is what ldif_read() calls. The entry may
 * go afterwards. */
void snapshot_take(void *snapshot, const struct entry *entry);
void snapshot_settle(struct snapshot *snapshot);
struct snapshot *snapshot_hold(struct snapshot *snapshot);
void snapshot_release(struct snapshot *snapshot);	/* any thread; NULL */
/* Only the caller holds it: releasing it will free it */
bool snapshot_is_last_hold(const struct snapshot *snapshot);

const struct findings *snapshot_findings(const struct snapshot *snapshot);
size_t snapshot_tenants(const struct snapshot *snapshot);
/* In order of id */
const struct tenant *snapshot_tenant_at(const struct snapshot *snapshot,
    size_t at);
const struct tenant *snapshot_tenant_by_id(const struct snapshot *snapshot,
    const char *id);
/* domain normalised; NULL: not ours */
const struct tenant *snapshot_tenant_of(const struct snapshot *snapshot,
    const char *domain);
/* address normalised (bare or with its extension): that mailbox's own layer,
 * or NULL */
const struct layer *snapshot_mailbox(const struct snapshot *snapshot,
    const char *address);
/* Mailbox entries that speak for one tenant, in order of name: at = 0, 1, ...;
 * NULL ends */
const struct layer *snapshot_mailbox_at(const struct snapshot *snapshot,
    const struct tenant *tenant, size_t at);
/* Keys below one tenant, nearest above by DN, in order of DN: at = 0, 1, ...;
 * NULL ends. None at all where the source was not asked for keys. */
const struct layer *snapshot_key_at(const struct snapshot *snapshot,
    const struct tenant *tenant, size_t at);

/* Every layer that was read, in no order to rely on; NULL ends */
const struct layer *snapshot_layer_at(const struct snapshot *snapshot,
    size_t at);

/* The layers that say something for a mailbox or a tenant, nearest first:
 * mailbox, tenant, its template, that one's template ..., global. */
#define CHAIN_MAX (TEMPLATE_CHAIN_MAX + 2)
struct chain {
	const struct layer *layers[CHAIN_MAX];
	size_t count;
};
/* tenant NULL: global alone; mailbox NULL: none */
void chain_of(const struct snapshot *snapshot, const struct tenant *tenant,
    const struct layer *mailbox, struct chain *out);

/* How many tenants of previous are missing in next, by id */
size_t snapshot_removed(const struct snapshot *previous,
    const struct snapshot *next);

#endif
