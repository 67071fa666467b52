/* SPDX-License-Identifier: ISC */
/* dkim_entry.h - what one directory entry says about signing: struct layer's
 * policy in dkimsign. A key's text is kept as it came and not looked into;
 * that is for signkey.h, when it is needed. */
#ifndef DKIMSIGN_DKIM_ENTRY_H
#define DKIMSIGN_DKIM_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/layer.h"
#include "common/snapshot.h"

enum dkim_signing {
	DKIM_SIGNING_OFF,
	DKIM_SIGNING_ON,
	DKIM_SIGNING_REQUIRED,
	DKIM_SIGNING_UNSET
};

/* Of LAYER_KEY; of all others signing alone */
struct dkim_entry {
	enum dkim_signing signing;	/* posternDkimSigning */
	const char *selector;		/* A-labels, lower case */
	const char *private_key;	/* as it came; NULL: withdrawn, or not
					 * ours to read */
	size_t private_key_len;
	const char *public_key;		/* base64 without blanks, or NULL */
	int64_t not_before_ms;		/* since the epoch; INT64_MIN: always */
	int64_t not_after_ms;		/* INT64_MAX: for ever */
	uint8_t version[32];		/* SHA-256 of selector and both keys */
};

/* layer.h's parser for dkimsign. A key with a bad value has no private_key. */
layer_parser dkim_entry_parse;

/* The attributes that it reads; NULL ends: for source_settings */
const char *const *dkim_entry_attributes(void);

const struct dkim_entry *dkim_entry_of(const struct layer *layer);

/* What holds for the nearest layer of the chain that says something: on where
 * none does */
enum dkim_signing dkim_signing_of(const struct snapshot *snapshot,
    const struct tenant *tenant);

/* RFC 4517 3.3.13 with the restrictions of X.690: "20261120103000Z",
 * "202611201030Z", "2026112010Z", fractions of a second left out, offsets as
 * "+0100". To ms since the epoch. 0, or -1 and why. */
int generalized_time(const char *text, int64_t *out_ms, const char **why);

#endif
