/* SPDX-License-Identifier: ISC */
/* header.h - the header section of a message as a list of fields, top to
 * bottom: where each begins and ends, and its name. Bytes are never changed,
 * so that what is hashed is what is sent. */
#ifndef DKIMSIGN_HEADER_H
#define DKIMSIGN_HEADER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"

struct header_field {
	const char *name;	/* as written, without blanks before the colon;
				 * no NUL behind it */
	size_t name_len;	/* 0: no field, but a line that is none */
	const char *value;	/* what follows the colon */
	size_t value_len;	/* to the end of text */
	const char *text;	/* the whole field with its folding, without
				 * its last CRLF */
	size_t len;
};

struct header {
	const struct header_field *fields;
	size_t count;
	bool is_malformed;	/* some line is no field: Postfix would end the
				 * header section there (its is_header()) */
	const char *text;	/* what was parsed */
	size_t len;
};

/* text: the header section up to, but without, the empty line that ends it;
 * lines end with CRLF, the last one need not. It must outlive out, whose list
 * belongs to the arena. Never fails: a line that is no field (RFC 5322 2.2,
 * with blanks allowed before the colon) is listed with name_len 0. */
void header_parse(struct arena *arena, const char *text, size_t len,
    struct header *out);

/* The name is this one, in any case */
bool header_is(const struct header_field *field, const char *name);

#endif
