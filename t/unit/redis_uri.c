/* SPDX-License-Identifier: ISC */
/* redis_uri.c - every form of the URI, and what is none. */
#include "policyd/redis_uri.h"

#include "t/unit/tap.h"

static const struct {
	const char *name, *text, *want;		/* user|password|where|db */
} rows[] = {
	{ "a host alone", "redis://h", "||h:6379|0" },
	{ "host, port and database", "redis://h:1/2", "||h:1|2" },
	{ "no database", "redis://h:1/", "||h:1|0" },
	{ "IPv6", "redis://[::1]:2/3", "||::1:2|3" },
	{ "a user and a password", "redis://u:p@h", "u|p|h:6379|0" },
	{ "a password alone", "redis://:p@h", "|p|h:6379|0" },
	{ "a password that is escaped", "redis://u:%40%3a/@h/1",
	    "u|@:/|h:6379|1" },
	{ "a password with an @", "redis://u:a@b@h", "u|a@b|h:6379|0" },
	{ "a socket", "redis+unix:///run/s", "||/run/s:6379|0" },
	{ "a socket and a user", "redis+unix://u:p@/run/s",
	    "u|p|/run/s:6379|0" },
	{ "no host", "redis://", NULL },
	{ "no host but a port", "redis://:1", NULL },
	{ "port 0", "redis://h:0", NULL },
	{ "a port too large", "redis://h:65536", NULL },
	{ "a port that overflows", "redis://h:4294967297", NULL },
	{ "a database that is no number", "redis://h/x", NULL },
	{ "a relative socket", "redis+unix://s", NULL },
	{ "TLS", "rediss://h", NULL },
	{ "Sentinel", "redis-sentinel://h:1/m", NULL },
};

int
main(void)
{
	struct arena *arena = arena_new(0);
	struct redis_uri uri;
	const char *why;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		tap_is(redis_uri_parse(arena, rows[i].text, &uri, &why) == -1
		    ? NULL : arena_printf(arena, "%s|%s|%s:%d|%d", uri.user,
		    uri.password, uri.path != NULL ? uri.path : uri.host,
		    uri.port, uri.db), rows[i].want, rows[i].name);
	redis_uri_parse(arena, "redis://u:secret@h:1/2", &uri, &why);
	tap_is(uri.shown, "redis://h:1/2", "a secret is not shown");
	arena_free(arena);
	return tap_done();
}
