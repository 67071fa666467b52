/* SPDX-License-Identifier: ISC */
/* spool.h - the bytes of one message while they are read after DATA, and until
 * it was handed on: dots removed, line ends checked, body hashed, in memory up
 * to 1 MiB, the rest in an unlinked file. */
#ifndef DKIMSIGN_SPOOL_H
#define DKIMSIGN_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dkimsign/canon.h"

#define SPOOL_MEMORY (1 << 20)	/* the header section is in it as a whole */
#define SPOOL_LINE 998		/* RFC 5321 4.5.3.1.6, without CRLF */

enum spool_fault {
	SPOOL_CLEAN,
	SPOOL_STRAY,		/* a bare CR or LF, or a NUL */
	SPOOL_LONG_LINE,
	SPOOL_LONG_HEADER,
	SPOOL_TOO_LARGE,
	SPOOL_DISK_FULL,
	SPOOL_FILE_FAILED
};

struct spool;		/* one per session, for one message after the other */

/* 0, or -1 and *why (of this thread): no temporary file can be made in dir */
int spool_check(const char *dir, const char **why);

/* dir outlives it */
struct spool *spool_new(const char *dir, enum canon body_canon);
void spool_free(struct spool *spool);		/* NULL is fine */

/* A new message of at most max_bytes; the one before is forgotten */
void spool_begin(struct spool *spool, uint64_t max_bytes);
/* The next bytes as they came, cut anywhere: how many were used, which is all
 * unless its end, CRLF.CRLF and nothing else, is among them. A message with a
 * fault is read to its end, too, and not kept. */
size_t spool_feed(struct spool *spool, const char *bytes, size_t len);
bool spool_is_whole(const struct spool *spool);
/* The first thing wrong with it */
enum spool_fault spool_fault(const struct spool *spool);
/* Give memory and file back */
void spool_empty(struct spool *spool);

/* Of a whole and clean message. Header: without the empty line. */
uint64_t spool_bytes(const struct spool *spool);
const char *spool_header(const struct spool *spool, size_t *len);
void spool_hash(struct spool *spool, uint8_t hash[CANON_HASH_BYTES]);
/* The message in pieces, from its first byte on, until fn answers other than
 * 0, which is returned; -1 where the file cannot be read */
int spool_each(const struct spool *spool,
    int (*fn)(void *to, const char *bytes, size_t len), void *to);
/* The body alone: verify.h's body_reader */
void spool_body(void *spool,
    void (*fn)(void *to, const char *bytes, size_t len), void *to);

#endif
