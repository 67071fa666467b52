/* SPDX-License-Identifier: ISC */
/* reply.h - one SMTP reply: read from the next hop, mapped to what Postfix is
 * told, or our own. Pure. */
#ifndef DKIMSIGN_REPLY_H
#define DKIMSIGN_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#define REPLY_TEXT 400		/* so that a line stays below 512 bytes */

struct reply {
	int code;		/* 0: nothing was said yet */
	char enhanced[12];	/* RFC 3463: "2.0.0"; "" where none came */
	char text[REPLY_TEXT];	/* printable ASCII, all lines in one */
};

/* "451 4.4.1 text"; the code's own class for the enhanced one */
void reply_set(struct reply *reply, const char *codes, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

enum reply_part {
	REPLY_MORE,		/* lines of it follow */
	REPLY_WHOLE,
	REPLY_BAD		/* not a reply, or a line of another one */
};

/* One line of a reply (RFC 5321 4.2.1) without its line end; begin with a reply
 * of all zero */
enum reply_part reply_line(struct reply *reply, const char *line);

/* What Postfix is told where the next hop says theirs at the end of a
 * transaction: 2xx and 4xx as they are, 5xx too where defers_5xx is false or
 * it is 552 (the message is too large, which waiting does not change); all else
 * is 4xx, since it means that somebody has to look. */
void reply_map(const struct reply *theirs, bool defers_5xx,
    struct reply *ours);

bool reply_is_good(const struct reply *reply);	/* 2xx */

#endif
