/* SPDX-License-Identifier: ISC */
/* sign.h - one DKIM-Signature field, RFC 6376 3.5 and RFC 8463: which header
 * fields, in which canonical form, folded how. Knows no tenants. */
#ifndef DKIMSIGN_SIGN_H
#define DKIMSIGN_SIGN_H

#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "dkimsign/canon.h"
#include "dkimsign/header.h"
#include "dkimsign/signkey.h"

struct sign_profile {
	enum canon header_canon, body_canon;
	const char *const *oversign;	/* names signed once more often than
					 * they stand there */
	size_t oversign_count;
	const char *const *headers;	/* names signed where they stand;
					 * "List-*" is all that begin so */
	size_t header_count;
	int64_t expire_ms;		/* x= so long after t=; 0: none */
};

/* From must be in it, what is changed on the way (Received, DKIM-Signature ...)
 * must not, and every name must be one. 0, or -1 and why (static). */
int sign_profile_check(const struct sign_profile *profile, const char **why);

/* What every signature of one message has in common */
struct sign_message {
	const struct sign_profile *profile;
	const struct header *header;
	const uint8_t *body_hash;	/* CANON_HASH_BYTES, by body_canon */
	int64_t now_ms;			/* t= */

	/* sign_prepare()'s own */
	const struct header_field *chosen;	/* in the order of h=; of one
						 * that is not there the name
						 * alone */
	size_t chosen_count;
	char *canonical;
	size_t canonical_len;
};

/* Chooses the fields and makes their canonical form, once for all keys. 0; or
 * -1 and why (static), where some verifiers could not follow: so many fields
 * that they do not read the whole list, a control character that they take for
 * a blank. */
int sign_prepare(struct arena *arena, struct sign_message *message,
    const char **why);

/* The whole field with its CRLF, in the arena. domain and selector: A-labels.
 * NULL: no memory in libcrypto. */
const char *sign_field(struct arena *arena, const struct sign_message *message,
    const struct signkey *key, const char *domain, const char *selector);

#endif
