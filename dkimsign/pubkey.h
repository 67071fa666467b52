/* SPDX-License-Identifier: ISC */
/* pubkey.h - what kind of key a record's p= has. Pure. */
#ifndef DKIMSIGN_PUBKEY_H
#define DKIMSIGN_PUBKEY_H

#include "dkimsign/signkey.h"

struct pubkey {
	enum signkey_algorithm algorithm;
	unsigned bits;
};

/* text: base64 without blanks: RFC 6376 3.6.1 (SubjectPublicKeyInfo of RSA),
 * RFC 8463 4.2 (32 bytes of Ed25519). 0, or -1 and *why (static). */
int pubkey_read(const char *text, struct pubkey *out, const char **why);

#endif
