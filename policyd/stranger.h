/* SPDX-License-Identifier: ISC */
/* stranger.h - what a stranger is recognised by when it comes back: from
 * another machine of its pool, with another VERP number. Pure. */
#ifndef POLICYD_STRANGER_H
#define POLICYD_STRANGER_H

#include "common/address.h"
#include "common/arena.h"
#include "common/cidr.h"

/* The parent domain of a forward-confirmed client name, so that a provider's
 * pool is one client; else the network, /24 or /64. The name does not count
 * where its parent is a public suffix, or where it contains the address
 * (a customer's line, not a mail server). client NULL: "unknown". */
const char *stranger_client(struct arena *arena, const struct ipaddr *client,
    const char *client_name);
/* The network alone: what promotion goes by */
const char *stranger_network(struct arena *arena,
    const struct ipaddr *client);

/* The sender without plus-extension, VERP digits and BATV tag */
const char *stranger_sender(struct arena *arena,
    const struct address *sender);

#endif
