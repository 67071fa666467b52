/* SPDX-License-Identifier: ISC */
/* address.h - mail addresses as two hosts must agree on them: RFC 5321 4.1.2
 * quoting undone, ASCII letters of the local part in lower case, the domain in
 * lower-case A-labels (RFC 5890, libidn2, non-transitional). Pure. */
#ifndef COMMON_ADDRESS_H
#define COMMON_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"

#define DOMAIN_MAX 256	/* RFC 1035: 253 octets, and the NUL, and room */

struct address {
	const char *text;	/* local@domain, normalised; "" = null sender */
	const char *bare;	/* the same without its extension */
	const char *local;	/* local part of text, with its extension */
	const char *domain;	/* A-labels; "" where the address has none;
				 * "[192.0.2.1]" kept as it is, in lower case */
};

/* U-labels, A-labels or ASCII, any case, one trailing dot allowed; into out.
 * 0, or -1 when it cannot be a domain name (then out is ""). Underscores are
 * let through, as Postfix does. A label of pure ASCII never reaches libidn2. */
int domain_normalise(const char *text, size_t len, char out[DOMAIN_MAX]);

/* No byte of it is 8-bit: a label of such letters needs no libidn2 */
bool text_is_ascii(const char *text, size_t len);

/* domain is parent or below it: "a.b.example" of "b.example"; both are
 * normalised. Nothing is within "". */
bool domain_is_within(const char *domain, const char *parent);

/* text as Postfix's policy protocol or the directory gives it: maybe quoted,
 * maybe 8-bit, maybe invalid UTF-8, "" or "<>" for the null sender.
 * delimiters: Postfix's recipient_delimiter set, "" for none; the extension
 * starts at the first of them, and there is none where that starts the local
 * part, in mailer-daemon and double-bounce, nor in owner-... and ...-request
 * when '-' is among them (Postfix's split_addr). 0, or -1 where there is a
 * domain which cannot be one (then domain is "", and all else the whole in
 * lower case). All in *out belongs to the arena. */
int address_parse(struct arena *arena, const char *text,
    const char *delimiters, struct address *out);

#endif
