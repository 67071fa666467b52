/* SPDX-License-Identifier: ISC */
/* t/unit/sign_property.c - ten thousand random messages in every canonical
 * form, by one algorithm or both: libopendkim, which makes its own canonical
 * forms and hashes, says that each signature is good. */
#include <stdlib.h>

#include "dkimsign/sign.h"
#include "dkimsign/verify.h"
#include "t/unit/rfc_keys.h"
#include "t/unit/tap.h"

enum { MESSAGES = 10000, HEADER_MAX = 3000, BODY_MAX = 3000 };

static const char *const oversign[] = { "From", "To", "Subject", "Cc", "Date" };
static const char *const others[] = { "List-*", "References", "X-A" };
static const char *const names[] = { "To", "tO", "Subject", "SUBJECT", "Cc",
	"Date", "List-Id", "List-Post", "References", "X-A", "X-Other",
	"Received", "DKIM-Signature", "dkim-signature", "X;Y", "X-A-B" };

/* Pieces of values; folds among them */
static const char *const pieces[] = { " ", "  ", "\t", " \t ", "\r\n ",
	"\r\n\t", "\r\n  \t", "a", "word", "x=y;", ":", "\xc3\xbc", "\xff",
	"=?utf-8?q?a?=", "v=1; a=rsa-sha256", ";", "\"", "\r\n \r\n x" };
static const char *const body_pieces[] = { " ", "  ", "\t", "\r\n", "\r\n\r\n",
	" \r\n", "\t\r\n", "a", "word", ".", "\xc3\xbc", "\x80",
	"a long line of text with blanks in it and nothing special",
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" };
#define ANY(list) \
    ((list)[(size_t)random() % (sizeof(list) / sizeof((list)[0]))])

struct text {
	char bytes[HEADER_MAX + 400];
	size_t len;
};

static void
add(struct text *text, const char *piece)
{
	size_t len = strlen(piece);

	memcpy(text->bytes + text->len, piece, len);
	text->len += len;
}

static void
random_field(struct text *text, const char *name, const char *first)
{
	long count = random() % 9;

	add(text, name);
	add(text, random() % 10 == 0 ? " :" : ":");
	add(text, first);
	while (count-- > 0)
		add(text, ANY(pieces));
	add(text, "\r\n");
}

static void
random_header(struct text *text)
{
	long count = random() % 20, from = count > 0 ? random() % count : 0;

	text->len = 0;
	do {
		if (from-- == 0)
			random_field(text, "From", " Joe\r\n\t<joe@b.example>");
		else
			random_field(text, ANY(names), "");
	} while (--count > 0 && text->len < HEADER_MAX - 200);
}

static void
random_body(struct text *text)
{
	long count = random() % 40;

	for (text->len = 0; count > 0 && text->len < BODY_MAX - 200; count--)
		add(text, ANY(body_pieces));
}

static void
give(void *arg, void (*fn)(void *to, const char *bytes, size_t len), void *to)
{
	const struct text *body = arg;
	size_t half = body->len / 2;

	fn(to, body->bytes, half);
	fn(to, body->bytes + half, body->len - half);
}

static struct signkey *keys[SIGNKEY_ALGORITHMS];

static const char *
record(void *arg, const char *selector, const char *domain)
{
	(void)arg;
	(void)domain;
	return signkey_record(keys[*selector == 'e' ? SIGNKEY_ED25519
	    : SIGNKEY_RSA]);
}

static enum verify_outcome
check(struct arena *arena, struct canon_body *canon, struct verifier *verifier,
    const struct sign_profile *profile, const struct text *head,
    struct text *body, const char **why)
{
	uint8_t hash[CANON_HASH_BYTES];
	struct header header, signatures;
	struct sign_message message = { .profile = profile,
		.header = &header, .body_hash = hash, 
		.now_ms = INT64_C(1795170600000) };
	struct verify_message verify = { .header = &header,
		.signatures = &signatures, .body = give, .body_arg = body,
		.record = record };
	const char *fields, *rsa = "";

	header_parse(arena, head->bytes, head->len, &header);
	canon_body_begin(canon, profile->body_canon);
	canon_body_update(canon, body->bytes, body->len);
	canon_body_end(canon, hash);
	if (sign_prepare(arena, &message, why) != 0)
		return VERIFY_BAD;
	if (random() % 4 == 0)	/* it takes longer */
		rsa = sign_field(arena, &message, keys[SIGNKEY_RSA],
		    "b.example", "r");
	fields = arena_printf(arena, "%s%s", sign_field(arena, &message,
	    keys[SIGNKEY_ED25519], "b.example", "e"), rsa);
	header_parse(arena, fields, strlen(fields), &signatures);
	return verify_message(verifier, &verify, why);
}

int
main(void)
{
	const char *why = "";
	struct verifier *verifier = verifier_new(&why);
	struct canon_body *canon = canon_body_new();
	struct arena *arena = arena_new(16384);
	struct sign_profile profile = { .oversign = oversign,
		.oversign_count = 5, .headers = others, .header_count = 3 };
	static struct text header, body;
	size_t i, bad = 0;

	srandom(8463);
	keys[SIGNKEY_ED25519] = signkey_new(RFC8463_ED25519_PEM,
	    strlen(RFC8463_ED25519_PEM), NULL, 0, NULL, &why);
	keys[SIGNKEY_RSA] = signkey_new(RFC8463_RSA_PEM,
	    strlen(RFC8463_RSA_PEM), NULL, 0, NULL, &why);
	for (i = 0; i < MESSAGES; i++) {
		profile.header_canon = (enum canon)(i & 1);
		profile.body_canon = (enum canon)(i >> 1 & 1);
		random_header(&header);
		random_body(&body);
		if (check(arena, canon, verifier, &profile, &header, &body,
		    &why) != VERIFY_GOOD && bad++ < 3)
			printf("# %zu: %s\n%.*s\n%.*s\n---\n", i, why,
			    (int)header.len, header.bytes, (int)body.len,
			    body.bytes);
		arena_reset(arena);
	}
	tap_int((int64_t)bad, 0, "libopendkim says that all are good");
	body.bytes[0] ^= 1;
	random_header(&header);
	signkey_release(keys[SIGNKEY_ED25519]);
	keys[SIGNKEY_ED25519] = signkey_generate(SIGNKEY_ED25519, 0, &why);
	tap_ok(check(arena, canon, verifier, &profile, &header, &body, &why) ==
	    VERIFY_GOOD, "and with another key");
	signkey_release(keys[SIGNKEY_ED25519]);
	signkey_release(keys[SIGNKEY_RSA]);
	arena_free(arena);
	canon_body_free(canon);
	verifier_free(verifier);
	return tap_done();
}
