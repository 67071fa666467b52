/* SPDX-License-Identifier: ISC */
/* ldap_persist.h - a search that goes on (RFC 4533, refreshAndPersist): a
 * mirror of our entries on one server, kept true by what the server tells. */
#ifndef COMMON_LDAP_PERSIST_H
#define COMMON_LDAP_PERSIST_H

#include "common/ldap_link.h"

struct ldap_persist;

struct ldap_persist *ldap_persist_new(void);
void ldap_persist_free(struct ldap_persist *persist);

/* The next start is from nothing, not from where the last one ended */
void ldap_persist_forget(struct ldap_persist *persist);

enum persist_start {
	PERSIST_STARTED,	/* the mirror is whole */
	PERSIST_REFUSED,	/* not for this part of the directory */
	PERSIST_FAILED		/* link->why */
};
enum persist_start ldap_persist_start(struct ldap_persist *persist,
    struct ldap_link *link);

enum persist_state {
	PERSIST_SAME,
	PERSIST_CHANGED,	/* since the last call */
	PERSIST_LOST		/* to be started again */
};
/* Takes in what has come; never waits */
enum persist_state ldap_persist_look(struct ldap_persist *persist,
    struct ldap_link *link);

/* What the mirror holds, or what in it has changed since the last call */
enum source_told ldap_persist_give(struct ldap_persist *persist,
    enum source_wish wish, const struct source_reader *to);

#endif
