/* SPDX-License-Identifier: ISC */
/* layer.h - what one directory entry says, read and checked once: a template, a
 * tenant, a mailbox or a key. Layers are immutable, and shared by snapshots for as
 * long as their entry does not change. What the values mean is the daemon's
 * business: it hands in a parser. */
#ifndef COMMON_LAYER_H
#define COMMON_LAYER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"
#include "common/entry.h"
#include "common/findings.h"

enum layer_kind {
	LAYER_TEMPLATE,
	LAYER_TENANT,
	LAYER_MAILBOX,
	LAYER_KEY	/* only where source_settings.wants_keys */
};

/* Reads the values of one entry that the daemon knows, and adds a finding for
 * each that is bad (which is then left unset). The result lives in the arena,
 * keeps nothing of the entry, and is never NULL. Runs in the directory's
 * thread. */
typedef const void *layer_parser(struct arena *arena,
    const struct entry *entry, enum layer_kind kind,
    struct findings *findings);

struct layer {
	enum layer_kind kind;
	const char *dn;		/* as written */
	const char *key;	/* normalised: see dn_normalise() */
	const char *name;	/* template, key: cn; tenant: its id, the RDN value;
				 * mailbox: the least of its mails; lower
				 * case */
	const char *created;	/* createTimestamp, "" where there is none */
	const char *template_key; /* normalised posternTemplate, or NULL */
	const char *const *domains;	/* tenant: A-labels */
	size_t domain_count;
	const char *const *mails;	/* mailbox: normalised addresses */
	size_t mail_count;
	const void *policy;	/* from the daemon's parser */
	bool is_good;		/* no error was found in it */

	/* layer.c's own */
	struct arena *arena;
	atomic_uint holds;
};

/* Which kind the entry is by its object classes; false: none of ours */
bool layer_kind_of(const struct entry *entry, enum layer_kind *out);

/* A new layer, held once, which keeps nothing of the entry's arena. NULL
 * where the entry cannot be one at all (no usable domain, no mail, no cn):
 * a finding says why. */
struct layer *layer_new(const struct entry *entry, enum layer_kind kind,
    layer_parser *parse, struct findings *findings);
struct layer *layer_hold(struct layer *layer);
void layer_release(struct layer *layer);	/* from any thread; NULL */

#endif
