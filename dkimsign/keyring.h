/* SPDX-License-Identifier: ISC */
/* keyring.h - which keys sign for a tenant now; and the parsed ones, a bounded
 * number of them, with the last good one of each entry. Any thread. */
#ifndef DKIMSIGN_KEYRING_H
#define DKIMSIGN_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/snapshot.h"
#include "dkimsign/signkey.h"
#include "dkimsign/verify.h"

struct keyring_settings {
	const char *passphrase;		/* NULL: none; copied, wiped at the end */
	unsigned min_rsa_bits;
	size_t max_keys;		/* parsed ones; the one that was not used
					 * for longest goes */
};

struct keyring;

/* verifier sees each key before it signs, and outlives the keyring */
struct keyring *keyring_new(const struct keyring_settings *settings,
    struct verifier *verifier);
void keyring_free(struct keyring *keyring);	/* NULL is fine */

struct keyring_choice {
	const char *dn;			/* of the entry, normalised */
	const char *selector;
	struct signkey *key;		/* held for the caller */
};

/* Of the tenant's keys whose time has come the newest good one of each
 * algorithm, in enum signkey_algorithm's order. Returns how many; is_bad_key is set
 * where there are keys whose time has come and none of them is good. Texts in
 * the arena. */
size_t keyring_choose(struct keyring *keyring, const struct snapshot *snapshot,
    const struct tenant *tenant, int64_t now_ms, struct arena *arena,
    struct keyring_choice out[SIGNKEY_ALGORITHMS], bool *is_bad_key);

/* It made a signature that does not verify: it is not used again until its
 * entry changes. why: for the log. */
void keyring_take_out(struct keyring *keyring,
    const struct keyring_choice *choice, const char *why);

/* The tenant that has domain, or else the nearest domain above it; *own is that
 * domain. NULL: nobody's. */
const struct tenant *tenant_nearest(const struct snapshot *snapshot,
    const char *domain, const char **own);

#endif
