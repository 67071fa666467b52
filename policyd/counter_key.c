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

/* What is to be hashed, in pieces large enough to be worth the call */
struct feed {
	size_t len;
	uint8_t bytes[512];
};

static void
feed_flush(struct feed *feed)
{
	if (EVP_DigestUpdate(context, feed->bytes, feed->len) != 1)
		panic("SHA256 failed");
	feed->len = 0;
}

static void
feed_add(struct feed *feed, const void *bytes, size_t len)
{
	const uint8_t *from = bytes;
	size_t n;

	while (len > 0) {
		if (feed->len == sizeof(feed->bytes))
			feed_flush(feed);
		n = sizeof(feed->bytes) - feed->len;
		n = n < len ? n : len;
		memcpy(feed->bytes + feed->len, from, n);
		feed->len += n;
		from += n;
		len -= n;
	}
}

struct counter_key
counter_key_of(const char *const *parts, size_t count)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	struct feed feed;
	struct counter_key key;
	uint8_t size[4];
	size_t i, len;

	if (context == NULL)
		prepare();
	feed.len = 0;
	if (EVP_DigestInit_ex2(context, sha256, NULL) != 1)
		panic("SHA256 failed");
	for (i = 0; i < count; i++) {
		len = strlen(parts[i]);
		size[0] = (uint8_t)(len >> 24);
		size[1] = (uint8_t)(len >> 16);
		size[2] = (uint8_t)(len >> 8);
		size[3] = (uint8_t)len;
		feed_add(&feed, size, sizeof(size));
		feed_add(&feed, parts[i], len);
	}
	feed_flush(&feed);
	if (EVP_DigestFinal_ex(context, digest, NULL) != 1)
		panic("SHA256 failed");
	memcpy(key.bytes, digest, sizeof(key.bytes));
	return key;
}
