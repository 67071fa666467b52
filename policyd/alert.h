/* SPDX-License-Identifier: ISC */
/* alert.h - posternAlert: somebody is told that a limit was reached, once
 * per window, not once per refusal. */
#ifndef POLICYD_ALERT_H
#define POLICYD_ALERT_H

#include "policyd/facts.h"
#include "policyd/verdict.h"

/* Where a limit decided and an alert address is in force: one mail through
 * conf->sendmail, at most one per counter's owner, limit and window (and at
 * most one in ten minutes). Never waits. */
void alert_limit(const struct facts *facts, const struct verdict *verdict);

/* At exit */
void alert_free(void);

#endif
