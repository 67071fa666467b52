/* SPDX-License-Identifier: ISC */
/* t/unit/signkey.c - which texts are keys, and which are refused. */
#include "dkimsign/signkey.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdbool.h>
#include <stdlib.h>

#include "t/unit/rfc_keys.h"
#include "t/unit/tap.h"

#define PASSPHRASE "open sesame"

/* What the rows are made from at run time */
static char *rsa_pem, *encrypted_pem, *ec_pem, *pss_pem, *traditional_pem;
static char *garbled_pem;

static const struct {
	const char *name;
	char **made;		/* NULL: text */
	const char *text, *passphrase, *public;
	unsigned min_bits;
	const char *why;	/* NULL: it is taken */
	enum signkey_algorithm algorithm;
} rows[] = {
	{ "PKCS#8, RSA", &rsa_pem, NULL, NULL, NULL, 2048, NULL, SIGNKEY_RSA },
	{ "PKCS#8, Ed25519", NULL, RFC8463_ED25519_PEM, NULL,
	    RFC8463_ED25519_PUBLIC, 2048, NULL, SIGNKEY_ED25519 },
	{ "traditional RSA", NULL, RFC6376_PEM, NULL, RFC6376_PUBLIC, 1024,
	    NULL, SIGNKEY_RSA },
	{ "blanks around it", NULL, " \r\n" RFC6376_PEM "\n \t\r\n", NULL,
	    NULL, 1024, NULL, SIGNKEY_RSA },
	{ "a passphrase that is not needed", NULL, RFC8463_ED25519_PEM,
	    PASSPHRASE, NULL, 2048, NULL, SIGNKEY_ED25519 },
	{ "encrypted, with its passphrase", &encrypted_pem, NULL, PASSPHRASE,
	    NULL, 2048, NULL, SIGNKEY_RSA },
	{ "encrypted, with another", &encrypted_pem, NULL, "sesame", NULL,
	    2048, "encrypted, and not with this passphrase", 0 },
	{ "encrypted, with none", &encrypted_pem, NULL, NULL, NULL, 2048,
	    "encrypted, and there is no passphrase", 0 },
	{ "traditional and encrypted", &traditional_pem, NULL, PASSPHRASE,
	    NULL, 1024, NULL, SIGNKEY_RSA },
	{ "too short", NULL, RFC6376_PEM, NULL, NULL, 1025,
	    "RSA key too short", 0 },
	{ "the length does not matter for Ed25519", NULL, RFC8463_ED25519_PEM,
	    NULL, NULL, 4096, NULL, SIGNKEY_ED25519 },
	{ "another public key", NULL, RFC8463_RSA_PEM, NULL, RFC6376_PUBLIC,
	    1024, "not the private half of posternDkimPublicKey", 0 },
	{ "another kind of public key", NULL, RFC8463_ED25519_PEM, NULL,
	    RFC6376_PUBLIC, 1024,
	    "not the private half of posternDkimPublicKey", 0 },
	{ "a curve that DKIM does not know", &ec_pem, NULL, NULL, NULL, 1024,
	    "neither an RSA nor an Ed25519 key", 0 },
	{ "RSA for PSS alone", &pss_pem, NULL, NULL, NULL, 1024,
	    "neither an RSA nor an Ed25519 key", 0 },
	{ "nothing", NULL, "", NULL, NULL, 1024, "not a private key in PEM",
	    0 },
	{ "bare base64", NULL, "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMRE"
	    "ScVpezJpGXA7rAMcrn9g", NULL, NULL, 1024,
	    "not a private key in PEM", 0 },
	{ "no end", NULL, "-----BEGIN PRIVATE KEY-----\nMC4CAQAw", NULL, NULL,
	    1024, "not a private key in PEM", 0 },
	{ "another end", NULL, "-----BEGIN PRIVATE KEY-----\nMC4CAQAw\n"
	    "-----END RSA PRIVATE KEY-----\n", NULL, NULL, 1024,
	    "not a private key in PEM", 0 },
	{ "an empty one", NULL, "-----BEGIN PRIVATE KEY-----\n"
	    "-----END PRIVATE KEY-----\n", NULL, NULL, 1024,
	    "not a private key in PEM", 0 },
	{ "a certificate", NULL, "-----BEGIN CERTIFICATE-----\nMC4CAQAw\n"
	    "-----END CERTIFICATE-----\n", NULL, NULL, 1024,
	    "not a private key in PEM", 0 },
	{ "two keys", NULL, RFC8463_ED25519_PEM RFC6376_PEM, NULL, NULL, 1024,
	    "not a private key in PEM", 0 },
	{ "words before it", NULL, "my key: " RFC8463_ED25519_PEM, NULL, NULL,
	    1024, "not a private key in PEM", 0 },
	{ "a byte that is another", &garbled_pem, NULL, NULL, NULL, 1024,
	    "not a private key in PEM", 0 },
};

static char *
pem_of(EVP_PKEY *pkey, bool is_traditional)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes, *text;
	long len;

	if (is_traditional)
		PEM_write_bio_PrivateKey_traditional(bio, pkey,
		    EVP_aes_128_cbc(), NULL, 0, NULL,
		    (void *)(uintptr_t)PASSPHRASE);
	else
		PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL,
		    NULL);
	len = BIO_get_mem_data(bio, &bytes);
	text = strndup(bytes, (size_t)len);
	BIO_free(bio);
	EVP_PKEY_free(pkey);
	return text;
}

static EVP_PKEY *
pkey_of(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

	BIO_free(bio);
	return pkey;
}

static EVP_PKEY *
pss_key(void)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
	EVP_PKEY *pkey = NULL;

	EVP_PKEY_keygen_init(ctx);
	EVP_PKEY_keygen(ctx, &pkey);
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

static void
make_texts(void)
{
	const char *why;
	struct signkey *key = signkey_generate(SIGNKEY_RSA, 2048, &why);

	rsa_pem = signkey_pem(key, NULL);
	encrypted_pem = signkey_pem(key, PASSPHRASE);
	signkey_release(key);
	ec_pem = pem_of(EVP_EC_gen("P-256"), false);
	pss_pem = pem_of(pss_key(), false);
	traditional_pem = pem_of(pkey_of(RFC6376_PEM), true);
	garbled_pem = strdup(RFC8463_ED25519_PEM);
	garbled_pem[40] ^= 1;
}

static void
test_rows(void)
{
	struct signkey *key;
	const char *why, *text;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		text = rows[i].made != NULL ? *rows[i].made : rows[i].text;
		key = signkey_new(text, strlen(text), rows[i].passphrase,
		    rows[i].min_bits, rows[i].public, &why);
		tap_is(key == NULL ? why : NULL, rows[i].why, rows[i].name);
		if (key != NULL)
			tap_ok(signkey_algorithm(key) == rows[i].algorithm,
			    "and it is what it is");
		signkey_release(key);
	}
}

static void
test_one(enum signkey_algorithm algorithm, unsigned bits, size_t want)
{
	uint8_t hash[SIGNKEY_HASH_BYTES] = "any thirty-two bytes will do it";
	uint8_t first[SIGNKEY_SIGNATURE_MAX], second[SIGNKEY_SIGNATURE_MAX];
	size_t len, again;
	const char *why;
	struct signkey *key = signkey_generate(algorithm, bits, &why), *copy;
	char *pem = signkey_pem(key, PASSPHRASE);

	tap_ok(strstr(pem, "BEGIN ENCRYPTED PRIVATE KEY") != NULL,
	    "a passphrase encrypts the text");
	copy = signkey_new(pem, strlen(pem), PASSPHRASE, 2048,
	    signkey_public(key), &why);
	tap_ok(copy != NULL, "a key comes back from its text");
	tap_is(signkey_record(copy), signkey_record(key), "with its record");
	tap_int((int64_t)signkey_bits(copy), bits, "and its length");
	tap_ok(signkey_sign(key, hash, first, &len) == 0 && len == want,
	    "it signs");
	signkey_hold(copy);
	signkey_release(copy);
	tap_ok(signkey_sign(copy, hash, second, &again) == 0 && again == len &&
	    memcmp(first, second, len) == 0, "both the same, still held");
	hash[0] ^= 1;
	tap_ok(signkey_sign(copy, hash, second, &again) == 0 && again == len &&
	    memcmp(first, second, len) != 0, "but not the same for all");
	signkey_release(copy);
	signkey_release(key);
	OPENSSL_cleanse(pem, strlen(pem));
	free(pem);
}

int
main(void)
{
	struct signkey *key;
	const char *why;

	make_texts();
	test_rows();
	test_one(SIGNKEY_RSA, 2048, 256);
	test_one(SIGNKEY_ED25519, 256, 64);
	key = signkey_new(RFC8463_ED25519_PEM, strlen(RFC8463_ED25519_PEM),
	    NULL, 2048, NULL, &why);
	tap_is(signkey_record(key), "v=DKIM1; k=ed25519; p="
	    RFC8463_ED25519_PUBLIC, "an Ed25519 record has the bare key");
	signkey_release(key);
	key = signkey_new(RFC6376_PEM, strlen(RFC6376_PEM), NULL, 1024, NULL,
	    &why);
	tap_is(signkey_record(key), "v=DKIM1; k=rsa; p=" RFC6376_PUBLIC,
	    "an RSA record has SubjectPublicKeyInfo");
	signkey_release(key);
	tap_ok(signkey_generate(SIGNKEY_RSA, 100, &why) == NULL,
	    "no RSA key of 100 bits is made");
	free(rsa_pem);
	free(encrypted_pem);
	free(ec_pem);
	free(pss_pem);
	free(traditional_pem);
	free(garbled_pem);
	return tap_done();
}
