/* SPDX-License-Identifier: ISC */
/* canon.h - canonical forms of header and body, RFC 6376 3.4, and the body's
 * SHA-256. Bytes are taken as they are: who wants CRLF line ends brings
 * them. */
#ifndef DKIMSIGN_CANON_H
#define DKIMSIGN_CANON_H

#include <stddef.h>
#include <stdint.h>

#define CANON_HASH_BYTES 32

enum canon { CANON_SIMPLE, CANON_RELAXED };

/* "simple", "relaxed": as c= has them; NULL ends */
extern const char *const canon_words[];

/* "relaxed/simple" and its like, header first; both must stand there. 0, or
 * -1 and why (static). */
int canon_parse(const char *text, enum canon *header, enum canon *body,
    const char **why);

/* One header field (3.4.1, 3.4.2), its CRLF appended. text: name, colon, value
 * and folding, without the last CRLF. to has room for len + 2 bytes; returns
 * how many it took. */
size_t canon_field(enum canon canon, const char *text, size_t len, char *to);

/* The hash of one body after the other: one object per session, not for
 * threads to share. begin, update as often as bytes come, cut anywhere, end. A
 * body that was not ended is forgotten by the next begin. */
struct canon_body;

struct canon_body *canon_body_new(void);
void canon_body_free(struct canon_body *body);	/* NULL is fine */
void canon_body_begin(struct canon_body *body, enum canon canon);
void canon_body_update(struct canon_body *body, const char *bytes, size_t len);
void canon_body_end(struct canon_body *body, uint8_t hash[CANON_HASH_BYTES]);

#endif
