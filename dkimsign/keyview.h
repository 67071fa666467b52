/* SPDX-License-Identifier: ISC */
/* keyview.h - the keys of a tenant as an operator wants to see them: what each
 * is, what it does now, and what DNS has to say of it. */
#ifndef DKIMSIGN_KEYVIEW_H
#define DKIMSIGN_KEYVIEW_H

#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/snapshot.h"
#include "dkimsign/dkim_entry.h"

/* What a record is for counts first: of two keys with one selector DNS has
 * the one that stands above */
enum keyview_state {
	KEYVIEW_SIGNS,
	KEYVIEW_OFF,		/* it would: posternDkimSigning is off */
	KEYVIEW_NOT_YET,
	KEYVIEW_OLDER,		/* another one of its kind signs */
	KEYVIEW_BAD,		/* of those that may sign, now or later */
	KEYVIEW_RETIRED,
	KEYVIEW_WITHDRAWN	/* retired, and without its private half */
};
extern const char *const keyview_words[];

struct keyview {
	const struct layer *layer;
	const struct dkim_entry *entry;
	const char *selector;		/* "" where the entry has none */
	const char *algorithm;		/* as k= has it; "" where unknown */
	unsigned bits;			/* 0 where unknown */
	const char *record;		/* the TXT record; NULL: cannot be */
	enum keyview_state state;
	const char *reason;		/* of BAD; else "" */
};

struct keyviewer;

/* passphrase may be NULL; copied. NULL and *why (static). */
struct keyviewer *keyviewer_new(const char *passphrase, unsigned min_rsa_bits,
    const char **why);
void keyviewer_free(struct keyviewer *viewer);	/* NULL is fine */

/* All keys of a tenant, in order of DN, in the arena; how many. They go with
 * the snapshot, too. */
size_t keyview_all(struct keyviewer *viewer, const struct snapshot *snapshot,
    const struct tenant *tenant, int64_t now_ms, struct arena *arena,
    struct keyview **out);

#endif
