/* SPDX-License-Identifier: ISC */
/* report.h - what the log and the metrics hear of each request. */
#ifndef POLICYD_REPORT_H
#define POLICYD_REPORT_H

#include "policyd/attrs.h"
#include "policyd/facts.h"
#include "policyd/verdict.h"

/* Registers the metrics; once */
void report_start(void);

/* One line per verdict that is not permit; at log_level debug every one */
void report_verdict(const struct attrs *attrs, const struct facts *facts,
    const struct verdict *verdict);
void report_malformed(const char *why);
void report_counter_failure(void);

#endif
