/* SPDX-License-Identifier: ISC */
/* signkey.c - a PEM text becomes a key that signs, or is refused with a reason
 * that tells nothing of it. Parsed once: parsing costs more than signing. Never
 * asks a terminal for a passphrase. Next: keyring.c, sign.c. */
#include "dkimsign/signkey.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/xmalloc.h"

#define ED25519_BYTES 32

struct signkey {
	atomic_uint holds;
	EVP_PKEY *pkey;
	enum signkey_algorithm algorithm;
	char *record;
	const char *public;	/* the end of record */
};

const char *const signkey_words[] = { "ed25519", "rsa", NULL };

/* What a passphrase is asked with, and whether it was */
struct passphrase {
	const char *text;	/* NULL: there is none */
	bool is_wanted;
};

static int
give_passphrase(char *to, int size, int is_for_writing, void *arg)
{
	struct passphrase *passphrase = arg;
	size_t len;

	(void)is_for_writing;
	passphrase->is_wanted = true;
	if (passphrase->text == NULL)
		return -1;
	len = strlen(passphrase->text);
	if (len > (size_t)size)
		return -1;
	memcpy(to, passphrase->text, len);
	return (int)len;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool
skip_text(const char **at, const char *end, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(end - *at) < len || memcmp(*at, text, len) != 0)
		return false;
	*at += len;
	return true;
}

/* One of the forms we read, and nothing before or behind it but blanks:
 * libcrypto would look for anything it knows, anywhere */
static bool
is_pem(const char *pem, size_t len)
{
	static const char *const kinds[] = {
		"PRIVATE KEY-----", "ENCRYPTED PRIVATE KEY-----",
		"RSA PRIVATE KEY-----"
	};
	const char *at = pem, *end = pem + len;
	size_t i;

	while (at < end && is_blank(*at))
		at++;
	if (!skip_text(&at, end, "-----BEGIN "))
		return false;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (skip_text(&at, end, kinds[i]))
			break;
	if (i == sizeof(kinds) / sizeof(kinds[0]) ||
	    (at = memmem(at, (size_t)(end - at), "-----END ", 9)) == NULL)
		return false;
	at += 9;
	if (!skip_text(&at, end, kinds[i]))
		return false;
	while (at < end && is_blank(*at))
		at++;
	return at == end;
}

static EVP_PKEY *
read_pem(const char *pem, size_t len, const char *passphrase,
    const char **why)
{
	struct passphrase asked = { .text = passphrase };
	EVP_PKEY *pkey = NULL;
	BIO *bio;

	*why = "not a private key in PEM";
	if (len > 65536 || !is_pem(pem, len))
		return NULL;
	if ((bio = BIO_new_mem_buf(pem, (int)len)) == NULL)
		fatal("out of memory: libcrypto");
	pkey = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, &asked);
	BIO_free(bio);
	ERR_clear_error();
	if (pkey == NULL && asked.is_wanted)
		*why = passphrase == NULL
		    ? "encrypted, and there is no passphrase"
		    : "encrypted, and not with this passphrase";
	return pkey;
}

static int
find_algorithm(struct signkey *key, unsigned min_rsa_bits, const char **why)
{
	switch (EVP_PKEY_get_base_id(key->pkey)) {
	case EVP_PKEY_ED25519:
		key->algorithm = SIGNKEY_ED25519;
		return 0;
	case EVP_PKEY_RSA:
		key->algorithm = SIGNKEY_RSA;
		*why = "RSA key too short";
		if (signkey_bits(key) < min_rsa_bits)
			return -1;
		*why = "RSA key longer than 4096 bits";
		return signkey_bits(key) <= SIGNKEY_RSA_BITS_MAX ? 0 : -1;
	default:
		*why = "neither an RSA nor an Ed25519 key";
		return -1;
	}
}

static char *
base64(const unsigned char *bytes, size_t len)
{
	char *text = xmalloc(len * 4 / 3 + 4);

	EVP_EncodeBlock((unsigned char *)text, bytes, (int)len);
	return text;
}

/* The public half as p= has it; NULL: there is none */
static char *
public_text(const struct signkey *key)
{
	unsigned char raw[ED25519_BYTES], *der = NULL;
	size_t size = sizeof(raw);
	char *text;
	int len;

	if (key->algorithm == SIGNKEY_ED25519)
		return EVP_PKEY_get_raw_public_key(key->pkey, raw,
		    &size) == 1 ? base64(raw, size) : NULL;
	if ((len = i2d_PUBKEY(key->pkey, &der)) <= 0)
		return NULL;
	text = base64(der, (size_t)len);
	OPENSSL_free(der);
	return text;
}

static int
make_record(struct signkey *key, const char **why)
{
	char *public = public_text(key);

	*why = "a key without a public half";
	if (public == NULL)
		return -1;
	key->record = xasprintf("v=DKIM1; k=%s; p=%s",
	    signkey_words[key->algorithm], public);
	key->public = strstr(key->record, "p=") + 2;
	free(public);
	return 0;
}

/* Takes over pkey */
static struct signkey *
key_of(EVP_PKEY *pkey)
{
	struct signkey *key = xcalloc(1, sizeof(*key));

	atomic_init(&key->holds, 1);
	key->pkey = pkey;
	return key;
}

struct signkey *
signkey_new(const char *pem, size_t len, const char *passphrase,
    unsigned min_rsa_bits, const char *public_key, const char **why)
{
	EVP_PKEY *pkey = read_pem(pem, len, passphrase, why);
	struct signkey *key;

	if (pkey == NULL)
		return NULL;
	key = key_of(pkey);
	if (find_algorithm(key, min_rsa_bits, why) == -1 ||
	    make_record(key, why) == -1)
		goto fail;
	*why = "not the private half of posternDkimPublicKey";
	if (public_key != NULL && strcmp(public_key, key->public) != 0)
		goto fail;
	return key;
fail:
	signkey_release(key);
	return NULL;
}

struct signkey *
signkey_generate(enum signkey_algorithm algorithm, unsigned bits,
    const char **why)
{
	EVP_PKEY *pkey = algorithm == SIGNKEY_ED25519
	    ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
	    : EVP_RSA_gen(bits);
	struct signkey *key;

	*why = "libcrypto cannot make such a key";
	ERR_clear_error();
	if (pkey == NULL)
		return NULL;
	key = key_of(pkey);
	if (find_algorithm(key, 0, why) == 0 && make_record(key, why) == 0)
		return key;
	signkey_release(key);
	return NULL;
}

struct signkey *
signkey_hold(struct signkey *key)
{
	atomic_fetch_add_explicit(&key->holds, 1, memory_order_relaxed);
	return key;
}

void
signkey_release(struct signkey *key)
{
	if (key == NULL || atomic_fetch_sub(&key->holds, 1) != 1)
		return;
	EVP_PKEY_free(key->pkey);	/* wipes the private half */
	free(key->record);
	free(key);
}

enum signkey_algorithm
signkey_algorithm(const struct signkey *key)
{
	return key->algorithm;
}

unsigned
signkey_bits(const struct signkey *key)
{
	return (unsigned)EVP_PKEY_get_bits(key->pkey);
}

const char *
signkey_public(const struct signkey *key)
{
	return key->public;
}

const char *
signkey_record(const struct signkey *key)
{
	return key->record;
}

char *
signkey_pem(const struct signkey *key, const char *passphrase)
{
	const EVP_CIPHER *cipher = passphrase != NULL ? EVP_aes_256_cbc()
	    : NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes, *text;
	long len;

	if (bio == NULL || PEM_write_bio_PKCS8PrivateKey(bio, key->pkey,
	    cipher, passphrase, passphrase != NULL
	    ? (int)strlen(passphrase) : 0, NULL, NULL) != 1)
		fatal("out of memory: libcrypto");
	len = BIO_get_mem_data(bio, &bytes);
	text = xstrndup(bytes, (size_t)len);
	OPENSSL_cleanse(bytes, (size_t)len);
	BIO_free(bio);
	return text;
}

static int
sign_rsa(const struct signkey *key, const uint8_t *hash, uint8_t *signature,
    size_t *len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key->pkey, NULL);
	int rc = -1;

	if (ctx != NULL && EVP_PKEY_sign_init(ctx) == 1 &&
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
	    EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
	    EVP_PKEY_sign(ctx, signature, len, hash, SIGNKEY_HASH_BYTES) == 1)
		rc = 0;
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

static int
sign_ed25519(const struct signkey *key, const uint8_t *hash,
    uint8_t *signature, size_t *len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int rc = -1;

	if (ctx != NULL &&
	    EVP_DigestSignInit(ctx, NULL, NULL, NULL, key->pkey) == 1 &&
	    EVP_DigestSign(ctx, signature, len, hash, SIGNKEY_HASH_BYTES) == 1)
		rc = 0;
	EVP_MD_CTX_free(ctx);
	return rc;
}

int
signkey_sign(const struct signkey *key, const uint8_t hash[SIGNKEY_HASH_BYTES],
    uint8_t signature[SIGNKEY_SIGNATURE_MAX], size_t *len)
{
	static int (*const signers[])(const struct signkey *, const uint8_t *,
	    uint8_t *, size_t *) = {
		[SIGNKEY_ED25519] = sign_ed25519,
		[SIGNKEY_RSA] = sign_rsa,
	};
	int rc;

	*len = SIGNKEY_SIGNATURE_MAX;
	rc = signers[key->algorithm](key, hash, signature, len);
	if (rc == -1)
		ERR_clear_error();
	return rc;
}
