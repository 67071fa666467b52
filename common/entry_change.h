/* SPDX-License-Identifier: ISC */
/* entry_change.h - one entry, copied and changed by the rules of RFC 4511. */
#ifndef COMMON_ENTRY_CHANGE_H
#define COMMON_ENTRY_CHANGE_H

#include "common/entry.h"
#include "common/ldif_change.h"

/* All of it, in the arena, under this DN; NULL where that is none */
struct entry *entry_copy(struct arena *arena, const struct entry *from,
    const char *dn);

/* The steps of a modify. NULL; or, in the arena, why a server would refuse it:
 * the entry is half changed then. known: the attributes that it was read with,
 * NULL ends; NULL is all. */
const char *entry_modify(struct arena *arena, struct entry *entry,
    const struct change *change, const char *const *known);

/* The values that go with its DN, which was old before */
void entry_rename(struct arena *arena, struct entry *entry, const char *old,
    bool deletes_old);

#endif
