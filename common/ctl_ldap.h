/* SPDX-License-Identifier: ISC */
/* ctl_ldap.h - an LDAP server, asked and changed as the caller: never as
 * a daemon. What goes wrong is told on stderr in the server's own words. */
#ifndef COMMON_CTL_LDAP_H
#define COMMON_CTL_LDAP_H

#include "common/ctl.h"
#include "common/ldap_link.h"

/* Connect, secure and bind at -H, or at the first server of the settings that
 * answers. CTL_USAGE where the options do not say who the caller is. After
 * CTL_FINE alone ctl_ldap_close(). */
enum ctl_exit ctl_ldap_open(const struct ctl *ctl,
    const struct source_settings *settings, struct ldap_link *link);
void ctl_ldap_close(struct ldap_link *link);

/* The same with the settings as they are, policyd's own: to read as it does */
enum ctl_exit ctl_ldap_open_as(const struct ctl *ctl,
    const struct source_settings *settings, struct ldap_link *link);

/* CTL_WRONG: the server refuses; CTL_UNASKED: it does not answer. *value is in
 * the arena, NULL where the entry has none. */
enum ctl_exit ctl_ldap_get(const struct ctl *ctl, struct ldap_link *link,
    const char *dn, const char *attribute, const char **value);
/* One value in place of another; NULL is none. Refused where it is not what
 * it was before. */
enum ctl_exit ctl_ldap_swap(const struct ctl *ctl, struct ldap_link *link,
    const char *dn, const char *attribute, const char *before,
    const char *after);

/* One value of an entry; of one attribute they stand together */
struct ctl_value {
	const char *name, *text;	/* a NULL name ends a list */
};

/* A new entry. Refused where there is one by that DN. */
enum ctl_exit ctl_ldap_add(const struct ctl *ctl, struct ldap_link *link,
    const char *dn, const struct ctl_value *values);

#endif
