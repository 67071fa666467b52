/* SPDX-License-Identifier: ISC */
/* entry.h - one directory entry as it came, from LDIF or from LDAP: nothing
 * interpreted but its name. An entry belongs to the arena that it was made in,
 * and so must every text that is given to it: texts are kept, not copied. */
#ifndef COMMON_ENTRY_H
#define COMMON_ENTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"

/* DN as it compares: attribute types and values in lower case, no optional
 * blanks, RFC 4514 escapes in one form. NULL where it is not a DN. */
const char *dn_normalise(struct arena *arena, const char *dn);
/* What a normalised DN stands below: a part of it, or NULL */
const char *dn_parent(const char *key);

struct entry_value {
	const char *text;	/* NUL added; may hold NULs before it */
	size_t len;
};

struct entry_attribute {
	const char *name;	/* as written, options (";lang-de") cut off */
	struct entry_value *values;
	size_t count;
};

struct entry {
	const char *dn;		/* as written */
	const char *key;	/* normalised */
	unsigned long line;	/* in the LDIF file; 0 from LDAP */
	bool is_damaged;	/* some of it could not be read, and is missing:
				 * a finding tells what */
	struct entry_attribute *attributes;
	size_t count;
};

/* NULL where dn is not a DN */
struct entry *entry_new(struct arena *arena, const char *dn,
    unsigned long line);
/* Adds one value; values of one attribute may come in any order */
void entry_add(struct arena *arena, struct entry *entry, const char *name,
    const char *value, size_t len);

/* Names compare without case. NULL where the entry has none. */
const struct entry_attribute *entry_get(const struct entry *entry,
    const char *name);
/* The first value's text, or NULL */
const char *entry_first(const struct entry *entry, const char *name);
bool entry_has_class(const struct entry *entry, const char *object_class);

#endif
