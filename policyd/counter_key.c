/* SPDX-License-Identifier: ISC */
/* counter_key.c - one digest per counter, the same on every host. Pure. */
#include "policyd/counter_key.h"

#include <openssl/evp.h>
#include <stdint.h>
#include <string.h>

#include "common/log.h"

/* Fetched once: EVP_sha256() alone is looked up anew for every digest */
static EVP_MD *sha256;
static EVP_MD_CTX *context;

static void
prepare(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	context = EVP_MD_CTX_new();
	if (sha256 == NULL || context == NULL)
		fatal("libcrypto has no SHA256");
}

static void __attribute__((destructor))
release(void)
{
	EVP_MD_CTX_free(context);
	EVP_MD_free(sha256);
}

struct counter_key
counter_key_of(const char *const *parts, size_t count)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	struct counter_key key;
	uint8_t size[4];
	size_t i, len;
	int ok;

	if (context == NULL)
		prepare();
	ok = EVP_DigestInit_ex2(context, sha256, NULL);
	for (i = 0; i < count; i++) {
		len = strlen(parts[i]);
		size[0] = (uint8_t)(len >> 24);
		size[1] = (uint8_t)(len >> 16);
		size[2] = (uint8_t)(len >> 8);
		size[3] = (uint8_t)len;
		ok &= EVP_DigestUpdate(context, size, sizeof(size));
		ok &= EVP_DigestUpdate(context, parts[i], len);
	}
	ok &= EVP_DigestFinal_ex(context, digest, NULL);
	if (ok != 1)
		panic("SHA256 failed");
	memcpy(key.bytes, digest, sizeof(key.bytes));
	return key;
}
