/* SPDX-License-Identifier: ISC */
/* xforward.c - the attributes of XFORWARD, a row each, in and out of xtext.
 * Believes them: who may speak to our socket may say what it likes. */
#include "dkimsign/xforward.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define VALUE_MAX 255		/* as Postfix bounds it, in xtext */

const char *const xforward_names[XFORWARD_ATTRIBUTES] = {
	[XFORWARD_NAME] = "NAME",
	[XFORWARD_ADDR] = "ADDR",
	[XFORWARD_PORT] = "PORT",
	[XFORWARD_PROTO] = "PROTO",
	[XFORWARD_HELO] = "HELO",
	[XFORWARD_IDENT] = "IDENT",
	[XFORWARD_SOURCE] = "SOURCE",
};

/* XFORWARD_ATTRIBUTES: none of ours */
static size_t
find(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < XFORWARD_ATTRIBUTES; i++)
		if (strlen(xforward_names[i]) == len &&
		    strncasecmp(xforward_names[i], name, len) == 0)
			break;
	return i;
}

unsigned
xforward_bit(const char *name, size_t len)
{
	size_t at = find(name, len);

	return at == XFORWARD_ATTRIBUTES ? 0 : 1u << at;
}

static bool
is_xtext(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (text[i] < '!' || text[i] > '~' ||
		    (text[i] == '+' && (i + 2 >= len ||
		    !isxdigit((unsigned char)text[i + 1]) ||
		    !isxdigit((unsigned char)text[i + 2]))))
			return false;
	return len > 0 && len <= VALUE_MAX;
}

static bool
is_nothing(const char *value, size_t len)
{
	static const char *const words[] = { "[UNAVAILABLE]", "[TEMPUNAVAIL]" };

	return len == strlen(words[0]) &&
	    (strncasecmp(value, words[0], len) == 0 ||
	    strncasecmp(value, words[1], len) == 0);
}

int
xforward_take(struct xforward *xforward, struct arena *arena,
    const char *arguments, unsigned offered)
{
	const char *at = arguments, *value;
	size_t len, name_len, attribute;

	while (*(at += strspn(at, " ")) != '\0') {
		len = strcspn(at, " ");
		name_len = strcspn(at, "= ");
		if (name_len >= len || !(xforward_bit(at, name_len) & offered))
			return -1;
		attribute = find(at, name_len);
		value = at + name_len + 1;
		len -= name_len + 1;
		if (!is_xtext(value, len))
			return -1;
		xforward->values[attribute] = is_nothing(value, len) ? NULL
		    : arena_strndup(arena, value, len);
		at = value + len;
	}
	xforward->tells_client = offered & (1u << XFORWARD_ADDR);
	return at == arguments ? -1 : 0;
}

const char *
xforward_text(const struct xforward *xforward, struct arena *arena,
    enum xforward_attribute attribute)
{
	const char *from = xforward->values[attribute];
	char *text, *to, hex[3] = "";

	if (from == NULL)
		return "";
	text = to = arena_strdup(arena, from);
	for (; *from != '\0'; from++, to++) {
		*to = *from;
		if (*from != '+')
			continue;
		memcpy(hex, from + 1, 2);
		*to = (char)strtoul(hex, NULL, 16);
		if (*to == '\0')
			*to = '?';
		from += 2;
	}
	*to = '\0';
	return text;
}
