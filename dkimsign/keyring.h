/* SPDX-License-Identifier: ISC */
/* keyring.h - whose is a domain, and which of its keys sign now: by the
 * directory, in the same way on every host. Any thread. */
#ifndef DKIMSIGN_KEYRING_H
#define DKIMSIGN_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/findings.h"
#include "common/snapshot.h"
#include "dkimsign/keycache.h"
#include "dkimsign/signkey.h"

/* The tenant that has domain, or else the nearest domain above it; *own is that
 * domain. NULL: nobody's. */
const struct tenant *tenant_nearest(const struct snapshot *snapshot,
    const char *domain, const char **own);

/* Of the tenant's keys whose time has come the newest good one of each
 * algorithm, in enum signkey_algorithm's order: the caller releases them.
 * Returns how many; *has_bad is set where some key's time has come and it is
 * not good. */
size_t keyring_choose(struct keycache *cache, const struct snapshot *snapshot,
    const struct tenant *tenant, int64_t now_ms, struct arena *arena,
    struct cached_key out[SIGNKEY_ALGORITHMS], bool *has_bad);

/* Tries every key there is, due or not: a finding for each that is refused, and
 * for each tenant with keys of which none signs now. For -n: takes a
 * millisecond or so a key. */
void keyring_check(const struct keycache *cache,
    const struct snapshot *snapshot, int64_t now_ms,
    struct findings *findings);

#endif
