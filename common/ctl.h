/* SPDX-License-Identifier: ISC */
/* ctl.h - what the operators' tools have in common: what a verb is given, how
 * it ends, how it complains and prints. A tool's own ctl.h names its verbs. */
#ifndef COMMON_CTL_H
#define COMMON_CTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"
#include "common/ctl_base.h"
#include "common/ctl_table.h"
#include "common/findings.h"

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

struct ctl_own;		/* a tool's own options: in its ctl.h */

struct ctl {
	struct arena *arena;	/* until the end */
	const char *conf_path;	/* -c, or NULL */
	struct ctl_bind bind;
	bool is_json;
	const char *const *words;	/* behind the verb, and a NULL */
	const struct ctl_own *own;
};

typedef enum ctl_exit ctl_verb(const struct ctl *ctl);

/* Prints an answer for people */
typedef void ctl_printer(const struct ctl *ctl, const json_t *answer);

/* As JSON where that is wanted, else by show */
void ctl_print(const struct ctl *ctl, const json_t *answer, ctl_printer *show);

/* "TOOL: what: why" on stderr, fit to be printed */
void ctl_complain(const struct ctl *ctl, const char *what, const char *why);
/* "TOOL: FINDING" on stderr, a line each */
void ctl_complain_findings(const struct findings *findings);

/* The configuration to be read: -c, else usual where it exists; NULL: none */
const char *ctl_conf_path(const char *given, const char *usual);

/* A member's text, "" where it is null; a number's digits */
const char *ctl_get(const struct ctl *ctl, const json_t *object,
    const char *name);
/* The same, fit to be printed outside a table */
const char *ctl_get_clean(const struct ctl *ctl, const json_t *object,
    const char *name);

/* Print and free; none: what is said instead of an empty table */
void ctl_print_table(struct ctl_table *table, const char *none);
/* Take the DNs of all rows; and, at the end, say what was left out */
void ctl_take_base(struct ctl_base *base, const json_t *rows,
    const char *name);
void ctl_print_base(const struct ctl *ctl, const struct ctl_base *base);

#endif
