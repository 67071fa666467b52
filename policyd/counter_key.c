/* SPDX-License-Identifier: ISC */
/* counter_key.c - one name per counter. Where hosts share the counters it is a
 * digest, the same on each of them. Where they do not, a hash under a secret
 * of this process is as good, for a tenth of the time. */
#include "policyd/counter_key.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/siphash.h"
#include "common/xmalloc.h"

#define ROOM 512

_Static_assert(COUNTER_KEY_BYTES == 2 * sizeof(uint64_t), "a wide SipHash");

static struct siphash_secret secret;
/* NULL: not shared. Fetched once: EVP_sha256() alone is looked up anew for
 * every digest */
static EVP_MD *sha256;
static EVP_MD_CTX *context;

static void __attribute__((constructor))
prepare(void)
{
	secret = siphash_secret_new();
}

void
counter_keys_share(void)
{
	if (sha256 != NULL)
		return;
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

/* All parts behind each other, each with its length as four bytes, high ones
 * first; in room where they fit, else the caller frees it */
static uint8_t *
parts_join(const char *const *parts, size_t count, uint8_t room[static ROOM],
    size_t *len)
{
	uint8_t *bytes, *at;
	uint32_t size;

	*len = 0;
	for (size_t i = 0; i < count; i++)
		*len += sizeof(size) + strlen(parts[i]);
	at = bytes = *len <= ROOM ? room : xmalloc(*len);
	for (size_t i = 0; i < count; i++) {
		size_t n = strlen(parts[i]);

		size = htonl((uint32_t)n);
		memcpy(at, &size, sizeof(size));
		memcpy(at + sizeof(size), parts[i], n);
		at += sizeof(size) + n;
	}
	return bytes;
}

static void
digest(const uint8_t *bytes, size_t len, struct counter_key *key)
{
	unsigned char out[EVP_MAX_MD_SIZE];

	if (EVP_DigestInit_ex2(context, sha256, NULL) != 1 ||
	    EVP_DigestUpdate(context, bytes, len) != 1 ||
	    EVP_DigestFinal_ex(context, out, NULL) != 1)
		panic("SHA256 failed");
	memcpy(key->bytes, out, sizeof(key->bytes));
}

static struct counter_key
key_of(const char *const *parts, size_t count, bool is_shared)
{
	uint8_t room[ROOM], *bytes;
	struct counter_key key;
	uint64_t words[2];
	size_t len;

	bytes = parts_join(parts, count, room, &len);
	if (is_shared)
		digest(bytes, len, &key);
	else {
		siphash_wide(&secret, bytes, len, words);
		memcpy(key.bytes, words, sizeof(key.bytes));
	}
	if (bytes != room)
		free(bytes);
	return key;
}

struct counter_key
counter_key_of(const char *const *parts, size_t count)
{
	return key_of(parts, count, sha256 != NULL);
}

struct counter_key
counter_key_own(const char *const *parts, size_t count)
{
	return key_of(parts, count, false);
}
