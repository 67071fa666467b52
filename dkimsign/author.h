/* SPDX-License-Identifier: ISC */
/* author.h - who wrote the message, by From: (RFC 5322 3.6.2, groups by RFC
 * 6854, UTF-8 by RFC 6532). Stricter than the RFC: what one mail reader could
 * show as another author than the next one is UNCLEAR. Pure. */
#ifndef DKIMSIGN_AUTHOR_H
#define DKIMSIGN_AUTHOR_H

#include <stddef.h>

#include "common/arena.h"
#include "dkimsign/header.h"

enum author_outcome {
	AUTHOR_FOUND,		/* one mailbox, or several of one domain */
	AUTHOR_NONE,		/* no From: field, or nobody in it */
	AUTHOR_SEVERAL,		/* mailboxes of different domains */
	AUTHOR_UNCLEAR		/* two From: fields, syntax, tricks */
};

struct author {
	const char *domain;	/* in lower-case A-labels; or a domain literal
				 * as it is written */
	const char *local;	/* the first mailbox's local part, unquoted, as
				 * it is written */
	size_t count;		/* mailboxes */
	const char *why;	/* AUTHOR_UNCLEAR: what is, for people */
};

/* All texts in *out belong to the arena, or are static */
enum author_outcome author_find(struct arena *arena,
    const struct header *header, struct author *out);

#endif
