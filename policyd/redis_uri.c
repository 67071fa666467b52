/* SPDX-License-Identifier: ISC */
/* redis_uri.c - which servers, which database, as whom? Pure; never resolves a
 * name. Next: redis_route.c. */
#include "policyd/redis_uri.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define DB_MAX 65535
#define PATH_BYTES 108		/* of a unix socket's address */

enum form { FORM_HOST, FORM_PATH, FORM_HOSTS_MASTER, FORM_HOSTS };

static const struct scheme {
	const char *text;
	enum redis_kind kind;
	enum form form;
	bool has_tls;
	int port;		/* where none is named */
} schemes[] = {
	{ "redis://", REDIS_SINGLE, FORM_HOST, false, 6379 },
	{ "rediss://", REDIS_SINGLE, FORM_HOST, true, 6379 },
	{ "redis+unix://", REDIS_SINGLE, FORM_PATH, false, 0 },
	{ "redis-sentinel://", REDIS_SENTINEL, FORM_HOSTS_MASTER, false,
	    26379 },
	{ "redis-cluster://", REDIS_CLUSTER, FORM_HOSTS, false, 6379 },
};

/* At most 5 digits, so that nothing overflows; -1: not that */
static int
number(const char *text, int max)
{
	size_t digits = strspn(text, "0123456789");
	int value = atoi(digits <= 5 ? text : "");

	return digits == 0 || digits > 5 || text[digits] != '\0' ||
	    value > max ? -1 : value;
}

static char *
unescape(struct arena *arena, const char *text, size_t len)
{
	char *out = arena_strndup(arena, text, len), *to = out;
	const char *from;

	for (from = out; *from != '\0'; from++) {
		if (*from == '%' && isxdigit((unsigned char)from[1]) &&
		    isxdigit((unsigned char)from[2])) {
			char hex[] = { from[1], from[2], '\0' };

			*to++ = (char)strtol(hex, NULL, 16);
			from += 2;
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
	return out;
}

/* What stands behind the "@" */
static const char *
parse_user(struct arena *arena, const char *text, struct redis_uri *out)
{
	const char *at = strrchr(text, '@'), *colon;

	if (at == NULL)
		return text;
	colon = memchr(text, ':', (size_t)(at - text));
	out->user = unescape(arena, text,
	    (size_t)((colon != NULL ? colon : at) - text));
	if (colon != NULL)
		out->password = unescape(arena, colon + 1,
		    (size_t)(at - colon - 1));
	return at + 1;
}

/* host, host:port, [IPv6] or [IPv6]:port */
static int
parse_host(char *text, struct redis_host *out, const char **why)
{
	char *end = *text == '[' ? strchr(text, ']') : NULL;
	char *colon = strrchr(end != NULL ? end : text, ':');

	*why = "the port is a number up to 65535";
	if (colon != NULL && (out->port = number(colon + 1, 65535)) <= 0)
		return -1;
	if (colon != NULL)
		*colon = '\0';
	if (end != NULL) {
		*end = '\0';
		text++;
	}
	*why = "a host is missing";
	out->name = text;
	return *text != '\0' ? 0 : -1;
}

/* Up to the "/": one or more, with a comma between them */
static int
parse_hosts(struct arena *arena, const char *text, size_t len, int port,
    struct redis_uri *out, const char **why)
{
	char *list = arena_strndup(arena, text, len), *host;

	out->hosts = arena_alloc(arena, (len + 1) * sizeof(*out->hosts));
	while ((host = strsep(&list, ",")) != NULL) {
		struct redis_host *one = &out->hosts[out->host_count++];

		one->port = port;
		if (parse_host(host, one, why) == -1)
			return -1;
	}
	return 0;
}

/* Behind the hosts: "/db", "/master/db" or nothing */
static int
parse_rest(struct arena *arena, const char *rest, enum form form,
    struct redis_uri *out, const char **why)
{
	const char *slash;

	*why = "several hosts are redis-sentinel:// or redis-cluster://";
	if (form == FORM_HOST && out->host_count > 1)
		return -1;
	*why = "a cluster has no databases to choose from";
	if (form == FORM_HOSTS)
		return strcmp(rest, "") == 0 || strcmp(rest, "/") == 0 ? 0 : -1;
	if (form == FORM_HOSTS_MASTER) {
		rest += *rest == '/';
		slash = strchrnul(rest, '/');
		out->master = arena_strndup(arena, rest,
		    (size_t)(slash - rest));
		*why = "the master's name is missing, as the sentinels know it";
		if (*out->master == '\0')
			return -1;
		rest = slash;
	}
	*why = "the database is a number";
	return rest[0] == '\0' || rest[1] == '\0' ||
	    (out->db = number(rest + 1, DB_MAX)) != -1 ? 0 : -1;
}

static const struct scheme *
scheme_of(const char *text)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strncmp(text, schemes[i].text, strlen(schemes[i].text)) == 0)
			return &schemes[i];
	return NULL;
}

int
redis_uri_parse(struct arena *arena, const char *text, struct redis_uri *out,
    const char **why)
{
	const struct scheme *scheme = scheme_of(text);
	size_t len;

	*out = (struct redis_uri){ .user = "", .password = "" };
	*why = "the schemes are redis, rediss, redis+unix, redis-sentinel and "
	    "redis-cluster";
	if (scheme == NULL)
		return -1;
	out->kind = scheme->kind;
	out->has_tls = scheme->has_tls;
	text = parse_user(arena, text + strlen(scheme->text), out);
	out->shown = arena_printf(arena, "%s%s", scheme->text, text);
	if (scheme->form == FORM_PATH) {
		out->path = arena_strdup(arena, text);
		*why = "redis+unix:// wants an absolute path of less than 108 "
		    "bytes";
		return *text == '/' && strlen(text) < PATH_BYTES ? 0 : -1;
	}
	len = strcspn(text, "/");
	if (parse_hosts(arena, text, len, scheme->port, out, why) == -1)
		return -1;
	return parse_rest(arena, text + len, scheme->form, out, why);
}
