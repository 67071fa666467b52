/* SPDX-License-Identifier: ISC */
/* ldif_change.h - LDIF of changes (RFC 2849), as ldapmodify reads it. */
#ifndef COMMON_LDIF_CHANGE_H
#define COMMON_LDIF_CHANGE_H

#include "common/entry.h"
#include "common/findings.h"

enum change_kind { CHANGE_ADD, CHANGE_DELETE, CHANGE_MODIFY, CHANGE_RENAME };
enum change_step_kind { STEP_ADD, STEP_DELETE, STEP_REPLACE };

/* One of a modify; count 0: all values, where it deletes or replaces */
struct change_step {
	enum change_step_kind kind;
	const char *name;
	const struct entry_value *values;
	size_t count;
};

struct change {
	enum change_kind kind;
	struct entry *entry;	/* whose, with its line; to be added: all */
	struct change_step *steps;	/* of a modify */
	size_t step_count;
	const char *new_rdn;		/* of a rename */
	const char *new_superior;	/* NULL: it stays where it is */
	bool deletes_old_rdn;
	struct change *next;	/* in the file; NULL ends */
};

struct ldif_changes {
	struct change *first;	/* NULL: there are none */
	bool is_explicit;	/* some record says that it is a change; else
				 * all are entries, as those to be added */
};

/* The whole file, in the arena. What is wrong with single records, which are
 * left out, is a finding with file and line. 0; or -1 and *why (of this thread,
 * until the next call) where the file could not be read to its end. */
int ldif_change_read(const char *path, struct arena *arena,
    struct ldif_changes *out, struct findings *findings, const char **why);

#endif
