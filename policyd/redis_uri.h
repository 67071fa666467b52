/* SPDX-License-Identifier: ISC */
/* redis_uri.h - the forms of a Redis URI, each with [user:pass@] in front:
 *   redis://host[:port][/db]			one server
 *   rediss://host[:port][/db]			the same, over TLS
 *   redis+unix:///path				the same, on this host
 *   redis-sentinel://host[:port],.../master[/db]	whom the sentinels name
 *   redis-cluster://host[:port],...		some nodes of a cluster */
#ifndef POLICYD_REDIS_URI_H
#define POLICYD_REDIS_URI_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"

enum redis_kind { REDIS_SINGLE, REDIS_SENTINEL, REDIS_CLUSTER };

struct redis_host {
	const char *name;	/* a name or an address */
	int port;
};

struct redis_uri {
	enum redis_kind kind;
	bool has_tls;
	const char *user;	/* "": the default user */
	const char *password;	/* "": none */
	struct redis_host *hosts;
	size_t host_count;	/* 0: a unix socket */
	const char *path;	/* of the socket */
	const char *master;	/* how the sentinels call it */
	int db;
	const char *shown;	/* without user and password */
};

/* User and password may be %-escaped. 0, or -1 and *why (static). */
int redis_uri_parse(struct arena *arena, const char *text,
    struct redis_uri *out, const char **why);

#endif
