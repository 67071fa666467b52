/* SPDX-License-Identifier: ISC */
/* verify.h - libopendkim's opinion of a signature: somebody else's code on
 * what ours has made. Any thread; no DNS, no files. */
#ifndef DKIMSIGN_VERIFY_H
#define DKIMSIGN_VERIFY_H

#include <stddef.h>
#include <stdint.h>

#include "dkimsign/header.h"
#include "dkimsign/signkey.h"

enum verify_outcome {
	VERIFY_GOOD,		/* each of the signatures verifies */
	VERIFY_BAD,		/* one does not, or has no record */
	VERIFY_REFUSED,		/* libopendkim does not take the message */
	VERIFY_UNKNOWN		/* it cannot tell: no memory */
};

/* A body in pieces: calls fn(to, ...) for each, in order, as often as it is
 * asked */
typedef void body_reader(void *arg,
    void (*fn)(void *to, const char *bytes, size_t len), void *to);

struct verify_message {
	const struct header *header;	/* without the fields to be verified */
	const struct header *signatures; /* DKIM-Signature fields */
	body_reader *body;
	void *body_arg;
	/* The TXT record of selector._domainkey.domain, NULL where there is
	 * none */
	const char *(*record)(void *arg, const char *selector,
	    const char *domain);
	void *record_arg;
};

struct verifier;

/* NULL and *why */
struct verifier *verifier_new(const char **why);
void verifier_free(struct verifier *verifier);	/* NULL is fine */

/* Times (t=, x=) are not judged, if t= is from 2004 to 30 years from now. *why
 * where it is not GOOD, static. */
enum verify_outcome verify_message(struct verifier *verifier,
    const struct verify_message *message, const char **why);

/* Does the key sign so that its own record verifies it? */
enum verify_outcome verify_key(struct verifier *verifier,
    struct signkey *key, const char **why);

#endif
