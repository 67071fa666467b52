/* SPDX-License-Identifier: ISC */
/* t/unit/sign.c - the published signatures of RFC 6376 and RFC 8463, and our
 * own field: what it covers, how it is folded, that libopendkim agrees. */
#include "dkimsign/sign.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>

#include "dkimsign/verify.h"
#include "t/unit/rfc_keys.h"
#include "t/unit/tap.h"

static struct arena *arena;
static struct verifier *verifier;

static struct signkey *
key_of(const char *pem)
{
	const char *why;

	return signkey_new(pem, strlen(pem), NULL, 1024, NULL, &why);
}

/* -- published signatures: key, hash and canonical form, in one number */

#define JOE "From: Joe SixPack <joe@football.example.com>\r\n" \
    "To: Suzie Q <suzie@shopping.example.net>\r\n" \
    "Subject: Is dinner ready?\r\n" \
    "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n" \
    "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"

/* header: the fields in the order of h=, then the signature up to its b= */
static const struct {
	const char *name, *pem, *header, *rest, *body;
	enum canon canon;
	const char *bh, *b;
} published[] = {
	{ "RFC 6376 A.2", RFC6376_PEM,	/* with errata 3192 and 4926 */
	    "Received: from client1.football.example.com  [192.0.2.1]\r\n"
	    "      by submitserver.example.com with SUBMISSION;\r\n"
	    "      Fri, 11 Jul 2003 21:01:54 -0700 (PDT)\r\n" JOE
	    "DKIM-Signature: v=1; a=rsa-sha256; s=brisbane; d=example.com;\r\n"
	    "      c=simple/simple; q=dns/txt; i=joe@football.example.com;\r\n"
	    "      h=Received : From : To : Subject : Date : Message-ID;\r\n"
	    "      bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
	    "      b=", ";",
	    "Hi.\r\n\r\nWe lost the game. Are you hungry yet?\r\n\r\nJoe.\r\n",
	    CANON_SIMPLE, "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=",
	    "AuUoFEfDxTDkHlLXSZEpZj79LICEps6eda7W3deTVFOk4yAUoqOB"
	    "4nujc7YopdG5dWLSdNg6xNAZpOPr+kHxt1IrE+NahM6L/LbvaHut"
	    "KVdkLLkpVaVVQPzeRDI009SO2Il5Lu7rDNH6mZckBdrIx0orEtZV"
	    "4bmp/YzhwvcubU4=" },
	{ "RFC 8463 A.3, Ed25519", RFC8463_ED25519_PEM, JOE
	    "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
	    " d=football.example.com; i=@football.example.com;\r\n"
	    " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
	    " subject : date : message-id : from : subject : date;\r\n"
	    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
	    " b=", "", "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n"
	    "\r\nJoe.\r\n\r\n",
	    CANON_RELAXED, "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=",
	    "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus"
	    "Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==" },
	{ "RFC 8463 A.3, RSA", RFC8463_RSA_PEM, JOE
	    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
	    " d=football.example.com; i=@football.example.com;\r\n"
	    " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"
	    " date : message-id : from : subject : date;\r\n"
	    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
	    " b=", "", "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n"
	    "\r\nJoe.\r\n\r\n",
	    CANON_RELAXED, "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=",
	    "F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3"
	    "DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz"
	    "dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=" },
};

static const char *
base64(const uint8_t *bytes, size_t len)
{
	char *text = arena_alloc(arena, 2 * len + 4);

	EVP_EncodeBlock((unsigned char *)text, bytes, (int)len);
	return text;
}

static void
hash_body(enum canon canon, const char *text, uint8_t hash[CANON_HASH_BYTES])
{
	struct canon_body *body = canon_body_new();

	canon_body_begin(body, canon);
	canon_body_update(body, text, strlen(text));
	canon_body_end(body, hash);
	canon_body_free(body);
}

static void
test_published(void)
{
	uint8_t hash[32], signature[SIGNKEY_SIGNATURE_MAX];
	struct signkey *key;
	struct header header;
	char canonical[4096];
	size_t i, k, used, len;

	for (i = 0; i < sizeof(published) / sizeof(published[0]); i++) {
		hash_body(published[i].canon, published[i].body, hash);
		tap_is(base64(hash, 32), published[i].bh, published[i].name);
		header_parse(arena, published[i].header,
		    strlen(published[i].header), &header);
		for (k = used = 0; k < header.count; k++)
			used += canon_field(published[i].canon,
			    header.fields[k].text, header.fields[k].len,
			    canonical + used);
		used -= 2;
		memcpy(canonical + used, published[i].rest,
		    strlen(published[i].rest));
		used += strlen(published[i].rest);
		SHA256((unsigned char *)canonical, used, hash);
		key = key_of(published[i].pem);
		signkey_sign(key, hash, signature, &len);
		tap_is(base64(signature, len), published[i].b,
		    "and its signature");
		signkey_release(key);
	}
}

/* -- our own field */

static const char *const oversign[] = { "From", "To", "Subject" };
static const char *const headers[] = { "List-*", "Sender" };
static const struct sign_profile usual = {
	.header_canon = CANON_RELAXED, .body_canon = CANON_RELAXED,
	.oversign = oversign, .oversign_count = 3,
	.headers = headers, .header_count = 2,
};

/* h= of these headers */
static const struct {
	const char *name, *header, *want;	/* NULL: cannot be signed */
} lists[] = {
	{ "what is there, and once more", "From: a\r\nTo: b\r\nSubject: c\r\n",
	    "From:From:To:To:Subject:Subject" },
	{ "what is not there, once", "From: a\r\n", "From:From:To:Subject" },
	{ "each of two, and once more", "To: a\r\nFrom: a\r\nTo: b\r\n",
	    "From:From:To:To:To:Subject" },
	{ "as it is spelled there", "FROM: a\r\nto : b\r\n",
	    "FROM:From:to:To:Subject" },
	{ "others where they are there", "Sender: b\r\nFrom: a\r\n",
	    "From:From:To:Subject:Sender" },
	{ "all that begins so", "List-Id: a\r\nFrom: a\r\nLIST-Post: b\r\n"
	    "List: c\r\nX-List-Id: d\r\n",
	    "From:From:To:Subject:LIST-Post:List-Id" },
	{ "what h= cannot name is left out", "List-a;b: x\r\nFrom: a\r\n",
	    "From:From:To:Subject" },
	{ "a tab in the value", "From:\ta\r\n\tb\r\n",
	    "From:From:To:Subject" },
	{ "a vertical tab in a signed field", "From: a\vb\r\n", NULL },
	{ "a NUL, too", "Sender: \001\r\nFrom: a\r\n", NULL },
	{ "but not in any other", "X-Mailer: a\vb\r\nFrom: a\r\n",
	    "From:From:To:Subject" },
};

static const char *
list_of(const struct sign_message *message)
{
	static char text[8192];
	size_t i, used = 0;

	text[0] = '\0';
	for (i = 0; i < message->chosen_count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
		    "%s%.*s", i > 0 ? ":" : "",
		    (int)message->chosen[i].name_len, message->chosen[i].name);
	return text;
}

static void
test_lists(void)
{
	struct header header;
	struct sign_message message = { .profile = &usual,
		.header = &header };
	const char *why;
	size_t i;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		header_parse(arena, lists[i].header, strlen(lists[i].header),
		    &header);
		tap_is(sign_prepare(arena, &message, &why) == 0
		    ? list_of(&message) : NULL, lists[i].want, lists[i].name);
	}
}

/* So many instances of one field */
static const char *
many(const char *field, size_t count)
{
	size_t len = strlen(field), i;
	char *text = arena_alloc(arena, count * len + 20);

	for (i = 0; i < count; i++)
		memcpy(text + i * len, field, len);
	memcpy(text + count * len, "From: a@b\r\n", 12);
	return text;
}

static void
test_bounds(void)
{
	struct header header;
	struct sign_message message = { .profile = &usual,
		.header = &header };
	const char *text, *why;

	text = many("List-Id: x\r\n", 5000);
	header_parse(arena, text, strlen(text), &header);
	tap_ok(sign_prepare(arena, &message, &why) == 0 &&
	    strlen(list_of(&message)) < 3000,
	    "of 5,000 fields of a list some are signed");
	text = many("To: x\r\n", 5000);
	header_parse(arena, text, strlen(text), &header);
	tap_ok(sign_prepare(arena, &message, &why) == -1,
	    "5,000 To: are not, since all would have to be");
	text = many("To: x\r\n", 900);
	header_parse(arena, text, strlen(text), &header);
	tap_ok(sign_prepare(arena, &message, &why) == 0, "900 are");
}

/* Names in a configuration */
static const struct {
	const char *name, *oversign, *header, *why;
} profiles[] = {
	{ "From oversigned", "From", "Sender", NULL },
	{ "From signed only", "To", "from", NULL },
	{ "no From", "To", "Sender", "From must be signed" },
	{ "a prefix is not From", "To", "Fro*", "From must be signed" },
	{ "Received", "From", "received",
	    "a header field that must not be signed" },
	{ "another signature", "DKIM-Signature", "From",
	    "a header field that must not be signed" },
	{ "a star where it cannot be", "List-*", "From",
	    "not the name of a header field" },
	{ "a star alone", "From", "*", "not the name of a header field" },
	{ "nothing", "From", "", "not the name of a header field" },
	{ "a colon", "From:", "To", "not the name of a header field" },
	{ "a semicolon", "From", "X;Y", "not the name of a header field" },
};

static void
test_profiles(void)
{
	struct sign_profile profile = { .oversign_count = 1,
		.header_count = 1 };
	const char *why;
	size_t i;

	for (i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
		profile.oversign = &profiles[i].oversign;
		profile.headers = &profiles[i].header;
		tap_is(sign_profile_check(&profile, &why) == 0 ? NULL : why,
		    profiles[i].why, profiles[i].name);
	}
}

static struct signkey *signing_key;

static const char *
record(void *arg, const char *selector, const char *domain)
{
	(void)arg;
	(void)selector;
	(void)domain;
	return signkey_record(signing_key);
}

static const char body_text[] = "Hello  world \r\n\r\nbye";

static void
give_body(void *arg, void (*fn)(void *to, const char *bytes, size_t len),
    void *to)
{
	size_t i;

	(void)arg;
	for (i = 0; i < sizeof(body_text) - 1; i++)
		fn(to, body_text + i, 1);
}

static size_t
longest_line(const char *text)
{
	size_t longest = 0, len;

	for (; *text != '\0'; text += len + 2) {
		len = strcspn(text, "\r");
		if (len > longest)
			longest = len;
	}
	return longest;
}

/* Whether it is folded well, and verifies */
static const char *
sign_and_verify(const struct sign_profile *profile, const char *text,
    const char *domain, const char *selector)
{
	uint8_t hash[CANON_HASH_BYTES];
	struct header header, signatures;
	struct sign_message message = { .profile = profile,
		.header = &header, .body_hash = hash,
		.now_ms = INT64_C(1795170600999) };
	struct verify_message verify = { .header = &header,
		.signatures = &signatures, .body = give_body,
		.record = record };
	enum verify_outcome outcome;
	const char *field, *why;

	header_parse(arena, text, strlen(text), &header);
	hash_body(profile->body_canon, body_text, hash);
	sign_prepare(arena, &message, &why);
	field = sign_field(arena, &message, signing_key, domain, selector);
	header_parse(arena, field, strlen(field), &signatures);
	outcome = verify_message(verifier, &verify, &why);
	if (!tap_ok(outcome == VERIFY_GOOD, "libopendkim verifies it"))
		printf("# %s\n%s%s\n", why, field, text);
	return field;
}

#define LABEL63 \
    "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0"

static void
test_field(void)
{
	struct sign_profile profile = usual;
	size_t i;

	for (i = 0; i < 4; i++) {
		const char *field;

		profile.header_canon = (enum canon)(i & 1);
		profile.body_canon = (enum canon)(i >> 1);
		field = sign_and_verify(&profile, "From: a@b\r\n  b\r\n"
		    "List-Unsubscribe-Post:  List-Unsubscribe=One-Click \r\n"
		    "List-Unsubscribe: <https://b.example>\r\n"
		    "From : twice\r\n", "client1.example", "r20261120");
		tap_ok(longest_line(field) <= 78, "no line is longer than 78");
		tap_ok(strstr(field, " t=1795170600;") != NULL &&
		    strstr(field, " d=client1.example;") != NULL &&
		    strstr(field, "s=r20261120;") != NULL &&
		    strstr(field, " l=") == NULL &&
		    strstr(field, " x=") == NULL,
		    "t=, d=, s=, no l=, no x=");
		tap_ok(strstr(field, i & 1 ? " c=relaxed/" : " c=simple/") !=
		    NULL, "c=");
		field = sign_and_verify(&profile, many("Sender: x\r\n", 100),
		    LABEL63 "." LABEL63 "." LABEL63 ".example", LABEL63);
		tap_ok(longest_line(field) <= 8 + 3 * 64 + 7 + 3,
		    "but for a d= that is longer");
	}
	profile.expire_ms = 86400000;
	tap_ok(strstr(sign_and_verify(&profile, "From: a@b\r\n", "a.example",
	    "s"), "x=1795257000;") != NULL, "x= is so much later");
}

/* Every width at which a fold can come */
static void
test_folds(void)
{
	char domain[80];
	size_t len, bad = 0;

	for (len = 1; len < 64; len++) {
		memset(domain, 'd', len);
		memcpy(domain + len, ".e", 3);
		bad += longest_line(sign_and_verify(&usual, "From: a@b\r\n"
		    "List-A: a\r\nList-Bb: b\r\n", domain, "s")) > 78;
	}
	tap_int((int64_t)bad, 0, "whatever the length of d=");
}

int
main(void)
{
	const char *why;

	arena = arena_new(0);
	verifier = verifier_new(&why);
	test_published();
	test_lists();
	test_bounds();
	test_profiles();
	signing_key = signkey_generate(SIGNKEY_RSA, 2048, &why);
	test_field();
	test_folds();
	signkey_release(signing_key);
	signing_key = key_of(RFC8463_ED25519_PEM);
	test_field();
	signkey_release(signing_key);
	verifier_free(verifier);
	arena_free(arena);
	return tap_done();
}
