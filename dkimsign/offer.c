/* SPDX-License-Identifier: ISC */
/* offer.c - the keywords of EHLO that matter to us, a row each. */
#include "dkimsign/offer.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dkimsign/xforward.h"

static void
take_size(struct offer *offer, const char *rest)
{
	offer->size = strtoull(rest, NULL, 10);
}

static void
take_xforward(struct offer *offer, const char *rest)
{
	size_t len;

	while (*(rest += strspn(rest, " ")) != '\0') {
		len = strcspn(rest, " ");
		offer->xforward |= xforward_bit(rest, len);
		rest += len;
	}
}

static const struct {
	const char *name;
	enum offer_extension extension;
	void (*take)(struct offer *offer, const char *rest);
} rows[] = {
	{ "8BITMIME", OFFER_8BITMIME, NULL },
	{ "SMTPUTF8", OFFER_SMTPUTF8, NULL },
	{ "DSN", OFFER_DSN, NULL },
	{ "SIZE", OFFER_SIZE, take_size },
	{ "XFORWARD", OFFER_XFORWARD, take_xforward },
	{ "PIPELINING", OFFER_PIPELINING, NULL },
	{ "CHUNKING", OFFER_CHUNKING, NULL },
};

void
offer_take(struct offer *offer, const char *line)
{
	size_t i, len = strcspn(line, " ");

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strlen(rows[i].name) != len ||
		    strncasecmp(rows[i].name, line, len) != 0)
			continue;
		offer->extensions |= rows[i].extension;
		if (rows[i].take != NULL)
			rows[i].take(offer, line + len);
	}
}
