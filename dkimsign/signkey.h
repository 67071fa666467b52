/* SPDX-License-Identifier: ISC */
/* signkey.h - one private key, parsed once, used by many threads: held by
 * who uses it, freed (and wiped) by the last one. */
#ifndef DKIMSIGN_SIGNKEY_H
#define DKIMSIGN_SIGNKEY_H

#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"

/* In the order in which their signatures stand in a message */
enum signkey_algorithm { SIGNKEY_ED25519, SIGNKEY_RSA, SIGNKEY_ALGORITHMS };

/* "ed25519", "rsa": as k= has them; a= is the same with "-sha256" */
extern const char *const signkey_words[];

#define SIGNKEY_HASH_BYTES 32
#define SIGNKEY_RSA_BITS_MAX 4096	/* RFC 8301 3.2 */
#define SIGNKEY_SIGNATURE_MAX (SIGNKEY_RSA_BITS_MAX / 8)

struct signkey;

/* pem: PKCS#8, encrypted PKCS#8 (with passphrase, which may be NULL), or
 * traditional RSA; nothing else, and no bytes behind it but blanks. RSA has at
 * least min_rsa_bits. public_key: base64 as p= has it, which must be this
 * key's; NULL where nobody says. A new key, held once; NULL and *why (static).
 * Wipes what it makes of pem; pem itself is the caller's. Any thread. */
struct signkey *signkey_new(const char *pem, size_t len,
    const char *passphrase, unsigned min_rsa_bits, const char *public_key,
    const char **why);
/* A fresh one: bits for RSA only. NULL and *why. */
struct signkey *signkey_generate(enum signkey_algorithm algorithm,
    unsigned bits, const char **why);
struct signkey *signkey_hold(struct signkey *key);
void signkey_release(struct signkey *key);	/* any thread; NULL is fine */

enum signkey_algorithm signkey_algorithm(const struct signkey *key);
unsigned signkey_bits(const struct signkey *key);
/* Base64 as p= has it: RFC 6376 3.6.1 (SubjectPublicKeyInfo) for RSA, RFC 8463
 * 4.2 (32 bytes) for Ed25519. The key's own. */
const char *signkey_public(const struct signkey *key);
/* "v=DKIM1; k=rsa; p=...": the TXT record. The key's own. */
const char *signkey_record(const struct signkey *key);
/* PKCS#8 PEM, encrypted (AES-256, scrypt or PBKDF2 as libcrypto's default has
 * it) where there is a passphrase. malloc'd: wipe with OPENSSL_cleanse(),
 * free(). */
char *signkey_pem(const struct signkey *key, const char *passphrase);

/* Sign the SHA-256 of the header: RSA by PKCS#1 1.5 (RFC 8017), Ed25519 over
 * these 32 bytes (RFC 8463 3). Any thread. 0; or -1: no memory. */
int signkey_sign(const struct signkey *key,
    const uint8_t hash[SIGNKEY_HASH_BYTES],
    uint8_t signature[SIGNKEY_SIGNATURE_MAX], size_t *len);

#endif
