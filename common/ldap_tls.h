/* SPDX-License-Identifier: ISC */
/* ldap_tls.h - what a connection to an LDAP server needs for TLS. */
#ifndef COMMON_LDAP_TLS_H
#define COMMON_LDAP_TLS_H

#include <ldap.h>

#include "common/source.h"

/* The server's certificate must hold, whatever ldap.conf(5) says; ca_file "" is
 * that of ldap.conf(5). 0, or -1: a file cannot be used. Not for two threads
 * at a time. */
int ldap_tls_set(LDAP *ld, const struct source_settings *settings);

#endif
