/* SPDX-License-Identifier: ISC */
/* header.c - where does each header field begin and end, and what is its name?
 * Never changes or copies a byte of the message. Next: author.c, sign.c. */
#include "dkimsign/header.h"

#include <string.h>
#include <strings.h>

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* How many bytes at text the next line takes, CRLF and all */
static size_t
line_length(const char *text, size_t len)
{
	const char *at = text, *end = text + len;

	while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		at++;
		if (at - text >= 2 && at[-2] == '\r')
			return (size_t)(at - text);
	}
	return len;
}

/* The first line, and those that begin with a blank */
static size_t
field_length(const char *text, size_t len)
{
	size_t used = line_length(text, len);

	while (used < len && is_blank(text[used]))
		used += line_length(text + used, len - used);
	return used;
}

/* RFC 5322 3.6.8: ftext, and 4.5: blanks before the colon. As Postfix sees it
 * (is_header()), since the next hop is a Postfix. */
static void
find_name(struct header_field *field)
{
	size_t name = 0, colon;

	while (name < field->len && field->text[name] > ' ' &&
	    field->text[name] < '\x7f' && field->text[name] != ':')
		name++;
	for (colon = name; colon < field->len && is_blank(field->text[colon]);)
		colon++;
	field->name = field->text;
	if (name == 0 || colon == field->len || field->text[colon] != ':')
		return;
	field->name_len = name;
	field->value = field->text + colon + 1;
	field->value_len = field->len - colon - 1;
}

static struct header_field
field_at(const char *text, size_t len)
{
	struct header_field field = { .text = text, .value = text };

	field.len = len >= 2 && memcmp(text + len - 2, "\r\n", 2) == 0
	    ? len - 2 : len;
	find_name(&field);
	return field;
}

void
header_parse(struct arena *arena, const char *text, size_t len,
    struct header *out)
{
	struct header_field *fields;
	size_t at, count = 0, used;

	for (at = 0; at < len; at += field_length(text + at, len - at))
		count++;
	fields = arena_alloc(arena, count * sizeof(*fields));
	*out = (struct header){ .fields = fields, .text = text, .len = len };
	for (at = 0; at < len; at += used) {
		used = field_length(text + at, len - at);
		fields[out->count] = field_at(text + at, used);
		if (fields[out->count++].name_len == 0)
			out->is_malformed = true;
	}
}

bool
header_is(const struct header_field *field, const char *name)
{
	return field->name_len == strlen(name) &&
	    strncasecmp(field->name, name, field->name_len) == 0;
}
