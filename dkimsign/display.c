/* SPDX-License-Identifier: ISC */
/* display.c - does a display name try to be an address? Some readers decode
 * encoded words before they look for the address, some stop at a NUL, some
 * take the first <...> that they see: names which make these disagree are
 * refused. */
#include "dkimsign/display.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

/* One character at text, and how many bytes it has; 0: not valid UTF-8
 * (RFC 3629) */
static size_t
utf8_at(const char *text, size_t len, uint32_t *out)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char first = (unsigned char)*text;
	size_t bytes = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2
	    : first < 0xf0 ? 3 : first < 0xf8 ? 4 : 0, i;

	if (bytes == 0 || bytes > len)
		return 0;
	*out = bytes == 1 ? first : first & (0x7fU >> bytes);
	for (i = 1; i < bytes; i++) {
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			return 0;
		*out = *out << 6 | ((unsigned char)text[i] & 0x3f);
	}
	if (*out < least[bytes] || *out > 0x10ffff ||
	    (*out >= 0xd800 && *out <= 0xdfff))
		return 0;
	return bytes;
}

/* Controls, line and paragraph separators, and what overrides the direction */
static bool
is_hidden(uint32_t c)
{
	return (c < ' ' && c != '\t') || (c >= 0x7f && c < 0xa0) ||
	    (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

static bool
is_fold(const char *text, size_t len)
{
	return len >= 3 && text[0] == '\r' && text[1] == '\n' &&
	    (text[2] == ' ' || text[2] == '\t');
}

int
display_check_bytes(const char *text, size_t len, const char **why)
{
	size_t at = 0, bytes;
	uint32_t c;

	while (at < len) {
		if (is_fold(text + at, len - at)) {
			at += 2;
			continue;
		}
		*why = "not UTF-8";
		if ((bytes = utf8_at(text + at, len - at, &c)) == 0)
			return -1;
		*why = "a control character";
		if (is_hidden(c))
			return -1;
		at += bytes;
	}
	return 0;
}

static int
hex_value(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c != '\0' ? strchr(digits, c | 0x20) : NULL;

	return found != NULL ? (int)(found - digits) : -1;
}

/* RFC 2047 4.2 */
static size_t
decode_q(const char *text, size_t len, char *to)
{
	size_t at, used = 0;

	for (at = 0; at < len; at++)
		if (text[at] == '=' && at + 2 < len &&
		    hex_value(text[at + 1]) >= 0 &&
		    hex_value(text[at + 2]) >= 0) {
			to[used++] = (char)(hex_value(text[at + 1]) << 4 |
			    hex_value(text[at + 2]));
			at += 2;
		} else
			to[used++] = text[at] == '_' ? ' ' : text[at];
	return used;
}

/* Whatever is no digit is passed over, as many readers do */
static size_t
decode_b(const char *text, size_t len, char *to)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *found;
	unsigned bits = 0, count = 0;
	size_t at, used = 0;

	for (at = 0; at < len; at++) {
		found = memchr(digits, text[at], sizeof(digits) - 1);
		if (found == NULL)
			continue;
		bits = bits << 6 | (unsigned)(found - digits);
		count += 6;
		if (count < 8)
			continue;
		count -= 8;
		to[used++] = (char)(bits >> count);
	}
	return used;
}

/* Its bytes below 0x80 are ASCII; in others they may be halves of letters */
static bool
is_like_ascii(const char *charset)
{
	static const char *const beginnings[] = {
		"utf-8", "us-ascii", "iso-8859-", "windows-125", "koi8-"
	};
	size_t i;

	for (i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++)
		if (strncasecmp(charset, beginnings[i],
		    strlen(beginnings[i])) == 0)
			return true;
	return false;
}

/* "=?charset?Q?text?=" at text: how long it is, 0 where there is none; what it
 * says, as far as it can hide something, goes to to. */
static size_t
decode_word(const char *text, size_t len, char *to, size_t *used, bool *is_bad)
{
	const char *end = text + len, *code, *body, *stop;
	size_t bytes, i;

	if (len < 2 || memcmp(text, "=?", 2) != 0 ||
	    (code = memchr(text + 2, '?', len - 2)) == NULL ||
	    end - code < 3 || code[2] != '?')
		return 0;
	body = code + 3;
	if ((stop = memmem(body, (size_t)(end - body), "?=", 2)) == NULL)
		return 0;
	bytes = ((code[1] | 0x20) == 'b' ? decode_b : decode_q)(body,
	    (size_t)(stop - body), to);
	for (i = 0; i < bytes; i++)
		if (memchr("\0\r\n", to[i], 3) != NULL ||
		    (is_like_ascii(text + 2) && (unsigned char)to[i] < ' ' &&
		    to[i] != '\t'))
			*is_bad = true;
	*used = is_like_ascii(text + 2) ? bytes : 0;
	return (size_t)(stop + 2 - text);
}

int
display_check(struct arena *arena, const char *text, size_t len,
    const char **why)
{
	char *plain = arena_alloc(arena, len + 1), *open;
	size_t at = 0, used = 0, word, bytes;
	bool is_bad = false;

	while (at < len) {
		word = decode_word(text + at, len - at, plain + used, &bytes,
		    &is_bad);
		if (word == 0)
			plain[used] = text[at];
		used += word > 0 ? bytes : 1;
		at += word > 0 ? word : 1;
	}
	*why = "an encoded word hides a control character";
	if (is_bad)
		return -1;
	*why = "an address inside the display name";
	open = memchr(plain, '<', used);
	if (open != NULL &&
	    memchr(open, '@', used - (size_t)(open - plain)) != NULL)
		return -1;
	return 0;
}
