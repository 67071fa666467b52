/* SPDX-License-Identifier: ISC */
/* author.c - who will every reader of this message take for its author? A
 * parser of RFC 5322 3.4 that gives up at what readers are known to see in
 * different ways: a refusal costs a signature, a guess costs trust. Pure.
 * Next: signing.c. */
#include "dkimsign/author.h"

#include <idn2.h>
#include <string.h>
#include <strings.h>

#include "common/address.h"
#include "dkimsign/display.h"

/* Some hundred mailboxes; what follows is not linear in it */
#define FROM_MAX 16384

struct scan {
	struct arena *arena;
	const char *at, *end;
	struct author *author;
	bool is_several;
	const char *why;
};

/* A display name, or what turns out to be a local part */
struct phrase {
	const char *start, *end;	/* first to last word */
	size_t words;
};

static int
unclear(struct scan *s, const char *why)
{
	s->why = why;
	return -1;
}

static bool
is_next(const struct scan *s, char c)
{
	return s->at < s->end && *s->at == c;
}

/* RFC 5322 3.2.3 atext, and what RFC 6532 adds */
static bool
is_atext(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || (unsigned char)c >= 0x80 ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool
is_word_begin(const struct scan *s)
{
	return s->at < s->end && (is_atext(*s->at) || *s->at == '.' ||
	    *s->at == '"');
}

static void
skip_blanks(struct scan *s)
{
	/* CR and LF are only there in folds: display_check_bytes() */
	while (s->at < s->end && strchr(" \t\r\n", *s->at) != NULL)
		s->at++;
}

/* (a (nested) comment) */
static int
skip_comment(struct scan *s)
{
	const char *start = s->at;
	size_t depth = 0;

	do {
		if (is_next(s, '('))
			depth++;
		else if (is_next(s, ')'))
			depth--;
		else if (is_next(s, '\\'))
			s->at++;
		if (s->at >= s->end)
			return unclear(s, "a comment without end");
		if (strchr("<>@", *s->at++) != NULL)
			return unclear(s, "an address inside a comment");
	} while (depth > 0);
	return display_check(s->arena, start, (size_t)(s->at - start),
	    &s->why);
}

static int
skip_cfws(struct scan *s)
{
	for (;;) {
		skip_blanks(s);
		if (!is_next(s, '('))
			return 0;
		if (skip_comment(s) == -1)
			return -1;
	}
}

static int
skip_quoted(struct scan *s)
{
	for (s->at++; s->at < s->end && *s->at != '"'; s->at++)
		if (*s->at == '\\')
			s->at++;
	if (s->at >= s->end)
		return unclear(s, "a quoted string without end");
	s->at++;
	return 0;
}

static int
skip_word(struct scan *s)
{
	if (*s->at == '"')
		return skip_quoted(s);
	while (s->at < s->end && (is_atext(*s->at) || *s->at == '.'))
		s->at++;
	return 0;
}

static int
read_phrase(struct scan *s, struct phrase *phrase)
{
	*phrase = (struct phrase){ .start = s->at, .end = s->at };
	while (is_word_begin(s)) {
		if (skip_word(s) == -1)
			return -1;
		phrase->words++;
		phrase->end = s->at;
		if (skip_cfws(s) == -1)
			return -1;
	}
	return 0;
}

/* Some of RFC 5322's quoted strings, and its dot-atom */
static int
read_local(struct scan *s, const struct phrase *phrase, const char **out)
{
	const char *at, *end = phrase->end;
	bool is_quoted = *phrase->start == '"';
	char *local = arena_alloc(s->arena, (size_t)(end - phrase->start) + 1);
	size_t used = 0;

	for (at = phrase->start + is_quoted; at < end - is_quoted; at++) {
		if (is_quoted && *at == '\\')
			at++;
		local[used++] = *at;
	}
	if (strpbrk(local, "<>@\"\\\r\n") != NULL ||
	    strstr(local, "=?") != NULL)
		return unclear(s, "a local part that reads as something else");
	if (!is_quoted && (local[0] == '.' || local[used - 1] == '.' ||
	    strstr(local, "..") != NULL))
		return unclear(s, "a dot too many in the local part");
	*out = local;
	return used > 0 ? 0 : unclear(s, "an empty local part");
}

/* U-labels are as a reader shows the A-labels: nothing was mapped, as wide
 * letters are, or an ideographic full stop */
static bool
is_as_shown(const char *text, size_t len, const char *domain)
{
	char *shown = NULL;
	bool is_same;

	if (idn2_to_unicode_8z8z(domain, &shown, 0) != IDN2_OK)
		return false;
	is_same = strlen(shown) == len && strncasecmp(text, shown, len) == 0;
	idn2_free(shown);
	return is_same;
}

static int
read_domain(struct scan *s, const char **out)
{
	char domain[DOMAIN_MAX];
	const char *start = s->at, *close;
	size_t len;

	if (is_next(s, '[')) {
		close = memchr(start, ']', (size_t)(s->end - start));
		if (close == NULL)
			return unclear(s, "a domain literal without end");
		s->at = close + 1;
		*out = arena_strndup(s->arena, start, (size_t)(s->at - start));
		return 0;
	}
	while (s->at < s->end && (is_atext(*s->at) || *s->at == '.'))
		s->at++;
	len = (size_t)(s->at - start);
	/* common/address.h takes a dot at the end, RFC 5322 does not */
	if (len == 0 || start[len - 1] == '.' ||
	    domain_normalise(start, len, domain) == -1)
		return unclear(s, "not a domain");
	if (!text_is_ascii(start, len) && !is_as_shown(start, len, domain))
		return unclear(s, "domain letters that stand for others");
	*out = arena_strdup(s->arena, domain);
	return 0;
}

/* phrase is the local part, '@' is next. Blanks and comments around '@' and
 * dots (RFC 5322 4.4) are not taken. */
static int
read_addr_spec(struct scan *s, const struct phrase *phrase)
{
	struct author *author = s->author;
	const char *local, *domain;

	if (!is_next(s, '@') || phrase->words != 1 || phrase->end != s->at)
		return unclear(s, "not an address");
	s->at++;
	if (read_local(s, phrase, &local) == -1 ||
	    read_domain(s, &domain) == -1)
		return -1;
	if (author->count++ == 0) {
		author->local = local;
		author->domain = domain;
	} else if (strcmp(author->domain, domain) != 0)
		s->is_several = true;
	return 0;
}

/* "<local@domain>", blanks allowed at both ends; no route, no comment */
static int
read_angle(struct scan *s)
{
	struct phrase phrase = { 0 };

	s->at++;
	skip_blanks(s);
	phrase.start = s->at;
	if (is_word_begin(s)) {
		if (skip_word(s) == -1)
			return -1;
		phrase.words = 1;
	}
	phrase.end = s->at;
	if (read_addr_spec(s, &phrase) == -1)
		return -1;
	skip_blanks(s);
	if (!is_next(s, '>'))
		return unclear(s, "more than an address inside <>");
	s->at++;
	return 0;
}

static int read_list(struct scan *s, bool is_group);

/* A mailbox; or a group, but not in a group */
static int
read_address(struct scan *s, bool is_group)
{
	struct phrase phrase;

	if (read_phrase(s, &phrase) == -1)
		return -1;
	if (is_next(s, '@'))
		return read_addr_spec(s, &phrase);
	if (display_check(s->arena, phrase.start,
	    (size_t)(phrase.end - phrase.start), &s->why) == -1)
		return -1;
	if (is_next(s, '<'))
		return read_angle(s);
	if (is_group || phrase.words == 0 || !is_next(s, ':'))
		return unclear(s, "not an address");
	s->at++;
	if (read_list(s, true) == -1)
		return -1;
	if (!is_next(s, ';'))
		return unclear(s, "a group without end");
	s->at++;
	return 0;
}

/* To the end, or to a group's ';' */
static int
read_list(struct scan *s, bool is_group)
{
	for (;;) {
		if (skip_cfws(s) == -1)
			return -1;
		if (s->at == s->end || (is_group && is_next(s, ';')))
			return 0;
		if (is_next(s, ',')) {	/* also after nothing: RFC 5322 4.4 */
			s->at++;
			continue;
		}
		if (read_address(s, is_group) == -1 || skip_cfws(s) == -1)
			return -1;
		if (s->at < s->end && !is_next(s, ',') &&
		    !(is_group && is_next(s, ';')))
			return unclear(s, "something behind an address");
	}
}

static const struct header_field *
find_from(const struct header *header, size_t *count)
{
	const struct header_field *found = NULL;
	size_t i;

	*count = 0;
	for (i = 0; i < header->count; i++)
		if (header_is(&header->fields[i], "from")) {
			found = &header->fields[i];
			(*count)++;
		}
	return found;
}

enum author_outcome
author_find(struct arena *arena, const struct header *header,
    struct author *out)
{
	const struct header_field *from;
	struct scan s = { .arena = arena, .author = out };
	size_t count;

	*out = (struct author){ .domain = "", .local = "", .why = "" };
	if ((from = find_from(header, &count)) == NULL)
		return AUTHOR_NONE;
	s.at = from->value;
	s.end = from->value + from->value_len;
	if (count > 1)
		unclear(&s, "several From: fields");
	else if (from->value_len > FROM_MAX)
		unclear(&s, "a From: field too long");
	else if (display_check_bytes(s.at, from->value_len, &s.why) == 0 &&
	    read_list(&s, false) == 0)
		return out->count == 0 ? AUTHOR_NONE : s.is_several
		    ? AUTHOR_SEVERAL : AUTHOR_FOUND;
	*out = (struct author){ .domain = "", .local = "", .why = s.why };
	return AUTHOR_UNCLEAR;
}
