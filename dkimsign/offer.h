/* SPDX-License-Identifier: ISC */
/* offer.h - what the next hop's EHLO offers, which is what our LHLO may offer:
 * an extension accepted that cannot be handed on is a lie. Pure. */
#ifndef DKIMSIGN_OFFER_H
#define DKIMSIGN_OFFER_H

#include <stdint.h>

enum offer_extension {
	OFFER_8BITMIME = 1,	/* RFC 6152 */
	OFFER_SMTPUTF8 = 2,	/* RFC 6531 */
	OFFER_DSN = 4,		/* RFC 3461 */
	OFFER_SIZE = 8,		/* RFC 1870 */
	OFFER_XFORWARD = 16,	/* Postfix's XFORWARD_README */
	OFFER_PIPELINING = 32,	/* RFC 2920: ours alone, as the next */
	OFFER_CHUNKING = 64	/* RFC 3030 */
};

struct offer {
	unsigned extensions;	/* enum offer_extension */
	uint64_t size;		/* bytes of a message; 0: no limit was told */
	unsigned xforward;	/* enum xforward_attribute as bits */
};

/* One line of the answer to EHLO behind its first, without the code */
void offer_take(struct offer *offer, const char *line);

#endif
