/* SPDX-License-Identifier: ISC */
/* pubkey.c - fuzz target: what is taken for a public key has a kind and a
 * length, and all else a reason. */
#include "dkimsign/pubkey.h"

#include <stdlib.h>

#include "common/xmalloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size);
	struct pubkey key = { .bits = 0 };
	const char *why = NULL;
	int rc = pubkey_read(text, &key, &why);

	if (why == NULL || (rc == 0 && key.bits == 0))
		abort();
	free(text);
	return 0;
}
