/* SPDX-License-Identifier: ISC */
/* redis_nodes.c - which node of a cluster has a slot? Believes what it is told
 * last, and asks nobody itself. Next: redis_link.c, one for each node. */
#include "policyd/redis_nodes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/xmalloc.h"

#define KEY_TRIES (16 * REDIS_SLOTS)

struct redis_node *
redis_nodes_get(struct redis_nodes *nodes, const char *host, int port)
{
	struct redis_address address;
	struct redis_node *node;

	if (!redis_address_set(&address, host, port))
		return NULL;
	for (node = nodes->first; node != NULL; node = node->next)
		if (redis_address_is(&node->address, address.host, port))
			return node;
	node = xcalloc(1, sizeof(*node));
	node->address = address;
	node->address.name = redis_address_text(&address);
	node->nodes = nodes;
	node->was_used = true;
	node->link = redis_link_new(nodes->ops, node, nodes->access);
	node->probe = (struct redis_probe){ .link = node->link,
		.role = PROBE_NODE };
	node->next = nodes->first;
	return nodes->first = node;
}

/* Not when it is made: it is greeted with a key of its slots */
void
redis_nodes_start(struct redis_nodes *nodes)
{
	struct redis_node *node;

	for (node = nodes->first; node != NULL; node = node->next)
		if (!node->is_started) {
			node->is_started = true;
			redis_link_renew(node->link, NULL);
		}
}

void
redis_nodes_give(struct redis_nodes *nodes, unsigned slot,
    struct redis_node *to)
{
	if (nodes->owners[slot] != NULL)
		nodes->owners[slot]->slots--;
	if (to != NULL)
		to->slots++;
	nodes->owners[slot] = to;
}

static const char *
text_of(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_STRING ? reply->str : "";
}

/* [host, port, id, [name, value ...]]: the last from Redis 7 on. No host or "?"
 * is the one that was asked; where names are preferred the address is among
 * the last. */
static const char *
host_of(const redisReply *reply, const char *asked)
{
	const char *host = text_of(reply->element[0]);
	const redisReply *more = reply->elements > 3 ? reply->element[3] : NULL;

	if (more != NULL && more->type == REDIS_REPLY_ARRAY)
		for (size_t i = 0; i + 1 < more->elements; i += 2)
			if (strcmp(text_of(more->element[i]), "ip") == 0)
				host = text_of(more->element[i + 1]);
	return *host == '\0' || strcmp(host, "?") == 0 ? asked : host;
}

/* [first, last, master, replica ...] */
static bool
is_range(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_ARRAY && reply->elements >= 3 &&
	    reply->element[0]->type == REDIS_REPLY_INTEGER &&
	    reply->element[1]->type == REDIS_REPLY_INTEGER &&
	    reply->element[0]->integer >= 0 &&
	    reply->element[1]->integer < REDIS_SLOTS &&
	    reply->element[2]->type == REDIS_REPLY_ARRAY &&
	    reply->element[2]->elements >= 2 &&
	    reply->element[2]->element[1]->type == REDIS_REPLY_INTEGER;
}

static int
read_ranges(struct redis_nodes *nodes, const redisReply *reply,
    const char *asked, struct redis_node *owners[static REDIS_SLOTS],
    const char **why)
{
	for (size_t i = 0; i < reply->elements; i++) {
		const redisReply *range = reply->element[i], *master;
		struct redis_node *node;

		*why = "it knows slots that are none";
		if (!is_range(range))
			return -1;
		master = range->element[2];
		node = redis_nodes_get(nodes, host_of(master, asked),
		    (int)master->element[1]->integer);
		*why = "it tells its nodes' names, but not their addresses";
		if (node == NULL)
			return -1;
		for (long long slot = range->element[0]->integer;
		    slot <= range->element[1]->integer; slot++)
			owners[slot] = node;
	}
	return 0;
}

static void
forget(struct redis_node *node)
{
	log_info(NULL, "counters: %s has no slots any more",
	    node->address.name);
	redis_link_free(node->link);
	free((char *)node->address.name);
	free(node);
}

/* One that slots move to has none yet, but is in use */
static void
forget_unused(struct redis_nodes *nodes)
{
	struct redis_node **at = &nodes->first, *node;

	while ((node = *at) != NULL) {
		bool is_used = node->slots > 0 || (node->was_used &&
		    (redis_link_is_up(node->link) ||
		    redis_link_is_coming(node->link)));

		node->was_used = false;
		if (is_used) {
			at = &node->next;
		} else {
			*at = node->next;
			forget(node);
		}
	}
}

int
redis_nodes_read(struct redis_nodes *nodes, const redisReply *reply,
    const char *host, const char **why)
{
	struct redis_node **owners = xcalloc(REDIS_SLOTS, sizeof(*owners));
	int rc = -1;

	*why = "it knows of no slots";
	if (reply->type == REDIS_REPLY_ARRAY && reply->elements > 0)
		rc = read_ranges(nodes, reply, host, owners, why);
	if (rc == 0) {
		for (unsigned slot = 0; slot < REDIS_SLOTS; slot++)
			redis_nodes_give(nodes, slot, owners[slot]);
		forget_unused(nodes);
		redis_nodes_start(nodes);
	}
	free(owners);
	return rc;
}

bool
redis_nodes_are_up(const struct redis_nodes *nodes)
{
	unsigned slots = 0;

	for (struct redis_node *node = nodes->first; node != NULL;
	    node = node->next)
		if (redis_link_is_up(node->link))
			slots += node->slots;
	return slots == REDIS_SLOTS;
}

bool
redis_nodes_are_coming(const struct redis_nodes *nodes)
{
	struct redis_node *node = nodes->first;

	while (node != NULL && !redis_link_is_coming(node->link))
		node = node->next;
	return node != NULL;
}

bool
redis_node_key(const struct redis_node *node, char key[static 32])
{
	for (unsigned i = 0; node->slots > 0 && i < KEY_TRIES; i++) {
		snprintf(key, 32, "postern:{%u}:probe", i);
		if (node->nodes->owners[redis_slot(key)] == node)
			return true;
	}
	return false;
}

void
redis_nodes_stop(struct redis_nodes *nodes)
{
	struct redis_node *node;

	for (node = nodes->first; node != NULL; node = node->next)
		redis_link_stop(node->link);
}

void
redis_nodes_free(struct redis_nodes *nodes)
{
	struct redis_node *node;

	while ((node = nodes->first) != NULL) {
		nodes->first = node->next;
		redis_link_free(node->link);
		free((char *)node->address.name);
		free(node);
	}
}
