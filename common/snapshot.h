/* SPDX-License-Identifier: ISC */
/* snapshot.h - the whole directory at one moment: immutable, held by who reads
 * it, freed by the last one. It shares with the one before what has not
 * changed: update.c makes the next one. */
#ifndef COMMON_SNAPSHOT_H
#define COMMON_SNAPSHOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/findings.h"
#include "common/layer.h"
#include "common/name.h"
#include "common/template.h"
#include "common/tenant.h"
#include "common/trie.h"

/* snapshot.c's and update.c's own: all others ask the functions below */
struct snapshot {
	atomic_uint holds;
	struct trie *nodes;	/* entries, by path */
	struct trie *gone;	/* templates that are only referred to */
	struct trie *names[NAME_KINDS];
	struct trie *estates;	/* mailboxes and keys, by tenant */
	struct trie *faults;	/* what is wrong, by path */
	struct findings *of_reading;	/* what concerns no entry that we hold */
	size_t errors;
	struct findings *_Atomic all;	/* once someone has asked */
};

struct snapshot *snapshot_hold(struct snapshot *snapshot);
void snapshot_release(struct snapshot *snapshot);	/* any thread; NULL */
/* Only the caller holds it: releasing it will free it */
bool snapshot_is_last_hold(const struct snapshot *snapshot);

/* All that is wrong, in order of DN; lives as long as the snapshot */
const struct findings *snapshot_findings(const struct snapshot *snapshot);
/* How many of them are errors: at no cost */
size_t snapshot_errors(const struct snapshot *snapshot);
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
/* Mailbox entries that speak for one tenant: how many */
size_t snapshot_mailboxes(const struct snapshot *snapshot,
    const struct tenant *tenant);
/* The same in order of DN, from the root down: at = 0, 1, ...; NULL ends */
const struct layer *snapshot_mailbox_at(const struct snapshot *snapshot,
    const struct tenant *tenant, size_t at);
/* Keys below one tenant, nearest above by DN, in that order, too. None at all
 * where the source was not asked for keys. */
const struct layer *snapshot_key_at(const struct snapshot *snapshot,
    const struct tenant *tenant, size_t at);

/* Every layer that serves for an entry, in order of DN */
void snapshot_each_layer(const struct snapshot *snapshot,
    void (*visit)(void *arg, const struct layer *layer), void *arg);

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
/* Logs what is wrong in next and was not in previous (NULL: there was none) */
void snapshot_log(const struct snapshot *next,
    const struct snapshot *previous);

/* For update.c. What is wrong with one entry: */
struct fault {
	struct trie_item item;		/* by the entry's path */
	struct findings *findings;
	char path[];
};
/* Held once; takes the findings over */
struct fault *fault_new(struct trie_key path, struct findings *findings);

#endif
