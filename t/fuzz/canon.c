/* SPDX-License-Identifier: ISC */
/* canon.c - fuzz target: the first octets say how the body is cut and in which
 * form; the hash is the same as in one piece. A field never grows. */
#include "dkimsign/canon.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
hash(struct canon_body *body, enum canon canon, const char *text, size_t len,
    size_t piece, uint8_t out[CANON_HASH_BYTES])
{
	canon_body_begin(body, canon);
	while (len > piece) {
		canon_body_update(body, text, piece);
		text += piece;
		len -= piece;
	}
	canon_body_update(body, text, len);
	canon_body_end(body, out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct canon_body *body;
	uint8_t whole[CANON_HASH_BYTES], pieces[CANON_HASH_BYTES];
	const char *text = (const char *)data + 2;
	enum canon canon;
	char *field;

	if (body == NULL)
		body = canon_body_new();
	if (size < 2)
		return 0;
	size -= 2;
	canon = (enum canon)(data[0] & 1);
	hash(body, canon, text, size, size, whole);
	hash(body, canon, text, size, 1 + data[1], pieces);
	must(memcmp(whole, pieces, sizeof(whole)) == 0);
	field = malloc(size + 2);
	must(canon_field(canon, text, size, field) <= size + 2);
	free(field);
	return 0;
}
