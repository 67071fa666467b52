/* SPDX-License-Identifier: ISC */
/* envelope.h - MAIL and RCPT with their parameters (RFC 5321 4.1.2, 3461,
 * 6531), kept as they came, for the next hop takes them so. Pure. */
#ifndef DKIMSIGN_ENVELOPE_H
#define DKIMSIGN_ENVELOPE_H

#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "dkimsign/offer.h"
#include "dkimsign/reply.h"

#define RECIPIENTS_MAX 1000	/* Postfix's smtpd_recipient_limit */

struct recipient {
	const char *address;	/* between < and > */
	const char *parameters;	/* " NOTIFY=NEVER", or "" */
};

struct envelope {
	const char *sender;	/* "" for the null sender */
	const char *parameters;	/* those of MAIL, but for SIZE */
	unsigned needs;		/* enum offer_extension: what the next hop must
				 * offer, or else it cannot be handed on */
	struct recipient *recipients;
	size_t count, room;
};

/* arguments: what follows the verb. size_max: of a message that may be taken.
 * 0; or -1 and what to answer. */
int envelope_mail(struct envelope *envelope, struct arena *arena,
    const char *arguments, const struct offer *offer, uint64_t size_max,
    struct reply *why);
int envelope_rcpt(struct envelope *envelope, struct arena *arena,
    const char *arguments, const struct offer *offer, struct reply *why);

#endif
