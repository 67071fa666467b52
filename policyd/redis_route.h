/* SPDX-License-Identifier: ISC */
/* redis_route.h - to which server does a call go? One row for each kind of
 * URI; each keeps its links in order by itself. */
#ifndef POLICYD_REDIS_ROUTE_H
#define POLICYD_REDIS_ROUTE_H

#include "policyd/redis_link.h"

struct redis_route_ops;

/* What all have in common, and each begins with */
struct redis_route {
	const struct redis_route_ops *ops;
	const struct redis_uri *uri;
	const struct redis_access *access;
	const struct redis_address *seeds;	/* the URI's hosts */
	size_t seed_count;
};

struct redis_route_ops {
	/* Copies what is in common; connects nowhere yet */
	struct redis_route *(*new)(const struct redis_route *common);
	/* Every call under way is answered with NULL first */
	void (*free)(struct redis_route *route);
	void (*start)(struct redis_route *route);
	/* It is up, or will not be at once */
	bool (*is_settled)(const struct redis_route *route);
	/* False: cannot be asked, and call->done will not be called */
	bool (*ask)(struct redis_route *route, struct redis_call *call,
	    const struct redis_command *command);
	/* What a server's redis_probe found; "": nothing */
	const char *(*eviction)(const struct redis_route *route);
};

/* The rows */
extern const struct redis_route_ops redis_single;
extern const struct redis_route_ops redis_sentinel;
extern const struct redis_route_ops redis_cluster;

/* uri and access live as long as the route, as does the arena. NULL and *why
 * where no host of the URI has an address. */
struct redis_route *redis_route_new(struct arena *arena,
    const struct redis_uri *uri, const struct redis_access *access,
    const char **why);
void redis_route_free(struct redis_route *route);	/* NULL is fine */

/* Connects; returns when that is done or has failed, after a second at most */
void redis_route_start(struct redis_route *route);

#endif
