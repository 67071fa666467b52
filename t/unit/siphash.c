/* SPDX-License-Identifier: ISC */
/* siphash.c - do we hash as libcrypto's SipHash with our rounds does? */
#include "common/siphash.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "t/unit/tap.h"

#define LONGEST 200

/* 00 01 02 ... 0f on a little-endian machine */
static const struct siphash_secret secret = { {
	0x0706050403020100, 0x0f0e0d0c0b0a0908 } };

static bool
libcrypto_agrees(const unsigned char *bytes, size_t len, const void *ours,
    size_t size)
{
	unsigned c = 1, d = 3;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_C_ROUNDS, &c),
		OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_D_ROUNDS, &d),
		OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
	EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);
	unsigned char theirs[16];
	size_t got = 0;
	bool agrees = EVP_MAC_init(context,
	    (const unsigned char *)secret.words, sizeof(secret), params) == 1 &&
	    EVP_MAC_update(context, bytes, len) == 1 &&
	    EVP_MAC_final(context, theirs, &got, sizeof(theirs)) == 1 &&
	    got == size && memcmp(theirs, ours, size) == 0;

	EVP_MAC_CTX_free(context);
	EVP_MAC_free(mac);
	return agrees;
}

int
main(void)
{
	unsigned char bytes[LONGEST];
	bool narrow_agrees = true, wide_agrees = true;
	uint64_t narrow, wide[2];
	size_t len;

	for (len = 0; len < LONGEST; len++)
		bytes[len] = (unsigned char)(len * 37 + 200);
	for (len = 0; len <= LONGEST; len++) {
		narrow = siphash(&secret, bytes, len);
		narrow_agrees &= libcrypto_agrees(bytes, len, &narrow, 8);
		siphash_wide(&secret, bytes, len, wide);
		wide_agrees &= libcrypto_agrees(bytes, len, wide, 16);
	}
	tap_ok(narrow_agrees, "64 bits are those of libcrypto's SipHash-1-3");
	tap_ok(wide_agrees, "so are 128");
	return tap_done();
}
