/* SPDX-License-Identifier: ISC */
/* redis_address.h - where a server is, so that connecting never waits for a
 * resolver. */
#ifndef POLICYD_REDIS_ADDRESS_H
#define POLICYD_REDIS_ADDRESS_H

#include <stdbool.h>

#include "common/arena.h"
#include "policyd/redis_slot.h"
#include "policyd/redis_uri.h"

struct redis_address {
	char host[REDIS_HOST_MAX];	/* as numbers; or the socket's path */
	int port;			/* 0: a unix socket */
	const char *name;		/* in the log; not copied */
};

/* One for each host of the URI that has an address, all by the URI's name; asks
 * the resolver, so only at start. NULL and *why where none has one. *count is
 * how many. */
struct redis_address *redis_addresses(struct arena *arena,
    const struct redis_uri *uri, size_t *count, const char **why);

/* What a server said of another, without a name: false where that is not
 * numbers */
bool redis_address_set(struct redis_address *address, const char *host,
    int port);
bool redis_address_is(const struct redis_address *address, const char *host,
    int port);

/* "redis://host:port"; the caller frees it */
char *redis_address_text(const struct redis_address *address);

#endif
