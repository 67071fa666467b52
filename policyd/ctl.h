/* SPDX-License-Identifier: ISC */
/* ctl.h - what policyctl's verbs are given, what they share, and their names.
 * One verb = one file = one row in policyctl.c. */
#ifndef POLICYD_CTL_H
#define POLICYD_CTL_H

#include "common/ctl.h"
#include "policyd/ctl_http.h"

/* policyctl's options that not every tool has */
struct ctl_own {
	const char *control;	/* where the daemon is asked */
	const char *ldif;	/* check --ldif, or NULL */
	bool adds;		/* check -a: its entries are to be added */
};

/* Ask: CTL_FINE and *answer; else what was wrong is on stderr */
enum ctl_exit ctl_ask(const struct ctl *ctl,
    const struct ctl_question *question, json_t **answer);
/* Ask and print: all that most verbs do */
enum ctl_exit ctl_ask_and_print(const struct ctl *ctl,
    const struct ctl_question *question, ctl_printer *show);

/* A title: the tenant or the mailbox that NAME was */
void ctl_print_name(const struct ctl *ctl, const json_t *answer);

ctl_verb ctl_accept_snapshot, ctl_check, ctl_domains, ctl_exceptions,
    ctl_explain, ctl_reset, ctl_resume, ctl_show, ctl_suspend, ctl_usage;

#endif
