/* SPDX-License-Identifier: ISC */
/* pubkey.c - tells the two forms of p= apart by their length: no RSA key is as
 * short as Ed25519's 32 bytes. */
#include "dkimsign/pubkey.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "common/xmalloc.h"

#define ED25519_BYTES 32
#define ED25519_BITS 256
#define TEXT_MAX 4096		/* RSA with 16384 bits has less */

static int
read_rsa(const unsigned char *bytes, size_t len, struct pubkey *out)
{
	const unsigned char *at = bytes;
	EVP_PKEY *pkey = d2i_PUBKEY(NULL, &at, (long)len);
	int rc = -1;

	ERR_clear_error();
	if (pkey != NULL && at == bytes + len &&
	    EVP_PKEY_get_base_id(pkey) == EVP_PKEY_RSA) {
		out->algorithm = SIGNKEY_RSA;
		out->bits = (unsigned)EVP_PKEY_get_bits(pkey);
		rc = 0;
	}
	EVP_PKEY_free(pkey);
	return rc;
}

int
pubkey_read(const char *text, struct pubkey *out, const char **why)
{
	size_t len = strlen(text), padding;
	unsigned char *bytes;
	int rc, size;

	*why = "not base64";
	if (len == 0 || len % 4 != 0 || len > TEXT_MAX)
		return -1;
	bytes = xmalloc(len);
	size = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)len);
	padding = len - strcspn(text, "=");
	rc = size > 0 && padding <= 2 ? 0 : -1;
	size -= (int)padding;
	if (rc == 0 && size == ED25519_BYTES) {
		*out = (struct pubkey){ SIGNKEY_ED25519, ED25519_BITS };
	} else if (rc == 0) {
		*why = "neither an RSA nor an Ed25519 key";
		rc = read_rsa(bytes, (size_t)size, out);
	}
	free(bytes);
	return rc;
}
