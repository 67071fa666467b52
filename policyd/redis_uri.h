/* SPDX-License-Identifier: ISC */
/* redis_uri.h - redis://[user:pass@]host[:port][/db] and redis+unix:///path. */
#ifndef POLICYD_REDIS_URI_H
#define POLICYD_REDIS_URI_H

#include "common/arena.h"

struct redis_uri {
	const char *user;	/* "": the default user */
	const char *password;	/* "": none */
	const char *host;	/* NULL: a unix socket */
	int port;
	const char *path;	/* of the socket */
	int db;
	const char *shown;	/* without user and password */
};

/* User and password may be %-escaped. 0, or -1 and *why (static). */
int redis_uri_parse(struct arena *arena, const char *text,
    struct redis_uri *out, const char **why);

#endif
