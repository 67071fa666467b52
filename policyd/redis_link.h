/* SPDX-License-Identifier: ISC */
/* redis_link.h - one connection to Redis that comes back by itself, and the
 * breaker: while it is down nobody waits. It is down from the first call that
 * is not answered in time, or that says that the server cannot serve, until a
 * new connection has logged in and written. */
#ifndef POLICYD_REDIS_LINK_H
#define POLICYD_REDIS_LINK_H

#include <event2/event_struct.h>
#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policyd/redis_uri.h"

struct redis_link;

/* A call under way, part of what the caller keeps of it */
struct redis_call {
	struct redis_link *link;
	/* reply NULL: there will be none. Either asks the same call again, or
	 * ends it. Never called inside redis_link_ask(). */
	void (*fn)(struct redis_call *call, const redisReply *reply);
	struct event expired;
};

/* uri lives as long as the link. NULL and *why where its host has no address */
struct redis_link *redis_link_new(const struct redis_uri *uri,
    int64_t timeout_ms, const char **why);
/* Every call under way is answered with NULL first. NULL is fine. */
void redis_link_free(struct redis_link *link);

/* Connects; returns when it is up, or was not within a second */
void redis_link_start(struct redis_link *link);
bool redis_link_is_up(const struct redis_link *link);
/* Redis forgets what it should not: its maxmemory-policy; "" where it is
 * noeviction, or cannot be told */
const char *redis_link_eviction(const struct redis_link *link);

/* The time-out runs from the first time that a call is asked to its end. False:
 * cannot be asked, and fn will not be called. */
bool redis_link_ask(struct redis_link *link, struct redis_call *call, int argc,
    const char **argv, const size_t *lengths);
void redis_call_end(struct redis_call *call);

#endif
