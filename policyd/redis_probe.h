/* SPDX-License-Identifier: ISC */
/* redis_probe.h - a greeting for a server that is to be written to. */
#ifndef POLICYD_REDIS_PROBE_H
#define POLICYD_REDIS_PROBE_H

#include "policyd/redis_link.h"

enum probe_role {
	PROBE_SERVER,	/* takes a write */
	PROBE_MASTER,	/* and says that it is a master */
	PROBE_NODE	/* takes a write, or says that the key is elsewhere */
};

/* With the link, and of its owner */
struct redis_probe {
	struct redis_link *link;
	enum probe_role role;
	/* Redis forgets what it should not: its maxmemory-policy; "" where it
	 * is noeviction, or cannot be told */
	char eviction[32];
};

/* For the link's greet(). key NULL: to no key, the server has only to answer */
void redis_probe(struct redis_probe *probe, redisAsyncContext *context,
    const char *key);

#endif
