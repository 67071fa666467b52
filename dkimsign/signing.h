/* SPDX-License-Identifier: ISC */
/* signing.h - all of the signature in one call: from header, envelope and
 * directory to "these fields go on top", "it goes as it is, because" or "not
 * now, because". What message.c and dkimctl call. */
#ifndef DKIMSIGN_SIGNING_H
#define DKIMSIGN_SIGNING_H

#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/findings.h"
#include "common/snapshot.h"
#include "dkimsign/header.h"
#include "dkimsign/sign.h"
#include "dkimsign/verify.h"

enum signing_outcome {
	SIGNING_SIGNED,		/* fields holds one or two signatures */
	SIGNING_UNSIGNED,	/* send it as it is */
	SIGNING_DEFER		/* 451, and nothing was sent */
};

/* Who made the message, as far as Postfix's XFORWARD tells: a null sender is
 * signed only where Postfix made the message itself */
enum signing_origin {
	ORIGIN_LOCAL,		/* XFORWARD came without ADDR: Postfix */
	ORIGIN_CLIENT,		/* XFORWARD ADDR: somebody else */
	ORIGIN_UNKNOWN		/* no XFORWARD at all */
};

enum signing_verify {
	SIGNING_VERIFY_NONE,
	SIGNING_VERIFY_SAMPLE,	/* one message in 64 */
	SIGNING_VERIFY_ALL
};
/* "none", "sample", "all", NULL: sign.verify */
extern const char *const signing_verify_words[];

struct signing {
	struct arena *arena;		/* of the message; not shared */
	const struct snapshot *snapshot; /* held by the caller; NULL: none yet,
					 * which is SIGNING_DEFER */
	const struct header *header;
	const char *sender;		/* MAIL FROM without <>, "" for null */
	enum signing_origin origin;
	const uint8_t *body_hash;	/* CANON_HASH_BYTES, by the profile's
					 * body_canon */
	body_reader *body;		/* the body once more, to verify: the
					 * bytes that were hashed */
	void *body_arg;
	const char *id;			/* of the message, for log lines */

	/* out, all in the arena or static: */
	enum signing_outcome outcome;
	const char *reason;		/* one word, counted by signer_sign() in
					 * postern_dkimsign_signing_total */
	const char *detail;		/* the same for people; "" where the
					 * reason says it all */
	const char *fields;		/* DKIM-Signature fields with CRLF, to
					 * stand before the header; "" */
	size_t fields_len;
	const char *author;		/* domain of From:, "" if unclear */
	const char *domain;		/* d=, "" where unsigned */
	const char *selectors;		/* s=, "a,b" where there are two; "" */
};

struct signer_settings {
	struct sign_profile profile;	/* its texts outlive the signer */
	enum signing_verify verify;
	unsigned min_rsa_bits;
	const char *passphrase;		/* NULL: none; copied, wiped then */
};

struct signer;	/* process-wide: profile, keyring, verifier */

/* NULL and *why (static) where the settings cannot be. The first call registers
 * the counters of signing: loop thread. */
struct signer *signer_new(const struct signer_settings *settings,
    const char **why);
void signer_free(struct signer *signer);	/* that nobody uses; or NULL */

/* Tries every key in the directory: keyring_check() */
void signer_check(const struct signer *signer,
    const struct snapshot *snapshot, struct findings *findings);

/* Any thread, many at once. May take the time of a signature and, where it
 * verifies, of reading the body again. */
void signer_sign(struct signer *signer, struct signing *signing);

#endif
