/* SPDX-License-Identifier: ISC */
/* ldap_pages.h - all our entries by a search in pages (RFC 2696). */
#ifndef COMMON_LDAP_PAGES_H
#define COMMON_LDAP_PAGES_H

#include "common/ldap_link.h"
#include "common/ldap_mirror.h"

/* Into an empty mirror, whole; or -1 and link->why. Referrals are notes. */
int ldap_pages_read(struct ldap_link *link, struct ldap_mirror *mirror,
    struct findings *findings);
void ldap_note_referral(struct ldap_link *link, LDAPMessage *message,
    struct findings *findings);

#endif
