/* SPDX-License-Identifier: ISC */
/* key_ldif.h - directory entries of DKIM keys, for tests. */
#ifndef UNIT_KEY_LDIF_H
#define UNIT_KEY_LDIF_H

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "common/arena.h"

#define TENANT(id, domain) "dn: dc=" id "\nobjectClass: posternDomain\n" \
    "associatedDomain: " domain "\n"

/* An entry cn=NAME below dc=TENANT; rest: further lines, "" for none */
static inline const char *
key_ldif(struct arena *arena, const char *tenant, const char *name,
    const char *selector, const char *pem, const char *rest)
{
	char *text = arena_alloc(arena, 2 * strlen(pem) + 4);

	EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)pem,
	    (int)strlen(pem));
	return arena_printf(arena, "\ndn: cn=%s,dc=%s\n"
	    "objectClass: posternDkimKey\nposternDkimSelector: %s\n"
	    "posternDkimPrivateKey:: %s\n%s", name, tenant, selector, text,
	    rest);
}

#endif
