/* SPDX-License-Identifier: ISC */
/* signkey.c - fuzz target: whatever becomes a key signs, and comes back from
 * its own text. */
#include "dkimsign/signkey.h"

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

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t hash[SIGNKEY_HASH_BYTES] = { 0 };
	uint8_t signature[SIGNKEY_SIGNATURE_MAX];
	struct signkey *key, *copy;
	const char *why = NULL;
	size_t len;
	char *pem;

	key = signkey_new((const char *)data, size, "passphrase", 512, NULL,
	    &why);
	must(why != NULL);
	if (key == NULL)
		return 0;
	/* It may be no key at all that works: then libcrypto says so */
	(void)signkey_sign(key, hash, signature, &len);
	pem = signkey_pem(key, NULL);
	copy = signkey_new(pem, strlen(pem), NULL, 512, signkey_public(key),
	    &why);
	must(copy != NULL);
	signkey_release(copy);
	signkey_release(key);
	free(pem);
	return 0;
}
