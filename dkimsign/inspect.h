/* SPDX-License-Identifier: ISC */
/* inspect.h - libopendkim's opinion of every signature of a message that came
 * from anywhere, as a receiver would have it: times count, too. verify.h is
 * about what we have just made. */
#ifndef DKIMSIGN_INSPECT_H
#define DKIMSIGN_INSPECT_H

#include <stddef.h>

#include "common/arena.h"
#include "dkimsign/header.h"

enum record_answer { RECORD_FOUND, RECORD_ABSENT, RECORD_UNKNOWN };

/* The TXT record of that name, in the arena; or why there is none, or none
 * can be had now (static, or in the arena) */
typedef enum record_answer record_finder(void *arg, struct arena *arena,
    const char *name, const char **record, const char **why);

struct inspection {
	const struct header *header;
	const char *body;	/* lines end with CRLF */
	size_t body_len;
	record_finder *find;
	void *find_arg;
};

enum inspect_outcome { INSPECT_PASS, INSPECT_FAIL, INSPECT_UNKNOWN };
extern const char *const inspect_words[];

struct inspected {
	enum inspect_outcome outcome;
	const char *domain, *selector, *algorithm;	/* "" where unclear */
	unsigned bits;		/* of the key; 0 where unknown */
	const char *why;	/* "" where it passes */
};

/* One for each DKIM-Signature field, in the arena. 0; or -1 and *why (static):
 * libopendkim does not take the message. */
int inspect(struct arena *arena, const struct inspection *inspection,
    struct inspected **out, size_t *count, const char **why);

#endif
