/* SPDX-License-Identifier: ISC */
/* hop.h - the next hop: where it is, what it offers, and the connections to it
 * that are kept for the next message. Any thread. */
#ifndef DKIMSIGN_HOP_H
#define DKIMSIGN_HOP_H

#include <stdbool.h>
#include <stdint.h>

#include "dkimsign/offer.h"
#include "dkimsign/reply.h"
#include "dkimsign/wire.h"

struct hop;

/* One connection, greeted and asked what it offers */
struct hop_link {
	struct wire wire;
	struct offer offer;
	const struct hop *hop;
	int64_t kept_at;	/* of loop_ticks() */
	struct hop_link *next;	/* hop.c's own */
};

/* smtp://host:port, smtp+unix:/path, lmtp://host:port, lmtp+unix:/path; host
 * as endpoint.h has it. 0, or -1 and why (static): the option's check. */
int hop_check(const char *uri, const char **why);

struct hop *hop_new(const char *uri);	/* which hop_check() found good */
void hop_free(struct hop *hop);		/* NULL is fine; all links are back */
bool hop_is_lmtp(const struct hop *hop);

/* What it offered last. Asks it where it never did; false: nor can it be asked
 * now, for the reason in *why. */
bool hop_offer(struct hop *hop, struct offer *out, struct reply *why);

/* A connection that was kept, or else, and where is_fresh, a new one. limit, of
 * loop_ticks(): until then. NULL: *why is our 4xx. */
struct hop_link *hop_take(struct hop *hop, bool is_fresh, int64_t limit,
    struct reply *why);
/* Nothing is under way on it: keep it */
void hop_give(struct hop *hop, struct hop_link *link);
void hop_drop(struct hop_link *link);
/* Close those that were not used for a while: now and then */
void hop_reap(struct hop *hop);

/* The next whole reply. 0; or -1: there is none, and *out is our 4xx. */
int hop_hear(struct hop_link *link, struct reply *out);
/* That 4xx where wire_...() answered end */
void hop_trouble(const struct hop_link *link, enum wire_end end,
    struct reply *out);

#endif
