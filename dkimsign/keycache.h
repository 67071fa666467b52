/* SPDX-License-Identifier: ISC */
/* keycache.h - the parsed keys, a bounded number of them, by their entries; and
 * of each entry the last good one. Any thread. */
#ifndef DKIMSIGN_KEYCACHE_H
#define DKIMSIGN_KEYCACHE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"
#include "common/layer.h"
#include "dkimsign/signkey.h"
#include "dkimsign/verify.h"

struct keycache_settings {
	const char *passphrase;		/* NULL: none; copied, wiped then */
	unsigned min_rsa_bits;
	size_t max_keys;		/* at least 1; of more, the one goes
					 * that was not used for longest */
	bool is_quiet;			/* bad keys are told elsewhere */
};

struct keycache;

/* verifier sees each key before it signs, and outlives the cache */
struct keycache *keycache_new(const struct keycache_settings *settings,
    struct verifier *verifier);
void keycache_free(struct keycache *cache);	/* NULL is fine */

/* Counters: postern_dkimsign_key_faults_total{fault=...}. Loop thread, once. */
void keycache_metrics(void);

struct cached_key {
	const char *dn;			/* the layer's */
	const char *selector;		/* in the arena */
	struct signkey *key;		/* held for the caller; NULL: none is
					 * good */
};

/* The key of a LAYER_KEY layer which has a private_key, parsed where it is
 * seen for the first time; where this version of it is bad, which is logged
 * once, the last good one with its own selector. */
void keycache_get(struct keycache *cache, const struct layer *layer,
    struct arena *arena, struct cached_key *out);

/* It made a signature that does not verify: it is not used again until its
 * entry changes. why: for the log. */
void keycache_take_out(struct keycache *cache, const struct cached_key *key,
    const char *why);

/* Would its key be taken? Parses it, whatever is cached. 0, or -1 and *why
 * (static). */
int keycache_try(const struct keycache *cache, const struct layer *layer,
    const char **why);

#endif
