/* SPDX-License-Identifier: ISC */
/* ctl_trial.h - what the directory would say after changes. */
#ifndef POLICYD_CTL_TRIAL_H
#define POLICYD_CTL_TRIAL_H

#include "common/ldif_change.h"
#include "policyd/ctl.h"

/* Try the changes of ctl->ldif on top of the directory that policyd is
 * configured to read; faults: what was wrong in the file. CTL_FINE and
 * {"uri", "changes": how many could be applied, "tenants" in the end,
 * "findings" and "advice": what they bring, "fixed": what is over,
 * "before": what was there and stays}; else what was wrong is on stderr. */
enum ctl_exit ctl_trial(const struct ctl *ctl,
    const struct ldif_changes *changes, const struct findings *faults,
    json_t **answer);

#endif
