/* SPDX-License-Identifier: ISC */
/* t/unit/author.c - whom From: names, and what is not clear about it. */
#include "dkimsign/author.h"

#include <stdlib.h>

#include "t/unit/tap.h"

#define FOUND AUTHOR_FOUND
#define NONE AUTHOR_NONE
#define SEVERAL AUTHOR_SEVERAL
#define UNCLEAR AUTHOR_UNCLEAR

/* from: the value of From:; local and domain where it is FOUND */
static const struct {
	const char *name, *from;
	enum author_outcome outcome;
	const char *local, *domain;
} rows[] = {
	/* what people and programs write */
	{ "an address alone", "a@b.example", FOUND, "a", "b.example" },
	{ "in angle brackets", "<a@b.example>", FOUND, "a", "b.example" },
	{ "with a name", "John Doe <a@b.example>", FOUND, "a", "b.example" },
	{ "with a quoted name", "\"Doe, John\" <a@b.example>", FOUND, "a",
	    "b.example" },
	{ "with dots in the name", "John Q. Public <a@b.example>", FOUND, "a",
	    "b.example" },
	{ "with an apostrophe and a dash", "O'Neil - x <a@b.example>", FOUND,
	    "a", "b.example" },
	{ "with a UTF-8 name", "J\xc3\xb6rg <a@b.example>", FOUND, "a",
	    "b.example" },
	{ "with an encoded word", "=?utf-8?q?J=C3=B6rg?= <a@b.example>",
	    FOUND, "a", "b.example" },
	{ "with encoded words over two lines", "=?utf-8?b?SsO2cmc=?=\r\n"
	    " =?utf-8?b?SsO2cmc=?= <a@b.example>", FOUND, "a", "b.example" },
	{ "with a name in ISO-2022-JP", "=?ISO-2022-JP?B?GyRCJTs8QEA8GyhC?= "
	    "<a@b.example>", FOUND, "a", "b.example" },
	{ "with an empty name", "\"\" <a@b.example>", FOUND, "a",
	    "b.example" },
	{ "with the address as the name", "\"a@b.example\" <a@b.example>",
	    FOUND, "a", "b.example" },
	{ "with another address as the name, which is only a name",
	    "\"'c@c.example' via List\" <a@b.example>", FOUND, "a",
	    "b.example" },
	{ "with a less-than sign in the name", "\"We <3 you\" <a@b.example>",
	    FOUND, "a", "b.example" },
	{ "with escaped quotes in the name", "\"a \\\"b\\\" c\" <a@b.example>",
	    FOUND, "a", "b.example" },
	{ "with a comment behind", "a@b.example (Cron Daemon)", FOUND, "a",
	    "b.example" },
	{ "with a comment before", "(Cron) a@b.example", FOUND, "a",
	    "b.example" },
	{ "with nested comments", "a@b.example (a (b) \\) (c (d)))", FOUND,
	    "a", "b.example" },
	{ "with comments in the name", "a (b) c (d) <a@b.example> (e)", FOUND,
	    "a", "b.example" },
	{ "folded wherever it may be", "\r\n John\r\n\tDoe\r\n <a@b.example>"
	    "\r\n ", FOUND, "a", "b.example" },
	{ "blanks inside angle brackets", "< a@b.example >", FOUND, "a",
	    "b.example" },
	{ "no blank before the angle bracket", "John<a@b.example>", FOUND, "a",
	    "b.example" },
	{ "case of the domain does not matter", "A@B.Example", FOUND, "A",
	    "b.example" },
	{ "a subdomain", "a@x.y.b.example", FOUND, "a", "x.y.b.example" },
	{ "every sign of RFC 5322's atoms", "!#$%&'*+-/?=^_`{|}~@b.example",
	    FOUND, "!#$%&'*+-/?=^_`{|}~", "b.example" },
	{ "a quoted local part", "\"a b\"@b.example", FOUND, "a b",
	    "b.example" },
	{ "a quoted local part that escapes", "<\"a\\ b\"@b.example>", FOUND,
	    "a b", "b.example" },
	{ "a domain literal", "a@[192.0.2.1]", FOUND, "a", "[192.0.2.1]" },

	/* RFC 6532 */
	{ "a U-label becomes an A-label", "a@b\xc3\xbc" "cher.example", FOUND,
	    "a", "xn--bcher-kva.example" },
	{ "an A-label stays", "a@XN--bcher-kva.example", FOUND, "a",
	    "xn--bcher-kva.example" },
	{ "a UTF-8 local part", "<j\xc3\xb6rg@b.example>", FOUND,
	    "j\xc3\xb6rg", "b.example" },
	{ "both forms of one domain are one", "a@b\xc3\xbc" "cher.example, "
	    "b@xn--bcher-kva.example", FOUND, "a", "xn--bcher-kva.example" },
	{ "wide letters are no ASCII", "a@\xef\xbd\x82.example", UNCLEAR,
	    NULL, NULL },
	{ "an ideographic full stop is no dot", "a@b\xe3\x80\x82" "example",
	    UNCLEAR, NULL, NULL },
	{ "an upper-case U-label is not what it stands for",
	    "a@B\xc3\x9c" "cher.example", UNCLEAR, NULL, NULL },
	{ "ASCII letters beside it may be", "a@B\xc3\xbc" "CHER.Example", FOUND,
	    "a", "xn--bcher-kva.example" },
	{ "a soft hyphen is no label's", "a@b\xc2\xad.example", UNCLEAR, NULL,
	    NULL },

	/* several, and none */
	{ "two of one domain", "a@b.example, c <c@B.example>", FOUND, "a",
	    "b.example" },
	{ "two of different domains", "a@b.example, a@c.example", SEVERAL,
	    NULL, NULL },
	{ "a subdomain is another domain", "a@b.example, a@x.b.example",
	    SEVERAL, NULL, NULL },
	{ "empty ones between do not count", ", a@b.example,, ,c@b.example,",
	    FOUND, "a", "b.example" },
	{ "a group (RFC 6854)", "Staff: a@b.example, c@b.example;", FOUND,
	    "a", "b.example" },
	{ "a group and one more", "Staff: a@b.example;, c@c.example", SEVERAL,
	    NULL, NULL },
	{ "a group with comments", "(x) Staff (y) : (z) a@b.example (v) ; (w)",
	    FOUND, "a", "b.example" },
	{ "an empty group", "undisclosed-recipients:;", NONE, NULL, NULL },
	{ "an empty field", "", NONE, NULL, NULL },
	{ "blanks", " \r\n ", NONE, NULL, NULL },
	{ "a comment alone", "(nobody)", NONE, NULL, NULL },
	{ "a comma alone", ",", NONE, NULL, NULL },
	{ "<> is nobody, but not clearly", "<>", UNCLEAR, NULL, NULL },

	/* no addresses */
	{ "no @", "root", UNCLEAR, NULL, NULL },
	{ "no @ in angle brackets", "<root>", UNCLEAR, NULL, NULL },
	{ "no local part", "@b.example", UNCLEAR, NULL, NULL },
	{ "no local part in angle brackets", "<@b.example>", UNCLEAR, NULL,
	    NULL },
	{ "an empty quoted local part", "\"\"@b.example", UNCLEAR, NULL,
	    NULL },
	{ "no domain", "a@", UNCLEAR, NULL, NULL },
	{ "no domain in angle brackets", "<a@>", UNCLEAR, NULL, NULL },
	{ "a dot at the end of the domain", "a@b.example.", UNCLEAR, NULL,
	    NULL },
	{ "a dot at the beginning of the domain", "a@.b.example", UNCLEAR,
	    NULL, NULL },
	{ "two dots in the domain", "a@b..example", UNCLEAR, NULL, NULL },
	{ "a dot at an end of the local part", "a.@b.example", UNCLEAR, NULL,
	    NULL },
	{ "a dot at its beginning", ".a@b.example", UNCLEAR, NULL, NULL },
	{ "two dots in it", "a..b@b.example", UNCLEAR, NULL, NULL },
	{ "a label too long", "a@"
	    "0123456789012345678901234567890123456789012345678901234567890123"
	    ".example", UNCLEAR, NULL, NULL },
	{ "two @", "a@b@c.example", UNCLEAR, NULL, NULL },
	{ "an angle bracket that is not closed", "<a@b.example", UNCLEAR,
	    NULL, NULL },
	{ "one that is not opened", "a@b.example>", UNCLEAR, NULL, NULL },
	{ "two angle brackets", "<<a@b.example>>", UNCLEAR, NULL, NULL },
	{ "a quote that is not closed", "\"a <a@b.example>", UNCLEAR, NULL,
	    NULL },
	{ "a quote that ends in a backslash", "\"a\\", UNCLEAR, NULL, NULL },
	{ "a comment that is not closed", "a@b.example (x", UNCLEAR, NULL,
	    NULL },
	{ "a comment that ends in a backslash", "a@b.example (x\\", UNCLEAR,
	    NULL, NULL },
	{ "a comment that closes too often", "a@b.example (x))", UNCLEAR, NULL,
	    NULL },
	{ "a group that is not closed", "Staff: a@b.example", UNCLEAR, NULL,
	    NULL },
	{ "a group without a name", ": a@b.example;", UNCLEAR, NULL, NULL },
	{ "a group in a group", "a: b: a@b.example;;", UNCLEAR, NULL, NULL },
	{ "a semicolon outside a group", "a@b.example;", UNCLEAR, NULL, NULL },
	{ "a URL", "http://b.example/", UNCLEAR, NULL, NULL },

	/* obsolete syntax (RFC 5322 4.4) that readers understand differently */
	{ "a source route", "<@evil.example:a@b.example>", UNCLEAR, NULL,
	    NULL },
	{ "blanks around the @", "a @ b.example", UNCLEAR, NULL, NULL },
	{ "blanks around dots", "a@b . example", UNCLEAR, NULL, NULL },
	{ "a comment before the @", "a(x)@b.example", UNCLEAR, NULL, NULL },
	{ "a comment behind the @", "a@(x)b.example", UNCLEAR, NULL, NULL },
	{ "a comment inside the domain", "a@b.example(x).evil.example",
	    UNCLEAR, NULL, NULL },
	{ "a comment inside angle brackets", "<a@b.example(x)>", UNCLEAR,
	    NULL, NULL },
	{ "a fold inside the domain", "a@b.example\r\n .evil.example", UNCLEAR,
	    NULL, NULL },
	{ "a local part of several words", "\"a\".b@b.example", UNCLEAR, NULL,
	    NULL },

	/* two authors in one field, for some readers */
	{ "an address as the unquoted name", "ceo@bank.example <a@b.example>",
	    UNCLEAR, NULL, NULL },
	{ "two angle addresses", "<ceo@bank.example> <a@b.example>", UNCLEAR,
	    NULL, NULL },
	{ "a name before an address without brackets", "John a@b.example",
	    UNCLEAR, NULL, NULL },
	{ "a quoted name before it", "\"John\" \"Doe\"@b.example", UNCLEAR,
	    NULL, NULL },
	{ "two addresses without a comma", "ceo@bank.example a@b.example",
	    UNCLEAR, NULL, NULL },
	{ "an address behind the address", "<a@b.example> ceo@bank.example",
	    UNCLEAR, NULL, NULL },
	{ "<...@...> in the quoted name", "\"x <ceo@bank.example>\" "
	    "<a@b.example>", UNCLEAR, NULL, NULL },
	{ "<...@...> over two words", "\"<ceo\" =?utf-8?q?=40bank=3E?= "
	    "<a@b.example>", UNCLEAR, NULL, NULL },
	{ "<...@...> in an encoded word", "=?utf-8?q?=3Cceo=40bank.example=3E?="
	    " <a@b.example>", UNCLEAR, NULL, NULL },
	{ "<...@...> in base64", "=?utf-8?b?PGNlb0BiYW5rLmV4YW1wbGU+?= "
	    "<a@b.example>", UNCLEAR, NULL, NULL },
	{ "an address in a comment", "(ceo@bank.example) a@b.example", UNCLEAR,
	    NULL, NULL },
	{ "an angle address in a comment", "a@b.example (<ceo@bank.example>)",
	    UNCLEAR, NULL, NULL },
	{ "an escaped one in a comment", "(ceo\\@bank.example) a@b.example",
	    UNCLEAR, NULL, NULL },
	{ "an encoded one in a comment",
	    "(=?utf-8?q?=3Cceo=40bank.example=3E?=) a@b.example", UNCLEAR,
	    NULL, NULL },
	{ "an @ in the local part", "\"ceo@bank.example\"@b.example", UNCLEAR,
	    NULL, NULL },
	{ "an escaped @ in it", "\"ceo\\@bank.example\"@b.example", UNCLEAR,
	    NULL, NULL },
	{ "angle brackets in it", "\"<ceo>\"@b.example", UNCLEAR, NULL, NULL },
	{ "a quote in it", "\"a\\\"b\"@b.example", UNCLEAR, NULL, NULL },
	{ "an encoded word as the local part",
	    "=?utf-8?q?ceo=40bank.example=00?=@b.example", UNCLEAR, NULL,
	    NULL },
	{ "an encoded word in angle brackets",
	    "<=?utf-8?b?Y2VvQGJhbmsuZXhhbXBsZQ==?=@b.example>", UNCLEAR, NULL,
	    NULL },
	{ "an encoded NUL in the name",
	    "=?utf-8?q?ceo=40bank.example=00?= <a@b.example>", UNCLEAR, NULL,
	    NULL },
	{ "an encoded line end in the name",
	    "=?iso-2022-jp?b?Y2VvQGJhbms+DQo=?= <a@b.example>", UNCLEAR, NULL,
	    NULL },
	{ "an encoded escape in the name", "=?utf-8?q?=1B[8m?= <a@b.example>",
	    UNCLEAR, NULL, NULL },

	/* bytes */
	{ "a control byte", "a\001 <a@b.example>", UNCLEAR, NULL, NULL },
	{ "a DEL", "a\177 <a@b.example>", UNCLEAR, NULL, NULL },
	{ "a bare line feed", "a@b.example\n", UNCLEAR, NULL, NULL },
	{ "a bare carriage return", "a@b.example\r,", UNCLEAR, NULL, NULL },
	{ "a vertical tab", "\va@b.example", UNCLEAR, NULL, NULL },
	{ "Latin-1", "J\xf6rg <a@b.example>", UNCLEAR, NULL, NULL },
	{ "an overlong form", "\xc0\xbc" "ceo <a@b.example>", UNCLEAR, NULL,
	    NULL },
	{ "a surrogate", "\xed\xa0\x80 <a@b.example>", UNCLEAR, NULL, NULL },
	{ "half a character", "a@b.example (\xe2\x82", UNCLEAR, NULL, NULL },
	{ "a C1 control", "\xc2\x9b <a@b.example>", UNCLEAR, NULL, NULL },
	{ "right-to-left override", "\xe2\x80\xae" "elpmaxe <a@b.example>",
	    UNCLEAR, NULL, NULL },
	{ "right-to-left isolate in the local part",
	    "\xe2\x81\xa7" "a@b.example", UNCLEAR, NULL, NULL },
	{ "a right-to-left mark is in many names", "\xe2\x80\x8f\xd7\x90 "
	    "<a@b.example>", FOUND, "a", "b.example" },
};

static struct arena *arena;

static enum author_outcome
author_of(const char *text, size_t len, struct author *author)
{
	struct header header;

	header_parse(arena, text, len, &header);
	return author_find(arena, &header, author);
}

/* Whole headers */
static const struct {
	const char *name, *header;
	enum author_outcome outcome;
} headers[] = {
	{ "no From: at all", "To: a@b.example\r\nSender: a@b.example\r\n",
	    NONE },
	{ "two From:", "From: a@b.example\r\nX: y\r\nFrom: a@b.example\r\n",
	    UNCLEAR },
	{ "two From:, one with a blank before the colon",
	    "From: a@b.example\r\nFROM : c@c.example\r\n", UNCLEAR },
	{ "Resent-From: is another field",
	    "From: a@b.example\r\nResent-From: c@c.example\r\n", FOUND },
};

static void
test_rows(void)
{
	struct author author;
	const char *text;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		text = arena_printf(arena, "To: x@y\r\nFrom:%s\r\nDate: z",
		    rows[i].from);
		if (!tap_ok(author_of(text, strlen(text), &author) ==
		    rows[i].outcome, rows[i].name))
			printf("# %s: %s@%s %s\n", rows[i].from, author.local,
			    author.domain, author.why);
		if (rows[i].outcome != FOUND)
			continue;
		tap_is(author.local, rows[i].local, "its local part");
		tap_is(author.domain, rows[i].domain, "its domain");
	}
}

int
main(void)
{
	struct author author;
	char *text;
	size_t i;

	arena = arena_new(0);
	test_rows();
	for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		tap_ok(author_of(headers[i].header, strlen(headers[i].header),
		    &author) == headers[i].outcome, headers[i].name);
	tap_ok(author_of("From: a\0@b.example", 18, &author) == UNCLEAR,
	    "a NUL byte");
	author_of("From: a@b.example, c@b.example", 30, &author);
	tap_int((int64_t)author.count, 2, "mailboxes are counted");
	text = arena_alloc(arena, 100000);
	memset(text, '(', 99999);
	memcpy(text, "From:", 5);
	tap_ok(author_of(text, 99999, &author) == UNCLEAR,
	    "100,000 comments in each other");
	tap_is(author.why, "a From: field too long", "are not even looked at");
	arena_free(arena);
	return tap_done();
}
