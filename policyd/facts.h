/* SPDX-License-Identifier: ISC */
/* facts.h - what is known of one request: filled by ends.c and direction.c,
 * read by the rules, which change nothing here. All of it lives as long as
 * the request's arena and snapshot. */
#ifndef POLICYD_FACTS_H
#define POLICYD_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/address.h"
#include "common/arena.h"
#include "common/cidr.h"
#include "common/snapshot.h"
#include "policyd/attrs.h"
#include "policyd/conf.h"
#include "policyd/words.h"

/* How we know the client; the first that holds */
enum trust { TRUST_NONE, TRUST_LOGIN, TRUST_CCERT, TRUST_NETWORK };

struct facts {
	struct arena *arena;
	const struct conf *conf;
	const struct snapshot *snapshot;
	const struct attrs *attrs;
	int64_t now_ms;

	/* ends.c: who */
	struct address sender, recipient, login;	/* text "" = none */
	struct ipaddr client_storage;
	const struct ipaddr *client;	/* NULL: Postfix does not know it */
	enum trust trust;
	const struct tenant *sender_tenant;	/* exactly its domain is ours */
	const struct tenant *recipient_tenant;
	const struct tenant *owner;	/* of a trusted client's message */
	uint64_t size_bytes;		/* SIZE=, or the message's at its end */
	uint64_t recipient_count;	/* at DATA and END-OF-MESSAGE */

	/* direction.c: which way, and whose policy */
	enum direction direction;
	const struct tenant *account;	/* accountable; NULL: nobody's own */
	const char *account_id;		/* its id, or "-" */
	const char *mailbox;		/* accountable mailbox, normalised */
	struct chain chain;		/* accountable policy */
	struct chain recipient_chain;	/* internal: the recipient's too */
};

#endif
