/* SPDX-License-Identifier: ISC */
/* inject.h - one message handed to the next hop, and what that said of each
 * recipient. */
#ifndef DKIMSIGN_INJECT_H
#define DKIMSIGN_INJECT_H

#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "dkimsign/envelope.h"
#include "dkimsign/hop.h"
#include "dkimsign/reply.h"
#include "dkimsign/spool.h"
#include "dkimsign/xforward.h"

/* Where it went wrong; also the words of a metric's label */
enum inject_fault {
	INJECT_NO_FAULT,
	INJECT_CONNECT,		/* refused, or no good answer to EHLO */
	INJECT_ENVELOPE,	/* lost before the message was asked for */
	INJECT_DATA,		/* lost before its last byte */
	INJECT_ANSWER,		/* lost behind it: it may have arrived */
	INJECT_FAULTS
};
extern const char *const inject_fault_words[INJECT_FAULTS];

struct injection {
	struct hop *hop;
	struct arena *arena;
	const struct envelope *envelope;	/* one recipient at least */
	const struct xforward *xforward;
	const char *fields;		/* to stand on top, each with CRLF */
	size_t fields_len;
	const struct spool *spool;
	int64_t limit;			/* of loop_ticks(): until then */

	/* out: */
	struct reply *replies;		/* one per recipient, as the next hop
					 * says it, or our 4xx */
	enum inject_fault fault;
};

/* Tries once more, on a fresh connection, where one is lost before the last
 * byte of the message; never after it. */
void inject(struct injection *injection);

#endif
