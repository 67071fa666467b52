/* SPDX-License-Identifier: ISC */
/* message.h - what becomes of one message that was read: signed or not, handed
 * on or not, and what Postfix is told for each recipient. */
#ifndef DKIMSIGN_MESSAGE_H
#define DKIMSIGN_MESSAGE_H

#include "common/arena.h"
#include "dkimsign/envelope.h"
#include "dkimsign/inject.h"
#include "dkimsign/reply.h"
#include "dkimsign/service.h"
#include "dkimsign/signing.h"
#include "dkimsign/spool.h"
#include "dkimsign/xforward.h"

struct message {
	struct service *service;
	struct arena *arena;			/* of the transaction */
	const struct envelope *envelope;	/* one recipient at least */
	const struct xforward *xforward;
	struct spool *spool;			/* whole, clean or not */

	/* out: one for each recipient, in order */
	struct reply *replies;

	/* the stages' own */
	struct header header;
	struct signing signing;
	struct injection injection;
	const char *stage;			/* where it ended */
	uint8_t body_hash[CANON_HASH_BYTES];
};

/* At once or after a while, but before Postfix gives up: the last byte came
 * when this is called, and it takes less than 240 seconds. */
void message_deliver(struct message *message);

#endif
