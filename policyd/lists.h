/* SPDX-License-Identifier: ISC */
/* lists.h - which allow or block line decides about a request. */
#ifndef POLICYD_LISTS_H
#define POLICYD_LISTS_H

#include "policyd/facts.h"
#include "policyd/list_line.h"

struct list_hit {
	const struct list_line *line;	/* NULL: none matches */
	const struct layer *from;
};

/* The first scope of the chain (mailbox, tenant, its templates, global) with
 * a line that matches; inside one scope allow beats block. Pure. */
struct list_hit lists_find(const struct facts *facts,
    const struct chain *chain);

/* Has that tenant allowed this client, by a line of KIND client? */
bool lists_allow_client(const struct facts *facts,
    const struct tenant *tenant);

#endif
