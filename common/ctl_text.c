/* SPDX-License-Identifier: ISC */
/* ctl_text.c - UTF-8 for a terminal, character by character. What is printed
 * was written by somebody else, and must never reach the terminal raw. */
#include "common/ctl_text.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

void
ctl_text_start(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
}

/* The bytes of the first character, and its columns; -1 columns where it is
 * none that can be printed */
static size_t
character(const char *text, size_t bytes, int *columns)
{
	mbstate_t state = { 0 };
	wchar_t wide;
	size_t len = mbrtowc(&wide, text, bytes, &state);

	*columns = -1;
	if (len == 0 || len > bytes)	/* also (size_t)-1 and -2 */
		return 1;
	*columns = wcwidth(wide);
	return len;
}

char *
ctl_text_clean(struct arena *arena, const char *text)
{
	size_t i, len, left = text != NULL ? strlen(text) : 0;
	char *clean = arena_alloc(arena, 4 * left + 1), *to = clean;
	int columns;

	for (; left > 0; text += len, left -= len) {
		len = character(text, left, &columns);
		if (columns >= 0) {
			memcpy(to, text, len);
			to += len;
			continue;
		}
		for (i = 0; i < len; i++)
			to += sprintf(to, "\\x%02X", (unsigned char)text[i]);
	}
	return clean;
}

size_t
ctl_text_width(const char *text, size_t bytes)
{
	size_t len, width = 0;
	int columns;

	for (; bytes > 0; text += len, bytes -= len) {
		len = character(text, bytes, &columns);
		width += columns > 0 ? (size_t)columns : 0;
	}
	return width;
}

size_t
ctl_text_fit(const char *text, size_t columns)
{
	size_t len, at = 0, cut = 0, width = 0, bytes = strlen(text);
	int more;

	while (at < bytes) {
		len = character(text + at, bytes - at, &more);
		width += more > 0 ? (size_t)more : 0;
		if (text[at] == ' ' && at > 0)
			cut = at;	/* a blank may hang over */
		if (width > columns)
			break;
		at += len;
		if (text[at - 1] == ',')
			cut = at;
	}
	if (at == bytes)
		return bytes;
	return cut > 0 ? cut : at > 0 ? at : len;
}
