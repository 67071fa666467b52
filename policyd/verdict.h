/* SPDX-License-Identifier: ISC */
/* verdict.h - what policyd answers, and how it is put on the wire: verb and
 * code from a closed table, the text from us. */
#ifndef POLICYD_VERDICT_H
#define POLICYD_VERDICT_H

#include <stddef.h>
#include <stdint.h>

#include "policyd/words.h"

struct limit;

struct verdict {
	enum action action;
	const char *rule;	/* for the log: "limit:hourly"; NULL: none, as
				 * are dn and text */
	const char *dn;		/* the entry that says so; "" where built in */
	const char *text;	/* for people; the argument of filter,
				 * redirect, prepend */
	uint64_t used, count;	/* of the limit that decided, if one did */
	const struct limit *limit;	/* it; NULL: none */
};

/* Keep the harsher of two; of equals the first */
void verdict_raise(struct verdict *verdict, const struct verdict *other);

/* The value of action=, without newline, into buf. Always a verb or a code with
 * a text that Postfix takes: never empty, never all digits, ASCII; the text
 * at most 200 bytes. */
#define VERDICT_REPLY 256
void verdict_reply(const struct verdict *verdict, char buf[VERDICT_REPLY]);

#endif
