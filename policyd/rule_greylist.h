/* SPDX-License-Identifier: ISC */
/* rule_greylist.h - should a stranger come back later? */
#ifndef POLICYD_RULE_GREYLIST_H
#define POLICYD_RULE_GREYLIST_H

#include "policyd/counters.h"
#include "policyd/rule.h"

/* Fills what is to be asked. False: this request is not greylisted (not
 * inbound, trusted, allowed, or its recipient's tenant does not want it). */
bool greylist_ask(const struct facts *facts, const struct decision *decision,
    struct counter_grey *out);

/* After the answer */
void greylist_decide(const struct facts *facts,
    const struct counter_grey *grey, struct decision *decision);

#endif
