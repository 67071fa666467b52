/* SPDX-License-Identifier: ISC */
/* pubkey.c - p= of a record: which kind of key, or why it is none. */
#include "dkimsign/pubkey.h"

#include <stdlib.h>
#include <string.h>

#include "t/unit/tap.h"

/* RFC 8463 A.2, and RFC 6376 appendix C: 1024 bits */
#define ED25519 "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define RSA_1024 "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJ" \
	"W3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7" \
	"od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaN" \
	"BcWToIMmPSPDdQPNUYckcQ2QIDAQAB"
/* SubjectPublicKeyInfo of an Ed25519 key, which RFC 8463 does not use */
#define ED25519_INFO "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPc" \
	"HURo="

static const struct {
	const char *name, *text;
	const char *why;	/* NULL: it is a key */
	enum signkey_algorithm algorithm;
	unsigned bits;
} rows[] = {
	{ "32 bytes are an Ed25519 key", ED25519, NULL, SIGNKEY_ED25519, 256 },
	{ "SubjectPublicKeyInfo of RSA", RSA_1024, NULL, SIGNKEY_RSA, 1024 },
	{ "nothing is no key", "", "not base64", 0, 0 },
	{ "a text that is not base64", "abc!", "not base64", 0, 0 },
	{ "base64 that was cut", "abcde", "not base64", 0, 0 },
	{ "padding alone", "====", "not base64", 0, 0 },
	{ "31 bytes", "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHUQ==",
	    "neither an RSA nor an Ed25519 key", 0, 0 },
	{ "SubjectPublicKeyInfo of Ed25519", ED25519_INFO,
	    "neither an RSA nor an Ed25519 key", 0, 0 },
	{ "bytes behind the key", RSA_1024 "AAAA",
	    "neither an RSA nor an Ed25519 key", 0, 0 },
};

int
main(void)
{
	const char *why;
	struct pubkey key;
	size_t i;
	int rc;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		rc = pubkey_read(rows[i].text, &key, &why);
		if (rows[i].why == NULL)
			tap_ok(rc == 0 && key.algorithm == rows[i].algorithm &&
			    key.bits == rows[i].bits, rows[i].name);
		else
			tap_ok(rc == -1 && strcmp(why, rows[i].why) == 0,
			    rows[i].name);
	}
	return tap_done();
}
