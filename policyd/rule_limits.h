/* SPDX-License-Identifier: ISC */
/* rule_limits.h - rate limits: which apply to a request, what it costs under
 * each, what the counters' answer means. */
#ifndef POLICYD_RULE_LIMITS_H
#define POLICYD_RULE_LIMITS_H

#include "policyd/counters.h"
#include "policyd/limit.h"
#include "policyd/rule.h"
#include "policyd/transaction.h"

/* One limit that applies */
struct limit_case {
	const struct limit *limit;
	const char *dn;			/* the entry it comes from */
	struct counter_key key;
	enum action action;		/* where it is exceeded */
	uint64_t cost;
	uint64_t used;			/* by this transaction, and in no
					 * counter (yet) */
	struct counter_limit *asked;	/* NULL: a cap on one message, or
					 * nothing left to charge */
};

/* What a recipient that passes does to the counters */
enum limit_phase {
	PHASE_CHARGE,		/* at RCPT: this recipient */
	PHASE_LOOK		/* at RCPT, where the end charges: this
				 * recipient and those that passed before */
};

struct limit_cases {
	struct limit_case *list;
	size_t count;
	struct counter_limit *asked;	/* for struct counter_question */
	size_t asked_count;
	enum limit_phase phase;		/* at RCPT */
};

/* The counter of a limit: not COUNT and ACTION, so editing those never resets.
 * subject: "" for domain, a mailbox, a client's network, an address. */
struct counter_key limit_key(const char *account_id,
    const struct limit *limit, const char *subject);

/* At RCPT. one may be NULL. must_separate: other tenants' recipients are in
 * this transaction, so a limit that would hold it must refuse instead. */
void limits_at_rcpt(const struct facts *facts, const struct transaction *one,
    enum limit_phase phase, bool must_separate, struct limit_cases *out);

/* At END-OF-MESSAGE, for one tenant of the transaction: what is still to be
 * charged. can_refuse: no other tenant has a recipient in it; else what is
 * exceeded is only warned of. */
void limits_at_end(const struct facts *facts, const struct transaction *one,
    const char *tenant, bool can_refuse, struct limit_cases *out);

/* The same where the transaction was lost: by recipient_count */
void limits_at_end_alone(const struct facts *facts, struct limit_cases *out);

/* Caps on one message need no counter: decided before anything is asked */
void limits_decide_caps(const struct facts *facts,
    const struct limit_cases *cases, struct decision *decision);
/* After the answer */
void limits_decide(const struct facts *facts, const struct limit_cases *cases,
    struct decision *decision);

/* The recipient passed: the transaction remembers under which limits */
void limits_settle(const struct facts *facts, const struct limit_cases *cases,
    struct transaction *one);

#endif
