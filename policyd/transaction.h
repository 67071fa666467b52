/* SPDX-License-Identifier: ISC */
/* transaction.h - what this process remembers of each SMTP transaction, from
 * its first RCPT to its END-OF-MESSAGE, by (server_address, instance): Postfix
 * asks over several connections about one message, and repeats a question
 * when a connection fails. Bounded and expiring: what is lost costs
 * exactness, never a reply. */
#ifndef POLICYD_TRANSACTION_H
#define POLICYD_TRANSACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "policyd/attrs.h"
#include "policyd/counters.h"
#include "policyd/limit.h"
#include "policyd/verdict.h"

struct request;

/* What one counter has seen of this transaction. The limit is kept as it was
 * when the first recipient passed: a message has one policy from start to end. */
struct passed {
	struct counter_key key;
	const char *tenant;
	struct limit limit;
	uint64_t recipients;		/* that passed */
	uint64_t owed;			/* of these, what END-OF-MESSAGE will
					 * charge: RCPT only looked */
	uint64_t bytes;			/* that were charged */
};

struct transaction {
	struct arena *arena;
	struct request *asking;		/* waits for the counters, and all
					 * others for it; NULL: none does */
	struct passed *passed;
	size_t passed_count;
	size_t recipients;		/* that passed; 0: lost, or just begun */
	struct verdict pending;		/* whole message, given at DATA */
	const char *tenant;		/* of the inbound recipients, or NULL */
	bool has_several_tenants;
	bool is_prepended;		/* a header of ours was given already */
	struct transaction_private *own;
};

struct transactions;

struct transactions *transactions_new(void);
void transactions_free(struct transactions *all);	/* NULL is fine */
size_t transactions_count(const struct transactions *all);

/* Found, or begun. NULL where the request has no instance. Valid until the
 * next call. */
struct transaction *transaction_of(struct transactions *all,
    const struct attrs *attrs, int64_t now_ms);

/* Its message is at its end, or nothing of it passed: only what was answered
 * is kept, for some minutes, in case it is asked again. one must not be used
 * any more. */
void transaction_over(struct transactions *all, struct transaction *one);

/* What makes two requests of one transaction the same one: state, context
 * (which tells two places of one restriction list apart) and recipient */
struct counter_key transaction_question(const struct attrs *attrs);
/* The verdict that was given to the same question and let it pass, or NULL */
const struct verdict *transaction_answered(const struct transaction *one,
    const struct counter_key *question);
void transaction_remember(struct transactions *all, struct transaction *one,
    const struct counter_key *question, const struct verdict *verdict);

struct passed *transaction_passed(const struct transaction *one,
    const struct counter_key *key);
/* The same, added if need be; NULL where there are too many */
struct passed *transaction_pass(struct transaction *one,
    const struct counter_key *key, const char *tenant,
    const struct limit *limit);

/* Texts copied to the transaction */
void transaction_hold_back(struct transaction *one,
    const struct verdict *verdict);
/* A header is given once: the second time prepend becomes permit */
void transaction_prepend_once(struct transaction *one,
    struct verdict *verdict);
void transaction_inbound(struct transaction *one, const char *tenant);

#endif
