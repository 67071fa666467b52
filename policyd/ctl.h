/* SPDX-License-Identifier: ISC */
/* ctl.h - what policyctl's verbs are given, what they share, and their names.
 * One verb = one file = one row in policyctl.c. */
#ifndef POLICYD_CTL_H
#define POLICYD_CTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"
#include "policyd/ctl_base.h"
#include "policyd/ctl_http.h"
#include "policyd/ctl_table.h"

enum ctl_exit {
	CTL_FINE,
	CTL_WRONG,		/* something found wrong, NAME unknown */
	CTL_USAGE,
	CTL_UNASKED		/* could not ask */
};

/* Who the caller is at an LDAP server; NULL: not given */
struct ctl_bind {
	const char *uri;		/* -H */
	const char *dn;			/* -D */
	const char *password_file;	/* -y */
	const char *mechanism;		/* -Y */
	bool is_asked;			/* -W: for the password */
};

struct ctl {
	struct arena *arena;	/* until the end */
	const char *control;	/* where the daemon is asked */
	const char *conf_path;	/* -c, or NULL */
	struct ctl_bind bind;
	const char *ldif;	/* check --ldif, or NULL */
	bool adds;		/* check -a: its entries are to be added */
	bool is_json;
	const char *const *words;	/* behind the verb, and a NULL */
};

/* Prints an answer for people */
typedef void ctl_printer(const struct ctl *ctl, const json_t *answer);

/* Ask: CTL_FINE and *answer; else what was wrong is on stderr */
enum ctl_exit ctl_ask(const struct ctl *ctl,
    const struct ctl_question *question, json_t **answer);
/* As JSON where that is wanted, else by show */
void ctl_print(const struct ctl *ctl, const json_t *answer, ctl_printer *show);
/* The two, one after the other: all that most verbs do */
enum ctl_exit ctl_ask_and_print(const struct ctl *ctl,
    const struct ctl_question *question, ctl_printer *show);

/* "policyctl: ..." on stderr, fit to be printed */
void ctl_complain(const struct ctl *ctl, const char *what, const char *why);

/* A member's text, "" where it is null; a number's digits */
const char *ctl_get(const struct ctl *ctl, const json_t *object,
    const char *name);
/* The same, fit to be printed outside a table */
const char *ctl_get_clean(const struct ctl *ctl, const json_t *object,
    const char *name);

/* A title: the tenant or the mailbox that NAME was */
void ctl_print_name(const struct ctl *ctl, const json_t *answer);
/* Print and free; none: what is said instead of an empty table */
void ctl_print_table(struct ctl_table *table, const char *none);
/* Take the DNs of all rows; and, at the end, say what was left out */
void ctl_take_base(struct ctl_base *base, const json_t *rows,
    const char *name);
void ctl_print_base(const struct ctl *ctl, const struct ctl_base *base);

typedef enum ctl_exit ctl_verb(const struct ctl *ctl);
ctl_verb ctl_accept_snapshot, ctl_check, ctl_domains, ctl_exceptions,
    ctl_explain, ctl_reset, ctl_resume, ctl_show, ctl_suspend, ctl_usage;

#endif
