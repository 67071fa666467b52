/* SPDX-License-Identifier: ISC */
/* xforward.h - Postfix's XFORWARD (XFORWARD_README): whose message it was in
 * the first pass. Kept as it came for the next hop, and read for our log. */
#ifndef DKIMSIGN_XFORWARD_H
#define DKIMSIGN_XFORWARD_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"

enum xforward_attribute {
	XFORWARD_NAME,
	XFORWARD_ADDR,
	XFORWARD_PORT,
	XFORWARD_PROTO,
	XFORWARD_HELO,
	XFORWARD_IDENT,		/* the first pass' queue id */
	XFORWARD_SOURCE,
	XFORWARD_ATTRIBUTES
};

/* As XFORWARD has them, in this order */
extern const char *const xforward_names[XFORWARD_ATTRIBUTES];

#define XFORWARD_VALUE 255	/* in xtext: as Postfix bounds it */

struct xforward {
	bool tells_client;	/* XFORWARD came, and could have had ADDR */
	bool has_client;	/* ADDR came, or may have: a command was bad */
	/* As it came, in xtext; "" where it did not come, was [UNAVAILABLE]
	 * or [TEMPUNAVAIL], or too long */
	char values[XFORWARD_ATTRIBUTES][XFORWARD_VALUE + 1];
};

/* The attribute's bit; 0: none of ours */
unsigned xforward_bit(const char *name, size_t len);

/* One command's attributes, over those that were there. 0, or -1 where it is
 * not well formed or has an attribute that is not in offered (bits). */
int xforward_take(struct xforward *xforward, const char *arguments,
    unsigned offered);

/* A value as it is without xtext (RFC 3461 4), "" where there is none */
const char *xforward_text(const struct xforward *xforward, struct arena *arena,
    enum xforward_attribute attribute);

#endif
