/* SPDX-License-Identifier: ISC */
/* redis_cluster.c - a tenant's counters lie in one slot, a slot on one node:
 * sends each call to the node that we believe it is, and again where that one
 * says. Asks any node that answers for a new map whenever one was wrong or a
 * node is lost. One node's loss is never another's. Next: redis_nodes.c for the
 * map, redis_link.c for each node. */
#include <event2/event.h>
#include <stdlib.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/xmalloc.h"
#include "policyd/redis_key.h"
#include "policyd/redis_nodes.h"
#include "policyd/redis_route.h"

#define REFRESH_MS 300		/* while something is not as it should be */
#define REFRESH_IDLE_MS 60000
#define MOMENTS 16		/* in counters.timeout */
#define AT_ONCE_MAX 4		/* nodes may send us to each other */

struct cluster {
	struct redis_route route;
	struct redis_nodes nodes;
	struct redis_link *guide;	/* to any node, to ask for the map */
	struct redis_address guided_by;
	size_t next;			/* of nodes and seeds */
	struct event *refresh;
	bool is_refreshing, refreshes_soon;
	struct event *moment;
	struct redis_call *waiting;	/* to be sent again */
};

static struct cluster *
cluster_of(const struct redis_node *node)
{
	return (struct cluster *)((char *)node->nodes -
	    offsetof(struct cluster, nodes));
}

static void
event_in(struct event *event, int64_t ms)
{
	struct timeval wait = { .tv_sec = ms / 1000,
		.tv_usec = ms % 1000 * 1000 };

	event_add(event, &wait);
}

static void
refresh_soon(struct cluster *c)
{
	if (c->refreshes_soon)
		return;
	c->refreshes_soon = true;
	event_in(c->refresh, REFRESH_MS);
}

static void
on_refresh(evutil_socket_t fd, short what, void *arg)
{
	struct cluster *c = arg;

	(void)fd;
	(void)what;
	c->refreshes_soon = false;
	if (c->is_refreshing)
		return;
	c->is_refreshing = true;
	redis_link_renew(c->guide, NULL);
}

static size_t
guides(void *owner)
{
	const struct cluster *c = owner;
	size_t count = c->route.seed_count;

	for (struct redis_node *node = c->nodes.first; node != NULL;
	    node = node->next)
		count++;
	return count;
}

/* The nodes in turn, then the seeds: one that is cut off from the others has
 * an old map, the next one a better one */
static const struct redis_address *
next_guide(void *owner)
{
	struct cluster *c = owner;
	size_t at = c->next++ % guides(c);
	struct redis_node *node = c->nodes.first;

	for (; node != NULL && at > 0; at--)
		node = node->next;
	c->guided_by = node != NULL ? node->address : c->route.seeds[at];
	c->guided_by.name = c->route.uri->shown;
	return &c->guided_by;
}

/* One visit, and no connection is kept */
static void
on_map(redisAsyncContext *context, void *got, void *arg)
{
	struct cluster *c = arg;
	const redisReply *reply = got;
	const char *why;

	(void)context;
	if (reply == NULL)
		return;
	if (reply->type == REDIS_REPLY_ERROR) {
		redis_link_go_down(c->guide, log_foreign(reply->str));
		return;
	}
	if (redis_nodes_read(&c->nodes, reply, c->guided_by.host, &why) == -1) {
		redis_link_go_down(c->guide, why);
		return;
	}
	redis_link_go_up(c->guide);
	redis_link_stop(c->guide);
	c->is_refreshing = false;
	if (!redis_nodes_are_up(&c->nodes))
		refresh_soon(c);
	else if (!c->refreshes_soon)
		event_in(c->refresh, REFRESH_IDLE_MS);
}

static void
ask_map(void *owner, redisAsyncContext *context)
{
	redisAsyncCommand(context, on_map, owner, "CLUSTER SLOTS");
}

static const struct redis_address *
node_address(void *owner)
{
	return &((struct redis_node *)owner)->address;
}

static void
node_greet(void *owner, redisAsyncContext *context)
{
	struct redis_node *node = owner;
	char key[32];

	redis_probe(&node->probe, context,
	    redis_node_key(node, key) ? key : NULL);
}

static void
node_down(void *owner)
{
	refresh_soon(cluster_of(owner));
}

/* False: there is no time for it */
static bool
wait_a_moment(struct cluster *c, struct redis_call *call)
{
	if (redis_call_is_late(call))
		return false;
	call->once = NULL;
	call->next = c->waiting;
	c->waiting = call;
	if (!event_pending(c->moment, EV_TIMEOUT, NULL))
		event_in(c->moment, c->route.access->timeout_ms / MOMENTS);
	return true;
}

static void
on_moment(evutil_socket_t fd, short what, void *arg)
{
	struct cluster *c = arg;
	struct redis_call *call, *next = c->waiting;

	(void)fd;
	(void)what;
	c->waiting = NULL;
	while ((call = next) != NULL) {
		next = call->next;
		if (!call->send(call))
			call->done(call, NULL);
	}
}

/* Whom else, NULL: nobody at once */
static struct redis_node *
follow(struct redis_node *from, const struct redis_redirect *to,
    struct redis_call *call)
{
	struct cluster *c = cluster_of(from);
	struct redis_node *node;

	if (to->kind != REDIRECT_ASK)
		refresh_soon(c);
	if (to->kind == REDIRECT_AGAIN)
		return NULL;
	node = redis_nodes_get(&c->nodes, *to->host != '\0' ? to->host
	    : from->address.host, to->port);
	if (node == NULL)
		return NULL;
	if (to->kind == REDIRECT_MOVED)
		redis_nodes_give(&c->nodes, to->slot, node);
	else
		call->once = node->link;
	node->was_used = true;
	redis_nodes_start(&c->nodes);
	return node;
}

static bool
node_redirects(void *owner, struct redis_call *call, const redisReply *reply)
{
	struct redis_redirect to;
	bool is_asked;

	if (reply->type != REDIS_REPLY_ERROR ||
	    !redis_redirect_parse(reply->str, &to))
		return false;
	if (follow(owner, &to, call) != NULL &&
	    call->redirects++ < AT_ONCE_MAX && !redis_call_is_late(call))
		is_asked = call->send(call);
	else
		is_asked = wait_a_moment(cluster_of(owner), call);
	if (!is_asked)
		call->done(call, NULL);
	return true;
}

static bool
cluster_ask(struct redis_route *route, struct redis_call *call,
    const struct redis_command *command)
{
	struct cluster *c = (struct cluster *)route;
	struct redis_link *link = call->once;
	struct redis_node *node;
	char key[REDIS_KEY_MAX];
	bool is_asked;

	if (link == NULL) {
		redis_key(call->tenant, NULL, key);
		if ((node = c->nodes.owners[redis_slot(key)]) == NULL)
			return false;
		node->was_used = true;
		link = node->link;
	}
	is_asked = redis_link_ask(link, call, command);
	call->once = NULL;
	if (is_asked || !redis_link_is_coming(link))
		return is_asked;
	redis_call_begin(call, link);
	return wait_a_moment(c, call);
}

static struct redis_route *
cluster_new(const struct redis_route *common)
{
	static const struct redis_link_ops guide = { .where = next_guide,
		.greet = ask_map, .guides = guides };
	static const struct redis_link_ops node = { .where = node_address,
		.greet = node_greet, .down = node_down,
		.redirects = node_redirects };
	struct cluster *c = xcalloc(1, sizeof(*c));

	c->route = *common;
	c->nodes.ops = &node;
	c->nodes.access = common->access;
	c->guide = redis_link_new(&guide, c, common->access);
	c->refresh = evtimer_new(loop_base(), on_refresh, c);
	c->moment = evtimer_new(loop_base(), on_moment, c);
	return &c->route;
}

/* Who is answered may ask again: nothing is freed before all are */
static void
cluster_free(struct redis_route *route)
{
	struct cluster *c = (struct cluster *)route;

	redis_nodes_stop(&c->nodes);
	on_moment(-1, 0, c);
	redis_nodes_free(&c->nodes);
	redis_link_free(c->guide);
	event_free(c->refresh);
	event_free(c->moment);
	free(c);
}

static void
cluster_start(struct redis_route *route)
{
	on_refresh(-1, 0, route);
}

static bool
cluster_is_settled(const struct redis_route *route)
{
	const struct cluster *c = (const struct cluster *)route;

	return !c->is_refreshing && !redis_nodes_are_coming(&c->nodes);
}

static const char *
cluster_eviction(const struct redis_route *route)
{
	const struct cluster *c = (const struct cluster *)route;
	const char *found = "";

	for (struct redis_node *node = c->nodes.first; node != NULL;
	    node = node->next)
		if (*node->probe.eviction != '\0')
			found = node->probe.eviction;
	return found;
}

const struct redis_route_ops redis_cluster = {
	.new = cluster_new,
	.free = cluster_free,
	.start = cluster_start,
	.is_settled = cluster_is_settled,
	.ask = cluster_ask,
	.eviction = cluster_eviction,
};
