/* SPDX-License-Identifier: ISC */
/* list_line.c - reads posternAllow and posternBlock values and holds them
 * against a message's ends. In which order is rule_lists.c's business. Pure. */
#include "policyd/list_line.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define DAY_MS 86400000LL

const char *const list_kind_words[] = {
	"sender", "recipient", "client", "helo", NULL
};

static int
lower_copy(struct arena *arena, const char *text, const char **out)
{
	char *copy = arena_strdup(arena, text), *at;

	for (at = copy; *at != '\0'; at++)
		*at = (char)tolower((unsigned char)*at);
	*out = copy;
	return *copy != '\0' ? 0 : -1;
}

/* address, @domain or @.sub.domain */
static int
address_pattern(struct arena *arena, const char *text, struct list_line *out,
    const char **why)
{
	char domain[DOMAIN_MAX];
	struct address address;

	*why = "the pattern is an address, @domain or @.sub.domain";
	if (text[0] != '@') {
		out->form = PATTERN_ADDRESS;
		if (address_parse(arena, text, "", &address) == -1 ||
		    address.domain[0] == '\0')
			return -1;
		out->pattern = address.text;
		return 0;
	}
	out->form = text[1] == '.' ? PATTERN_SUBDOMAINS : PATTERN_DOMAIN;
	text += text[1] == '.' ? 2 : 1;
	if (domain_normalise(text, strlen(text), domain) == -1)
		return -1;
	out->pattern = arena_strdup(arena, domain);
	return 0;
}

static int
stars(const char *text)
{
	int n = 0;

	for (; *text != '\0'; text++)
		n += *text == '*';
	return n;
}

/* client: CIDR or a glob over its confirmed name; helo: a glob. A value that
 * looks like an address is one, and must be right: never a glob by accident. */
static int
host_pattern(struct arena *arena, const char *text, struct list_line *out,
    const char **why)
{
	bool is_network = strchr(text, ':') != NULL ||
	    (text[strspn(text, "0123456789./*?")] == '\0' &&
	    strpbrk(text, "0123456789") != NULL);

	if (out->kind == LIST_CLIENT && is_network) {
		out->form = PATTERN_NETWORK;
		out->pattern = arena_strdup(arena, text);
		return cidr_parse(text, &out->network, why);
	}
	out->form = PATTERN_HOST;
	*why = "the pattern is a network or a host name, * and ? allowed";
	if (strpbrk(text, "@/[]\\") != NULL)
		return -1;
	/* each '*' may multiply the time a match takes, for every tenant */
	*why = "a host pattern has at most 253 characters and four '*'";
	if (strlen(text) > 253 || stars(text) > 4)
		return -1;
	return lower_copy(arena, text, &out->pattern);
}

/* YYYY-MM-DD: holds through the end of that day, UTC */
static int
date_parse(const char *text, int64_t *out_ms)
{
	struct tm day = { 0 };
	const char *end = strptime(text, "%Y-%m-%d", &day);
	struct tm same;
	time_t start;

	if (end == NULL || *end != '\0' || strlen(text) != 10)
		return -1;
	same = day;
	start = timegm(&same);
	if (same.tm_mday != day.tm_mday || start < 0)	/* February 30th */
		return -1;
	*out_ms = (int64_t)start * 1000 + DAY_MS;
	return 0;
}

static int
extra_parse(struct list_line *out, char *rest, const char **why)
{
	bool has_direction = false;
	char *word;
	int direction;

	while (*(rest += strspn(rest, " \t")) != '\0') {
		if (strncasecmp(rest, "note=", 5) == 0) {
			out->note = rest + 5;
			return 0;
		}
		word = word_next(&rest);
		if (strncasecmp(word, "owner=", 6) == 0) {
			out->owner = word + 6;
		} else if (strncasecmp(word, "expires=", 8) == 0) {
			*why = "expires= wants a date, YYYY-MM-DD, once";
			if (out->expires_ms != 0 ||
			    date_parse(word + 8, &out->expires_ms) == -1)
				return -1;
		} else {
			direction = word_find(direction_words, word);
			*why = "behind the pattern come one DIRECTION, "
			    "expires=, owner= and at last note=";
			if (direction == -1 || has_direction)
				return -1;
			out->direction = (enum direction)direction;
			has_direction = true;
		}
	}
	return 0;
}

int
list_line_parse(struct arena *arena, const char *value, bool is_allow,
    struct list_line *out, const char **why)
{
	char *rest = arena_strdup(arena, value), *pattern;
	int kind;

	*out = (struct list_line){
		.is_allow = is_allow, .direction = DIR_ANY, .owner = "",
		.note = "", .value = arena_strdup(arena, value),
	};
	*why = "KIND is sender, recipient, client or helo";
	if ((kind = word_find(list_kind_words, word_next(&rest))) == -1)
		return -1;
	out->kind = (enum list_kind)kind;
	*why = "KIND PATTERN expected";
	pattern = word_next(&rest);
	if (*pattern == '\0')
		return -1;
	if (kind == LIST_SENDER || kind == LIST_RECIPIENT) {
		if (address_pattern(arena, pattern, out, why) == -1)
			return -1;
	} else if (host_pattern(arena, pattern, out, why) == -1) {
		return -1;
	}
	return extra_parse(out, rest, why);
}

static bool
address_matches(const struct list_line *line, const struct address *address)
{
	switch (line->form) {
	case PATTERN_ADDRESS:
		return strcmp(address->text, line->pattern) == 0 ||
		    strcmp(address->bare, line->pattern) == 0;
	case PATTERN_DOMAIN:
		return strcmp(address->domain, line->pattern) == 0;
	case PATTERN_SUBDOMAINS:
		return domain_is_within(address->domain, line->pattern) &&
		    strcmp(address->domain, line->pattern) != 0;
	default:
		return false;
	}
}

static bool
host_matches(const struct list_line *line, const char *host)
{
	return *host != '\0' && strcasecmp(host, "unknown") != 0 &&
	    fnmatch(line->pattern, host, FNM_CASEFOLD | FNM_NOESCAPE) == 0;
}

bool
list_line_is_expired(const struct list_line *line, int64_t now_ms)
{
	return line->expires_ms != 0 && now_ms >= line->expires_ms;
}

bool
list_line_matches(const struct list_line *line,
    const struct list_subject *subject)
{
	if (!direction_applies(line->direction, subject->direction) ||
	    list_line_is_expired(line, subject->now_ms))
		return false;
	switch (line->kind) {
	case LIST_SENDER:
		return address_matches(line, subject->sender);
	case LIST_RECIPIENT:
		return address_matches(line, subject->recipient);
	case LIST_HELO:
		return host_matches(line, subject->helo);
	case LIST_CLIENT:
		if (line->form == PATTERN_HOST)
			return host_matches(line, subject->client_name);
		return subject->client != NULL &&
		    cidr_contains(&line->network, subject->client);
	}
	return false;
}
