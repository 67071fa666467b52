/* SPDX-License-Identifier: ISC */
/* t/unit/verify.c - what libopendkim says of good and of bad signatures, and of
 * what it cannot judge. */
#include "dkimsign/verify.h"

#include <pthread.h>
#include <stdlib.h>

#include "t/unit/rfc_keys.h"
#include "t/unit/tap.h"

/* RFC 8463 A.3 */
#define ED25519_FIELD \
    "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n" \
    " d=football.example.com; i=@football.example.com;\r\n" \
    " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n" \
    " subject : date : message-id : from : subject : date;\r\n" \
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n" \
    " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n" \
    " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n"
#define RSA_FIELD \
    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n" \
    " d=football.example.com; i=@football.example.com;\r\n" \
    " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n" \
    " date : message-id : from : subject : date;\r\n" \
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n" \
    " b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n" \
    " DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n" \
    " dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\n"
#define JOE "From: Joe SixPack <joe@football.example.com>\r\n" \
    "To: Suzie Q <suzie@shopping.example.net>\r\n"
#define REST "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n" \
    "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
#define DINNER "Subject: Is dinner ready?\r\n"
#define BODY "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe."
#define BOTH ED25519_FIELD RSA_FIELD

static const struct {
	const char *name, *signatures, *header, *body;
	enum verify_outcome want;
	const char *ed25519;	/* brisbane's p=; NULL: no record */
} rows[] = {
	{ "both signatures of RFC 8463", BOTH, JOE DINNER REST, BODY "\r\n\r\n",
	    VERIFY_GOOD, RFC8463_ED25519_PUBLIC },
	{ "one of them", RSA_FIELD, JOE DINNER REST, BODY "\r\n", VERIFY_GOOD,
	    NULL },
	{ "a body without its last line end", BOTH, JOE DINNER REST, BODY,
	    VERIFY_GOOD, RFC8463_ED25519_PUBLIC },
	{ "another body", BOTH, JOE DINNER REST, BODY "x\r\n", VERIFY_BAD,
	    RFC8463_ED25519_PUBLIC },
	{ "another subject", BOTH, JOE "Subject: Is it ready?\r\n" REST,
	    BODY "\r\n", VERIFY_BAD, RFC8463_ED25519_PUBLIC },
	{ "a second subject", BOTH, DINNER JOE DINNER REST, BODY "\r\n",
	    VERIFY_BAD, RFC8463_ED25519_PUBLIC },
	{ "an unsigned field more", BOTH, "X: y\r\n" JOE DINNER REST,
	    BODY "\r\n", VERIFY_GOOD, RFC8463_ED25519_PUBLIC },
	{ "another key", BOTH, JOE DINNER REST, BODY "\r\n", VERIFY_BAD,
	    "zRpVvYWmvzdgOR0XtVDjjRxIUJv1GGqDqbDjT3vzE4s=" },
	{ "no record for one of two", BOTH, JOE DINNER REST, BODY "\r\n",
	    VERIFY_BAD, NULL },
	{ "a signature that is cut off",
	    "DKIM-Signature: v=1; a=rsa-sha256\r\n", JOE DINNER REST,
	    BODY "\r\n", VERIFY_BAD, NULL },
	{ "somebody else's, malformed", RSA_FIELD, "DKIM-Signature: x\r\n"
	    "dkim-signature : ;;\r\n" JOE DINNER REST, BODY "\r\n",
	    VERIFY_GOOD, NULL },
	{ "a name with a semicolon", RSA_FIELD, "a;b: x\r\n" JOE DINNER REST,
	    BODY "\r\n", VERIFY_GOOD, NULL },
	{ "a line that is no field", RSA_FIELD, "From x\r\n" JOE DINNER REST,
	    BODY "\r\n", VERIFY_GOOD, NULL },
	{ "a From: that it cannot read", RSA_FIELD, "From: joe\r\n" REST,
	    BODY "\r\n", VERIFY_REFUSED, NULL },
};

static void
give(void *arg, void (*fn)(void *to, const char *bytes, size_t len), void *to)
{
	const char *text = arg;
	size_t len = strlen(text), half = len / 2;

	fn(to, text, half);
	fn(to, text + half, 0);
	fn(to, text + half, len - half);
}

static const char *
record(void *arg, const char *selector, const char *domain)
{
	static const char test[] = "v=DKIM1; k=rsa; p="
	    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3"
	    "idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACD"
	    "fzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLz"
	    "BfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB";

	if (strcmp(domain, "football.example.com") != 0)
		return NULL;
	return strcmp(selector, "test") == 0 ? test : arg;
}

static enum verify_outcome
outcome_of(struct verifier *verifier, size_t row, const char **why)
{
	struct arena *arena = arena_new(0);
	struct header header, signatures;
	struct verify_message message = { .header = &header,
		.signatures = &signatures, .body = give,
		.body_arg = (void *)(uintptr_t)rows[row].body,
		.record = record };
	enum verify_outcome outcome;

	if (rows[row].ed25519 != NULL)
		message.record_arg = arena_printf(arena,
		    "v=DKIM1; k=ed25519; p=%s", rows[row].ed25519);
	header_parse(arena, rows[row].header, strlen(rows[row].header),
	    &header);
	header_parse(arena, rows[row].signatures,
	    strlen(rows[row].signatures), &signatures);
	outcome = verify_message(verifier, &message, why);
	arena_free(arena);
	return outcome;
}

static void *
verify_often(void *verifier)
{
	size_t i, wrong = 0;
	const char *why;

	for (i = 0; i < 200; i++)
		wrong += outcome_of(verifier, i % 7, &why) != rows[i % 7].want;
	return (void *)wrong;
}

static void
test_key(struct verifier *verifier, const char *pem, const char *name)
{
	const char *why;
	struct signkey *key = signkey_new(pem, strlen(pem), NULL, 1024, NULL,
	    &why);

	tap_ok(verify_key(verifier, key, &why) == VERIFY_GOOD, name);
	signkey_release(key);
}

int
main(void)
{
	const char *why;
	struct verifier *verifier = verifier_new(&why);
	enum verify_outcome outcome;
	pthread_t threads[4];
	struct signkey *key;
	size_t i, wrong = 0;
	void *result;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		outcome = outcome_of(verifier, i, &why);
		if (!tap_ok(outcome == rows[i].want, rows[i].name) ||
		    outcome != VERIFY_GOOD)
			printf("# %d %s\n", outcome, why);
	}
	test_key(verifier, RFC6376_PEM, "an RSA key signs");
	test_key(verifier, RFC8463_ED25519_PEM, "an Ed25519 key signs");
	key = signkey_generate(SIGNKEY_RSA, SIGNKEY_RSA_BITS_MAX, &why);
	tap_ok(verify_key(verifier, key, &why) == VERIFY_GOOD,
	    "the longest RSA key signs");
	signkey_release(key);
	for (i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, verify_often, verifier);
	for (i = 0; i < 4; i++) {
		pthread_join(threads[i], &result);
		wrong += (size_t)result;
	}
	tap_int((int64_t)wrong, 0, "four threads are told the same");
	verifier_free(verifier);
	verifier_free(NULL);
	return tap_done();
}
