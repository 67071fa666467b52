/* SPDX-License-Identifier: ISC */
/* t/unit/signing.c - which messages are signed, by whom, and what happens to
 * the others: no tenant gets another one's signature. */
#include "dkimsign/signing.h"

#include <stdlib.h>

#include "common/loop.h"
#include "common/metrics.h"
#include "dkimsign/dkim_entry.h"
#include "t/unit/key_ldif.h"
#include "t/unit/ldif_text.h"
#include "t/unit/rfc_keys.h"
#include "t/unit/tap.h"

#define NOW INT64_C(1795170600000)
#define BODY "Hello\r\n"

static struct arena *arena;
static const char *const oversign[] = { "From", "To", "Subject" };
static const char *const others[] = { "List-*" };

static struct signer *
signer_of(enum signing_verify verify)
{
	const char *why;

	return signer_new(&(struct signer_settings){ .profile = {
	    .header_canon = CANON_RELAXED, .body_canon = CANON_RELAXED,
	    .oversign = oversign, .oversign_count = 3, .headers = others,
	    .header_count = 1 }, .verify = verify, .min_rsa_bits = 1024 },
	    &why);
}

static void
give_body(void *arg, void (*fn)(void *to, const char *bytes, size_t len),
    void *to)
{
	fn(to, arg, strlen(arg));
}

static uint8_t body_hash[CANON_HASH_BYTES];

static void
sign(struct signer *signer, const struct snapshot *s, const char *head,
    const char *sender, enum signing_origin origin, struct signing *out)
{
	static struct header header;

	header_parse(arena, head, strlen(head), &header);
	*out = (struct signing){ .arena = arena, .snapshot = s,
		.header = &header, .sender = sender, .origin = origin,
		.body_hash = body_hash, .body = give_body,
		.body_arg = (void *)(uintptr_t)BODY, .id = "test" };
	signer_sign(signer, out);
}

#define L ORIGIN_LOCAL
#define C ORIGIN_CLIENT
#define U ORIGIN_UNKNOWN

/* Tenants: a has two domains and two keys, b lives below a, off and must have
 * none, c has a bad one, d a bad one and must; idn is an A-label */
static const struct {
	const char *name, *from, *sender;
	enum signing_origin origin;
	const char *want;	/* "d=DOMAIN s=SELECTORS", or the reason */
} rows[] = {
	{ "a tenant's own mail", "x@a.example", "x@a.example", C,
	    "d=a.example s=e1,r1" },
	{ "by another mailbox", "x@a.example", "y@a.example", C,
	    "d=a.example s=e1,r1" },
	{ "by its other domain", "x@a.example", "y@alias.example", C,
	    "d=a.example s=e1,r1" },
	{ "for its other domain", "x@alias.example", "y@a.example", C,
	    "d=alias.example s=e1,r1" },
	{ "for a subdomain", "x@x.y.a.example", "y@a.example", C,
	    "d=a.example s=e1,r1" },
	{ "by a subdomain", "x@a.example", "y@bounce.a.example", C,
	    "d=a.example s=e1,r1" },
	{ "whatever the case", "x@A.Example", "y@BOUNCE.a.EXAMPLE", C,
	    "d=a.example s=e1,r1" },
	{ "by a quoted sender", "x@a.example", "\"y@b.example\"@a.example", C,
	    "d=a.example s=e1,r1" },
	{ "without XFORWARD", "x@a.example", "y@a.example", U,
	    "d=a.example s=e1,r1" },
	{ "for a U-label", "x@b\xc3\xbc" "cher.example",
	    "x@xn--bcher-kva.example", C, "d=xn--bcher-kva.example s=i1" },

	{ "another tenant's sender", "x@a.example", "y@c.example", C,
	    "foreign-sender" },
	{ "a tenant's that lives below", "x@a.example", "y@b.a.example", C,
	    "foreign-sender" },
	{ "one above it", "x@b.a.example", "y@a.example", C,
	    "off" },
	{ "nobody's sender", "x@a.example", "y@other.example", C,
	    "foreign-sender" },
	{ "a sender without a domain", "x@a.example", "root", C,
	    "foreign-sender" },
	{ "a sender whose domain ends so", "x@a.example", "y@xa.example", C,
	    "foreign-sender" },
	{ "a sender with the domain in its local part", "x@a.example",
	    "y@a.example@other.example", C, "foreign-sender" },
	{ "a sender with a domain that is none", "x@a.example",
	    "y@a.example..", C, "foreign-sender" },
	{ "a sender at an address", "x@a.example", "y@[192.0.2.1]", C,
	    "foreign-sender" },

	{ "no sender, made by Postfix", "x@a.example", "", L,
	    "d=a.example s=e1,r1" },
	{ "no sender, by a client", "x@a.example", "", C, "null-sender" },
	{ "no sender, by a client that is MAILER-DAEMON",
	    "MAILER-DAEMON@a.example", "", C, "null-sender" },
	{ "no sender, nobody says by whom", "x@a.example", "", U,
	    "null-sender" },
	{ "no sender, nobody says, MAILER-DAEMON", "MAILER-DAEMON@a.example",
	    "", U, "d=a.example s=e1,r1" },
	{ "no sender, nobody says, postmaster",
	    "Postmaster <postmaster@a.example>", "", U, "d=a.example s=e1,r1" },
	{ "no sender, nobody says, postmaster and one more",
	    "postmaster@a.example, x@a.example", "", U, "null-sender" },
	{ "no sender, nobody says, nearly postmaster",
	    "postmaster2@a.example", "", U, "null-sender" },

	{ "nobody's domain", "x@other.example", "x@a.example", C, "not-ours" },
	{ "a domain above ours", "x@example", "x@a.example", C, "not-ours" },
	{ "no author", "undisclosed:;", "x@a.example", C, "no-author" },
	{ "two authors of two domains of one tenant",
	    "x@a.example, x@alias.example", "x@a.example", C,
	    "several-authors" },
	{ "two authors of one", "x@a.example, y@a.example", "x@a.example", C,
	    "d=a.example s=e1,r1" },
	{ "an author who is not clear", "x@c.example <x@a.example>",
	    "x@a.example", C, "unclear-author" },
	{ "signing is off", "x@b.a.example", "x@b.a.example", C, "off" },
	{ "no key", "x@e.example", "x@e.example", C, "no-key" },
	{ "no key, and required", "x@f.example", "x@f.example", C,
	    "no-key deferred" },
	{ "a bad key", "x@c.example", "x@c.example", C, "bad-key" },
	{ "a bad key, and required", "x@d.example", "x@d.example", C,
	    "bad-key deferred" },
	{ "required does not concern who is not clear", "@ <x@d.example>",
	    "x@d.example", C, "unclear-author" },
};

static struct snapshot *
make_snapshot(void)
{
	return snapshot_of(arena_printf(arena, "%s%s%s%s%s%s%s%s%s",
	    TENANT("a", "a.example") "associatedDomain: alias.example\n",
	    key_ldif(arena, "a", "r", "r1", RFC6376_PEM, ""),
	    key_ldif(arena, "a", "e", "e1", RFC8463_ED25519_PEM, ""),
	    "\n" TENANT("b", "b.a.example") "posternDkimSigning: off\n",
	    key_ldif(arena, "b", "r", "b1", RFC8463_RSA_PEM, ""),
	    "\n" TENANT("i", "xn--bcher-kva.example"),
	    key_ldif(arena, "i", "r", "i1", RFC8463_RSA_PEM, ""),
	    "\n" TENANT("e", "e.example")
	    "\n" TENANT("f", "f.example") "posternDkimSigning: required\n"
	    "\n" TENANT("d", "d.example") "posternDkimSigning: required\n",
	    arena_printf(arena, "%s\n" TENANT("c", "c.example") "%s",
	    key_ldif(arena, "d", "r", "d1", "garbage", ""),
	    key_ldif(arena, "c", "r", "c1", "garbage", ""))), NULL,
	    dkim_entry_parse);
}

static const char *
shown(const struct signing *signing)
{
	static const char *const outcomes[] = { "", "", " deferred" };

	if (signing->outcome == SIGNING_SIGNED)
		return arena_printf(arena, "d=%s s=%s", signing->domain,
		    signing->selectors);
	return arena_printf(arena, "%s%s", signing->reason,
	    outcomes[signing->outcome]);
}

static void
test_rows(const struct snapshot *s)
{
	struct signer *signer = signer_of(SIGNING_VERIFY_ALL);
	struct signing signing;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sign(signer, s, arena_printf(arena, "Subject: x\r\n"
		    "From: %s\r\n", rows[i].from), rows[i].sender,
		    rows[i].origin, &signing);
		tap_is(shown(&signing), rows[i].want, rows[i].name);
		if ((signing.outcome == SIGNING_SIGNED) !=
		    (signing.fields_len > 0))
			tap_ok(false, "what is signed has a signature");
	}
	signer_free(signer);
}

/* Headers that a verifier might not like */
static const struct {
	const char *name, *header, *want;
} headers[] = {
	{ "somebody else's signature", "DKIM-Signature: v=1; a=x; b\r\n"
	    "From: x@a.example\r\n", "d=a.example s=e1,r1" },
	{ "a name with a semicolon", "X;Y: z\r\nFrom: x@a.example\r\n",
	    "d=a.example s=e1,r1" },
	{ "an empty field", "X:\r\nFrom: x@a.example\r\n",
	    "d=a.example s=e1,r1" },
	{ "a field that is very long", NULL, "d=a.example s=e1,r1" },
	{ "a line that is no field", "From x Mon\r\nFrom: x@a.example\r\n",
	    "malformed-header" },
	{ "a form feed where it is signed",
	    "Subject: a\fb\r\nFrom: x@a.example\r\n", "malformed-header" },
	{ "a form feed elsewhere", "X: a\fb\r\nFrom: x@a.example\r\n",
	    "d=a.example s=e1,r1" },
	{ "a group", "From: A: x@a.example, y@a.example;\r\n",
	    "d=a.example s=e1,r1" },
	{ "comments", "From: (a (b)) x@a.example (c)\r\n",
	    "d=a.example s=e1,r1" },
	{ "a quoted local part", "From: \"a b\"@a.example\r\n",
	    "d=a.example s=e1,r1" },
	{ "empty authors", "From: ,,x@a.example,,\r\n",
	    "d=a.example s=e1,r1" },
	{ "two From:", "From: x@a.example\r\nFrom: x@a.example\r\n",
	    "unclear-author" },
	{ "nothing", "", "no-author" },
};

static void
test_headers(const struct snapshot *s)
{
	struct signer *signer = signer_of(SIGNING_VERIFY_ALL);
	struct signing signing;
	char *text;
	size_t i;

	text = arena_alloc(arena, 200100);
	memset(text, 'x', 200000);
	memcpy(text, "Subject:", 8);
	strcpy(text + 200000, "\r\nFrom: x@a.example\r\n");
	for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		sign(signer, s, headers[i].header != NULL ? headers[i].header
		    : text, "x@a.example", ORIGIN_CLIENT, &signing);
		tap_is(shown(&signing), headers[i].want, headers[i].name);
	}
	signer_free(signer);
}

/* The body changed between hash and verification: what a fault of ours would
 * look like */
static void
test_bad_signature(const struct snapshot *s, enum signing_verify verify,
    const char *first, const char *second, const char *name)
{
	struct signer *signer = signer_of(verify);
	struct signing signing;

	body_hash[0] ^= 1;
	sign(signer, s, "From: x@a.example\r\n", "x@a.example", ORIGIN_CLIENT,
	    &signing);
	body_hash[0] ^= 1;
	tap_is(shown(&signing), first, name);
	tap_ok((signing.fields_len > 0) ==
	    (signing.outcome == SIGNING_SIGNED), "is not sent");
	sign(signer, s, "From: x@a.example\r\n", "x@a.example", ORIGIN_CLIENT,
	    &signing);
	tap_is(shown(&signing), second, "and the next message");
	signer_free(signer);
}

static void
test_settings(void)
{
	const char *why;

	tap_ok(signer_new(&(struct signer_settings){ .verify = 0 }, &why) ==
	    NULL, "a profile without From: is refused");
	tap_is(why, "From must be signed", "and says why");
	signer_free(NULL);
}

int
main(void)
{
	struct canon_body *body = canon_body_new();
	struct snapshot *s;
	struct signer *signer;
	struct signing signing;

	tap_log();
	loop_now_set(NOW);
	arena = arena_new(0);
	canon_body_begin(body, CANON_RELAXED);
	canon_body_update(body, BODY, strlen(BODY));
	canon_body_end(body, body_hash);
	canon_body_free(body);
	s = make_snapshot();
	test_settings();
	test_rows(s);
	test_headers(s);
	test_bad_signature(s, SIGNING_VERIFY_ALL, "not-verified deferred",
	    "bad-key", "a signature that does not verify");
	test_bad_signature(s, SIGNING_VERIFY_SAMPLE, "not-verified deferred",
	    "bad-key", "the first of a sample that does not");
	test_bad_signature(s, SIGNING_VERIFY_NONE, "d=a.example s=e1,r1",
	    "d=a.example s=e1,r1", "where nobody looks, one that does not");
	signer = signer_of(SIGNING_VERIFY_SAMPLE);
	sign(signer, NULL, "From: x@a.example\r\n", "x@a.example",
	    ORIGIN_CLIENT, &signing);
	tap_is(shown(&signing), "no-directory deferred",
	    "without a directory nothing goes");
	signer_free(signer);
	tap_ok(strstr(metrics_text(arena), "postern_dkimsign_signing_total"
	    "{reason=\"foreign-sender\"} 8\n") != NULL,
	    "reasons are counted");
	snapshot_release(s);
	arena_free(arena);
	return tap_done();
}
