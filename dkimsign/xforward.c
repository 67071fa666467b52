/* SPDX-License-Identifier: ISC */
/* xforward.c - the attributes of XFORWARD, a row each, in and out of xtext.
 * Believes them: who may speak to our socket may say what it likes. */
#include "dkimsign/xforward.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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
	return len > 0;
}

static bool
is_nothing(const char *value, size_t len)
{
	static const char *const words[] = { "[UNAVAILABLE]", "[TEMPUNAVAIL]" };

	return len == strlen(words[0]) &&
	    (strncasecmp(value, words[0], len) == 0 ||
	    strncasecmp(value, words[1], len) == 0);
}

/* The next hop takes none that is too long, and who wrote that (HELO is the
 * client's own) must not take the queue id away with it */
static void
set(struct xforward *xforward, size_t attribute, const char *value, size_t len)
{
	char *to = xforward->values[attribute];

	*to = '\0';
	if (is_nothing(value, len))
		return;
	if (attribute == XFORWARD_ADDR)
		xforward->has_client = true;
	if (len <= XFORWARD_VALUE)
		*(char *)mempcpy(to, value, len) = '\0';
}

static int
take_all(struct xforward *xforward, const char *arguments, unsigned offered)
{
	const char *at = arguments, *value;
	size_t len, name_len;

	while (*(at += strspn(at, " ")) != '\0') {
		len = strcspn(at, " ");
		name_len = strcspn(at, "= ");
		if (name_len >= len || !(xforward_bit(at, name_len) & offered))
			return -1;
		value = at + name_len + 1;
		len -= name_len + 1;
		if (!is_xtext(value, len))
			return -1;
		set(xforward, find(at, name_len), value, len);
		at = value + len;
	}
	return at == arguments ? -1 : 0;
}

/* Postfix goes on where one is refused: what it would have said of the client
 * is not known then, and must not look as if there were none */
int
xforward_take(struct xforward *xforward, const char *arguments,
    unsigned offered)
{
	int rc = take_all(xforward, arguments, offered);

	xforward->tells_client = offered & (1u << XFORWARD_ADDR);
	if (rc == -1)
		xforward->has_client = true;
	return rc;
}

const char *
xforward_text(const struct xforward *xforward, struct arena *arena,
    enum xforward_attribute attribute)
{
	const char *from = xforward->values[attribute];
	char *text, *to, hex[3] = "";

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
