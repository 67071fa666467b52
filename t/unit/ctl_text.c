/* SPDX-License-Identifier: ISC */
/* ctl_text.c - does nothing reach the terminal that could move its cursor, and
 * is width counted in columns? */
#include "common/ctl_text.h"

#include "t/unit/tap.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static const struct {
	const char *name, *text, *want;
} cleaned[] = {
	{ "plain text stays as it is", "a b,c", "a b,c" },
	{ "UTF-8 stays as it is", "M\xc3\xbcller \xe6\x97\xa5",
	    "M\xc3\xbcller \xe6\x97\xa5" },
	{ "no text is an empty one", NULL, "" },
	{ "an escape sequence is disarmed", "\033[2J", "\\x1B[2J" },
	{ "a newline cannot end the line", "a\nb", "a\\x0Ab" },
	{ "a tab cannot shift the columns", "a\tb", "a\\x09b" },
	{ "DEL is a control character", "\x7f", "\\x7F" },
	{ "so is CSI, a C1 control", "\xc2\x9bm", "\\xC2\\x9Bm" },
	{ "a byte that is no UTF-8 is shown", "M\xfcller", "M\\xFCller" },
	{ "a character cut short is shown", "a\xe6\x97", "a\\xE6\\x97" },
	{ "an overlong form is no UTF-8", "\xc0\xaf", "\\xC0\\xAF" },
	{ "a surrogate is no UTF-8", "\xed\xa0\x80", "\\xED\\xA0\\x80" },
};

static const struct {
	const char *name, *text;
	size_t want;
} widths[] = {
	{ "a letter of two bytes takes one column", "M\xc3\xbcller", 6 },
	{ "an ideograph takes two columns", "\xe6\x97\xa5", 2 },
	{ "a combining accent takes none", "e\xcc\x81", 1 },
};

static const struct {
	const char *name, *text;
	size_t columns, want;
} fits[] = {
	{ "what fits is not cut", "ab cd", 5, 5 },
	{ "nothing needs no room", "", 0, 0 },
	{ "it is cut before a blank", "ab cd ef", 6, 5 },
	{ "a blank may hang over", "ab cd", 2, 2 },
	{ "it is cut behind a comma", "dc=a,dc=b", 8, 5 },
	{ "the last of several places counts", "a b,cd", 5, 4 },
	{ "a long word is cut where the room ends", "abcdef", 4, 4 },
	{ "a leading blank is no place to cut", " abcdef", 4, 4 },
	{ "a character is never cut in two", "\xc3\xbc\xc3\xbc", 1, 2 },
	{ "nor is one that is too wide for the room", "\xe6\x97\xa5x", 1, 3 },
};

int
main(void)
{
	struct arena *arena = arena_new(0);
	size_t i;

	ctl_text_start();
	for (i = 0; i < ROWS(cleaned); i++)
		tap_is(ctl_text_clean(arena, cleaned[i].text),
		    cleaned[i].want, cleaned[i].name);
	for (i = 0; i < ROWS(widths); i++)
		tap_int((int64_t)ctl_text_width(widths[i].text,
		    strlen(widths[i].text)), (int64_t)widths[i].want,
		    widths[i].name);
	for (i = 0; i < ROWS(fits); i++)
		tap_int((int64_t)ctl_text_fit(fits[i].text, fits[i].columns),
		    (int64_t)fits[i].want, fits[i].name);
	arena_free(arena);
	return tap_done();
}
