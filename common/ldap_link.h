/* SPDX-License-Identifier: ISC */
/* ldap_link.h - one connection to one LDAP server, secured and bound, and what
 * is asked there: never without an end in time. */
#ifndef COMMON_LDAP_LINK_H
#define COMMON_LDAP_LINK_H

#include <ldap.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "common/source.h"

#define LDAP_LINK_WHY 256

struct ldap_link {
	LDAP *ld;
	const struct source_settings *settings;
	const atomic_bool *must_stop;
	const char *uri;
	struct berval secret;	/* of the bind, while that is asked */
	char **attributes;	/* that we ask for; NULL ends */
	struct ldap_conncb connected;	/* libldap keeps a pointer to it */
	int refused;		/* errno of the last address, or 0 */
	char why[LDAP_LINK_WHY];	/* after a failure: "URI: reason" */
};

/* What we look for: entries of our classes, or what more says */
#define LDAP_LINK_FILTER 256
void ldap_link_filter(const struct ldap_link *link, const char *more,
    char out[LDAP_LINK_FILTER]);

/* Connects and binds. 0, or -1 and link->why; ldap_link_close() after both. */
int ldap_link_open(struct ldap_link *link,
    const struct source_settings *settings, const char *uri,
    const atomic_bool *must_stop);
void ldap_link_close(struct ldap_link *link);

/* The server's rootDSE lists this control. 1, 0, or -1 and link->why. */
int ldap_link_offers(struct ldap_link *link, const char *control);

/* The next message of an operation. NULL and link->why where none comes in
 * time, the connection is lost, or we must stop. */
LDAPMessage *ldap_link_next(struct ldap_link *link, int msgid);

/* Always -1; what the library or the server says goes to link->why */
int ldap_link_fail(struct ldap_link *link, int rc, const char *detail);

#endif
