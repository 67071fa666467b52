/* SPDX-License-Identifier: ISC */
/* redis_uri.c - which server, which database, as whom? Pure; never resolves a
 * name. Next: redis_link.c connects. */
#include "policyd/redis_uri.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define PORT 6379
#define DB_MAX 65535

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

static int
parse_host(struct arena *arena, const char *text, struct redis_uri *out,
    const char **why)
{
	const char *slash = strchr(text, '/');
	char *host = arena_strndup(arena, text,
	    slash != NULL ? (size_t)(slash - text) : strlen(text));
	char *end = *host == '[' ? strchr(host, ']') : NULL;
	char *colon = strrchr(end != NULL ? end : host, ':');

	*why = "the database is a number";
	if (slash != NULL && slash[1] != '\0' &&
	    (out->db = number(slash + 1, DB_MAX)) == -1)
		return -1;
	*why = "the port is a number up to 65535";
	if (colon != NULL && (out->port = number(colon + 1, 65535)) <= 0)
		return -1;
	if (colon != NULL)
		*colon = '\0';
	if (end != NULL) {
		*end = '\0';
		host++;
	}
	*why = "a host is missing";
	out->host = host;
	return *host != '\0' ? 0 : -1;
}

int
redis_uri_parse(struct arena *arena, const char *text, struct redis_uri *out,
    const char **why)
{
	static const char tcp[] = "redis://", local[] = "redis+unix://";

	*out = (struct redis_uri){ .user = "", .password = "", .port = PORT };
	if (strncmp(text, tcp, strlen(tcp)) == 0) {
		text = parse_user(arena, text + strlen(tcp), out);
		out->shown = arena_printf(arena, "%s%s", tcp, text);
		return parse_host(arena, text, out, why);
	}
	*why = "redis:// and redis+unix:// are what there is; no TLS, "
	    "Sentinel or Cluster yet";
	if (strncmp(text, local, strlen(local)) != 0)
		return -1;
	text = parse_user(arena, text + strlen(local), out);
	out->shown = arena_printf(arena, "%s%s", local, text);
	out->path = arena_strdup(arena, text);
	*why = "redis+unix:// wants an absolute path of less than 108 bytes";
	return *text == '/' && strlen(text) < 108 ? 0 : -1;
}
