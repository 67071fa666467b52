/* SPDX-License-Identifier: ISC */
/* redis_uri.c - every form of the URI, and what is none. */
#include "policyd/redis_uri.h"

#include "t/unit/tap.h"

static const struct {
	const char *name, *text, *want;	/* user|password|where|master|db */
} rows[] = {
	{ "a host alone", "redis://h", "||h:6379||0" },
	{ "host, port and database", "redis://h:1/2", "||h:1||2" },
	{ "no database", "redis://h:1/", "||h:1||0" },
	{ "IPv6", "redis://[::1]:2/3", "||::1:2||3" },
	{ "IPv6 without a port", "redis://[::1]", "||::1:6379||0" },
	{ "a user and a password", "redis://u:p@h", "u|p|h:6379||0" },
	{ "a password alone", "redis://:p@h", "|p|h:6379||0" },
	{ "a password that is escaped", "redis://u:%40%3a/@h/1",
	    "u|@:/|h:6379||1" },
	{ "a password with an @", "redis://u:a@b@h", "u|a@b|h:6379||0" },
	{ "a socket", "redis+unix:///run/s", "||/run/s||0" },
	{ "a socket and a user", "redis+unix://u:p@/run/s",
	    "u|p|/run/s||0" },
	{ "TLS", "rediss://h:2/1", "||h:2 tls||1" },
	{ "one sentinel", "redis-sentinel://h/m", "||h:26379|m|0" },
	{ "sentinels, a master and a database",
	    "redis-sentinel://u:p@a:1,b,[::1]:3/my.master/2",
	    "u|p|a:1 b:26379 ::1:3|my.master|2" },
	{ "a cluster by one node", "redis-cluster://h", "||h:6379||0" },
	{ "a cluster by several", "redis-cluster://:p@a:1,b:2/",
	    "|p|a:1 b:2||0" },
	{ "no host", "redis://", NULL },
	{ "no host but a port", "redis://:1", NULL },
	{ "two hosts and neither Sentinel nor Cluster", "redis://a,b", NULL },
	{ "port 0", "redis://h:0", NULL },
	{ "a port too large", "redis://h:65536", NULL },
	{ "a port that overflows", "redis://h:4294967297", NULL },
	{ "a database that is no number", "redis://h/x", NULL },
	{ "a relative socket", "redis+unix://s", NULL },
	{ "sentinels without a master", "redis-sentinel://h:1", NULL },
	{ "sentinels and an empty master", "redis-sentinel://h:1//2", NULL },
	{ "sentinels and a database that is none",
	    "redis-sentinel://h:1/m/x", NULL },
	{ "an empty host among others", "redis-sentinel://a,,b/m", NULL },
	{ "a comma too many", "redis-cluster://a,", NULL },
	{ "a database of a cluster", "redis-cluster://a/1", NULL },
	{ "another scheme", "redis:h", NULL },
};

static const char *
text_of(struct arena *arena, const struct redis_uri *uri)
{
	const char *where = uri->path != NULL ? uri->path : "";

	for (size_t i = 0; i < uri->host_count; i++)
		where = arena_printf(arena, "%s%s%s:%d", where,
		    *where != '\0' ? " " : "", uri->hosts[i].name,
		    uri->hosts[i].port);
	return arena_printf(arena, "%s|%s|%s%s|%s|%d", uri->user,
	    uri->password, where, uri->has_tls ? " tls" : "",
	    uri->master != NULL ? uri->master : "", uri->db);
}

int
main(void)
{
	struct arena *arena = arena_new(0);
	struct redis_uri uri;
	const char *why;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		tap_is(redis_uri_parse(arena, rows[i].text, &uri, &why) == -1
		    ? NULL : text_of(arena, &uri), rows[i].want, rows[i].name);
	redis_uri_parse(arena, "redis://u:secret@h:1/2", &uri, &why);
	tap_is(uri.shown, "redis://h:1/2", "a secret is not shown");
	arena_free(arena);
	return tap_done();
}
