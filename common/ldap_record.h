/* SPDX-License-Identifier: ISC */
/* ldap_record.h - an entry that an LDAP server has sent, in one piece of memory
 * no larger than its texts: for all those that are kept and seldom read. */
#ifndef COMMON_LDAP_RECORD_H
#define COMMON_LDAP_RECORD_H

#include <ldap.h>

#include "common/entry.h"

struct ldap_record {
	struct berval id;	/* the server's name for it */
	unsigned round;		/* the owner's: in which it was seen, */
	bool has_rival;		/* and if another had its DN when it came */
	size_t bytes;		/* from here on */
	char key[];		/* normalised; then the rest */
};

/* id NULL: the DN is its name. The values are wiped in the message. arena is
 * for the work. NULL: it has no DN that could be read. */
struct ldap_record *ldap_record_new(const struct berval *id, LDAP *ld,
    LDAPMessage *message, struct arena *arena);
void ldap_record_free(struct ldap_record *record);	/* wipes it */

/* In the arena, but its texts are the record's */
const struct entry *ldap_record_entry(const struct ldap_record *record,
    struct arena *arena);

#endif
