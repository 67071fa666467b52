/* SPDX-License-Identifier: ISC */
/* redis_nodes.h - the masters of a Redis cluster, and whose each slot is, as
 * far as we have heard. */
#ifndef POLICYD_REDIS_NODES_H
#define POLICYD_REDIS_NODES_H

#include "policyd/redis_probe.h"

struct redis_node {
	struct redis_address address;
	struct redis_link *link;
	struct redis_probe probe;
	struct redis_nodes *nodes;
	unsigned slots;		/* so many are its own */
	bool is_started;
	bool was_used;		/* since the last redis_nodes_read() */
	struct redis_node *next;
};

struct redis_nodes {
	const struct redis_link_ops *ops;	/* owner: the node */
	const struct redis_access *access;
	struct redis_node *first;
	struct redis_node *owners[REDIS_SLOTS];	/* NULL: nobody's */
};

/* What a node says of another, made known where it is not; the caller starts
 * it. NULL where host is not numbers. */
struct redis_node *redis_nodes_get(struct redis_nodes *nodes,
    const char *host, int port);
void redis_nodes_start(struct redis_nodes *nodes);
void redis_nodes_give(struct redis_nodes *nodes, unsigned slot,
    struct redis_node *to);

/* The answer to CLUSTER SLOTS of the node at host: forgets nodes that are
 * neither in it nor in use. 0, or -1 and *why, and all is as it was. */
int redis_nodes_read(struct redis_nodes *nodes, const redisReply *reply,
    const char *host, const char **why);

/* Every slot has an owner, and all of them can be asked */
bool redis_nodes_are_up(const struct redis_nodes *nodes);
bool redis_nodes_are_coming(const struct redis_nodes *nodes);

/* A key that lies on this node, the same until its slots change; false where
 * it has none */
bool redis_node_key(const struct redis_node *node, char key[static 32]);

/* Answers all that is under way with NULL; they stay, but connect no more */
void redis_nodes_stop(struct redis_nodes *nodes);
void redis_nodes_free(struct redis_nodes *nodes);

#endif
