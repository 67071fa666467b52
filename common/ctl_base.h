/* SPDX-License-Identifier: ISC */
/* ctl_base.h - the end that all DNs of one answer have in common: said once,
 * instead of in each row. Pure. */
#ifndef COMMON_CTL_BASE_H
#define COMMON_CTL_BASE_H

#include "common/arena.h"

struct ctl_base {
	const char *dn;		/* NULL: none seen; "": nothing in common */
};

/* "" and NULL are no DN; others must outlive the base */
void ctl_base_take(struct ctl_base *base, const char *dn);

/* What is left of a DN: at least its first RDN. NULL as "". */
const char *ctl_base_below(const struct ctl_base *base, struct arena *arena,
    const char *dn);

#endif
