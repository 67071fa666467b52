/* SPDX-License-Identifier: ISC */
/* list_line.h - posternAllow and posternBlock: KIND PATTERN [DIRECTION]
 * [expires=YYYY-MM-DD] [owner=WORD] [note=TEXT TO END]. Reading a value, and
 * whether it speaks of a given sender, recipient, client or helo. */
#ifndef POLICYD_LIST_LINE_H
#define POLICYD_LIST_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/address.h"
#include "common/arena.h"
#include "common/cidr.h"
#include "policyd/words.h"

enum list_kind { LIST_SENDER, LIST_RECIPIENT, LIST_CLIENT, LIST_HELO };
extern const char *const list_kind_words[];

enum pattern_form {
	PATTERN_ADDRESS,	/* user@domain */
	PATTERN_DOMAIN,		/* @domain: exactly that */
	PATTERN_SUBDOMAINS,	/* @.domain: all below, not itself */
	PATTERN_NETWORK,	/* CIDR */
	PATTERN_HOST		/* glob over a host name */
};

struct list_line {
	bool is_allow;
	enum list_kind kind;
	enum pattern_form form;
	const char *pattern;	/* normalised; without @ or @. */
	struct cidr network;
	enum direction direction;
	int64_t expires_ms;	/* first moment it no longer holds; 0 never */
	const char *owner, *note;	/* "" for none */
	const char *value;	/* as written */
};

int list_line_parse(struct arena *arena, const char *value, bool is_allow,
    struct list_line *out, const char **why);

/* What a line is held against */
struct list_subject {
	const struct address *sender, *recipient;
	const struct ipaddr *client;	/* NULL: unknown */
	const char *client_name;	/* forward-confirmed; "unknown" if not */
	const char *helo;
	enum direction direction;
	int64_t now_ms;
};

bool list_line_matches(const struct list_line *line,
    const struct list_subject *subject);
bool list_line_is_expired(const struct list_line *line, int64_t now_ms);

#endif
