/* SPDX-License-Identifier: ISC */
/* t/unit/header.c - where fields begin and end, and what their names are. */
#include "dkimsign/header.h"

#include "t/unit/tap.h"

/* want: each field as NAME=VALUE, "!" where it is none, "|" behind each;
 * CRLF as $ */
static const struct {
	const char *name, *text, *want;
	bool is_malformed;
} rows[] = {
	{ "no header section has no field", "", "", false },
	{ "two fields", "From: a\r\nTo:b\r\n", "From= a|To=b|", false },
	{ "the last line end may be missing", "From: a", "From= a|", false },
	{ "a line that begins with a blank goes on", "Subject: a\r\n b\r\n\tc"
	    "\r\nTo: d\r\n", "Subject= a$ b$\tc|To= d|", false },
	{ "a line of blanks goes on, too", "Subject: a\r\n \r\nTo: d\r\n",
	    "Subject= a$ |To= d|", false },
	{ "blanks before the colon are not the name's", "From \t: a\r\n",
	    "From= a|", false },
	{ "an empty value", "X-A:\r\nX-B:\r\n b\r\n", "X-A=|X-B=$ b|", false },
	{ "colons in the value are its own", "A: b:c\r\n", "A= b:c|", false },
	{ "no colon is no field", "From a\r\nTo: b\r\n", "!|To= b|", true },
	{ "nothing before the colon is none", ": a\r\n", "!|", true },
	{ "two words before the colon are none", "From x: a\r\n", "!|", true },
	{ "a control byte in the name is none", "Fr\001om: a\r\n", "!|", true },
	{ "an 8-bit byte in the name is none", "Fr\303\266m: a\r\n", "!|",
	    true },
	{ "a folded name is none", "From\r\n : a\r\n", "!|", true },
	{ "a first line with a blank is none", " a: b\r\nTo: c\r\n", "!|To= c|",
	    true },
	{ "a bare line feed ends no line", "A: b\nFrom: c\r\n",
	    "A= b\nFrom: c|", false },
	{ "a bare carriage return ends no line", "A: b\rFrom: c\r\n",
	    "A= b\rFrom: c|", false },
	{ "CR CR LF ends one", "A: b\r\r\nB: c\r\n", "A= b\r|B= c|", false },
	{ "an empty line is no field", "A: b\r\n\r\nB: c\r\n", "A= b|!|B= c|",
	    true },
};

static size_t
append(char *to, size_t used, const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (i + 1 < len && memcmp(text + i, "\r\n", 2) == 0)
			i++;
		to[used++] = text[i] == '\n' && i > 0 && text[i - 1] == '\r'
		    ? '$' : text[i];
	}
	return used;
}

static const char *
shown(const struct header *header)
{
	static char text[256];
	const struct header_field *field;
	size_t i, used = 0;

	for (i = 0; i < header->count; i++) {
		field = &header->fields[i];
		if (field->name_len == 0) {
			text[used++] = '!';
		} else {
			used = append(text, used, field->name, field->name_len);
			text[used++] = '=';
			used = append(text, used, field->value,
			    field->value_len);
		}
		text[used++] = '|';
	}
	text[used] = '\0';
	return text;
}

int
main(void)
{
	struct arena *arena = arena_new(0);
	struct header header;
	size_t i, at, k;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		header_parse(arena, rows[i].text, strlen(rows[i].text),
		    &header);
		tap_is(shown(&header), rows[i].want, rows[i].name);
		tap_ok(header.is_malformed == rows[i].is_malformed,
		    "and so it is called");
		for (at = k = 0; k < header.count; k++)
			at += header.fields[k].len + 2;
		tap_ok(at == header.len || at == header.len + 2,
		    "the fields are all of it");
	}
	header_parse(arena, "FROM: a", 7, &header);
	tap_ok(header_is(&header.fields[0], "from"), "case does not matter");
	tap_ok(!header_is(&header.fields[0], "fro") &&
	    !header_is(&header.fields[0], "from:"), "length does");
	arena_free(arena);
	return tap_done();
}
