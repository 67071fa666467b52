/* SPDX-License-Identifier: ISC */
/* ends.h - who sends, who receives, who is at the wire: attributes into
 * addresses and tenants. */
#ifndef POLICYD_ENDS_H
#define POLICYD_ENDS_H

#include "policyd/facts.h"

/* Fills the first half of facts from facts->attrs. Cannot fail: an address
 * that is none is simply nobody's. */
void ends_find(struct facts *facts);

/* The client as a counter knows it: IPv4 alone, IPv6 by its /64; "unknown" */
const char *ends_client(const struct facts *facts);

#endif
