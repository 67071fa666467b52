/* SPDX-License-Identifier: ISC */
/* redis_route.c - which kind of URI finds its servers in which way. Knows
 * nothing of what they do. Next: redis_single.c, redis_sentinel.c,
 * redis_cluster.c. */
#include "policyd/redis_route.h"

#include <event2/event.h>

#include "common/loop.h"

static const struct redis_route_ops *const kinds[] = {
	[REDIS_SINGLE] = &redis_single,
	[REDIS_SENTINEL] = &redis_sentinel,
	[REDIS_CLUSTER] = &redis_cluster,
};

struct redis_route *
redis_route_new(struct arena *arena, const struct redis_uri *uri,
    const struct redis_access *access, const char **why)
{
	struct redis_route common = { .ops = kinds[uri->kind], .uri = uri,
		.access = access };

	common.seeds = redis_addresses(arena, uri, &common.seed_count, why);
	return common.seeds == NULL ? NULL : common.ops->new(&common);
}

void
redis_route_free(struct redis_route *route)
{
	if (route != NULL)
		route->ops->free(route);
}

static void
on_enough(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	*(bool *)arg = true;
}

void
redis_route_start(struct redis_route *route)
{
	static const struct timeval second = { .tv_sec = 1 };
	bool is_enough = false;
	struct event *timer = evtimer_new(loop_base(), on_enough, &is_enough);

	event_add(timer, &second);
	route->ops->start(route);
	while (!is_enough && !route->ops->is_settled(route))
		event_base_loop(loop_base(), EVLOOP_ONCE);
	event_free(timer);
}
