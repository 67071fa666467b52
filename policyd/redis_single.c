/* SPDX-License-Identifier: ISC */
/* redis_single.c - one server, always the same. Next: redis_link.c. */
#include <stdlib.h>

#include "common/xmalloc.h"
#include "policyd/redis_probe.h"
#include "policyd/redis_route.h"

struct single {
	struct redis_route route;
	struct redis_link *link;
	struct redis_probe probe;
};

static const struct redis_address *
where(void *owner)
{
	return ((struct single *)owner)->route.seeds;
}

static void
greet(void *owner, redisAsyncContext *context)
{
	redis_probe(&((struct single *)owner)->probe, context,
	    "postern:{}:probe");
}

static struct redis_route *
single_new(const struct redis_route *common)
{
	static const struct redis_link_ops ops = { .where = where,
		.greet = greet };
	struct single *single = xcalloc(1, sizeof(*single));

	single->route = *common;
	single->link = redis_link_new(&ops, single, common->access);
	single->probe = (struct redis_probe){ .link = single->link,
		.role = PROBE_SERVER };
	return &single->route;
}

static void
single_free(struct redis_route *route)
{
	redis_link_free(((struct single *)route)->link);
	free(route);
}

static void
single_start(struct redis_route *route)
{
	redis_link_renew(((struct single *)route)->link, NULL);
}

static bool
single_is_settled(const struct redis_route *route)
{
	return !redis_link_is_coming(((const struct single *)route)->link);
}

static bool
single_ask(struct redis_route *route, struct redis_call *call,
    const struct redis_command *command)
{
	return redis_link_ask(((struct single *)route)->link, call, command);
}

static const char *
single_eviction(const struct redis_route *route)
{
	return ((const struct single *)route)->probe.eviction;
}

const struct redis_route_ops redis_single = {
	.new = single_new,
	.free = single_free,
	.start = single_start,
	.is_settled = single_is_settled,
	.ask = single_ask,
	.eviction = single_eviction,
};
