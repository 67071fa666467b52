/* SPDX-License-Identifier: ISC */
/* owner.h - whose a mailbox or a key is. */
#ifndef COMMON_OWNER_H
#define COMMON_OWNER_H

#include "common/snapshot.h"

struct owner {
	const struct tenant *tenant;	/* NULL: nobody's */
	const struct node *refused;	/* but for this tenant, nearest above,
					 * that is not in force; else NULL */
	bool is_above;			/* the entry stands below its tenant */
};
struct owner owner_of(const struct snapshot *snapshot,
    const struct node *node);

/* Is that tenant's entry in force, or refused, as another has its id? */
bool owner_is_in_force(const struct snapshot *snapshot,
    const struct node *tenant);
/* May this mailbox have that address, if no other has it? */
bool owner_may_have(const struct snapshot *snapshot, const struct owner *owner,
    const char *mail);
/* In whose estate a node is: the tenant's id, NULL: in none. node may be NULL,
 * and of any kind. */
const char *owner_estate(const struct snapshot *snapshot,
    const struct node *node);

#endif
