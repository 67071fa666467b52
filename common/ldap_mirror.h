/* SPDX-License-Identifier: ISC */
/* ldap_mirror.h - the entries of an LDAP server as they came, by a name that
 * the server gives them, and what of them has been seen since a point. */
#ifndef COMMON_LDAP_MIRROR_H
#define COMMON_LDAP_MIRROR_H

#include <ldap.h>

#include "common/source.h"

struct ldap_mirror;

struct ldap_mirror *ldap_mirror_new(void);
void ldap_mirror_free(struct ldap_mirror *mirror);	/* NULL is fine */

/* A new entry, or a new form of it, whose values are wiped in the message.
 * id NULL: its DN is its name. It has been
 * seen. True where others stand below a DN that it has no more. */
bool ldap_mirror_put(struct ldap_mirror *mirror, const struct berval *id,
    LDAP *ld, LDAPMessage *message);
void ldap_mirror_remove(struct ldap_mirror *mirror, const struct berval *id);

/* Nothing has been seen any more; this one has; the others go */
void ldap_mirror_begin(struct ldap_mirror *mirror);
void ldap_mirror_see(struct ldap_mirror *mirror, const struct berval *id);
void ldap_mirror_sweep(struct ldap_mirror *mirror);

/* Until the next call with this mirror. NULL: there is none. */
const struct entry *ldap_mirror_get(const struct ldap_mirror *mirror,
    const struct berval *id);

/* All there is, each DN once, in order; each entry until take() returns */
void ldap_mirror_give(const struct ldap_mirror *mirror,
    const struct source_reader *to);
/* What was put or removed since the news were forgotten, each DN once: as it is
 * now, or that it has gone */
void ldap_mirror_give_news(const struct ldap_mirror *mirror,
    const struct source_reader *to);
void ldap_mirror_forget_news(struct ldap_mirror *mirror);

#endif
