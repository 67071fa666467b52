/* SPDX-License-Identifier: ISC */
/* address.c - do two writings of one address come out as the same? */
#include "common/address.h"

#include "t/unit/tap.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

#define OCTETS_63 \
	"a23456789-123456789-123456789-123456789-123456789-123456789-123"
#define OCTETS_253 \
	OCTETS_63 "." OCTETS_63 "." OCTETS_63 "." \
	"a23456789-123456789-123456789-123456789-123456789-123456789-1"

#define SIX_LABELS "bü.bü.bü.bü.bü.bü."

struct domain_row {
	const char *name;
	const char *text;
	const char *want;	/* NULL: refused */
};

static const struct domain_row domains[] = {
	{ "a domain is in lower case", "Client1.EXAMPLE", "client1.example" },
	{ "a name of one label is a domain", "localhost", "localhost" },
	{ "a trailing dot is dropped", "a.example.", "a.example" },
	{ "two trailing dots are refused", "a.example..", NULL },
	{ "nothing is no domain", "", NULL },
	{ "the root is no domain", ".", NULL },
	{ "an empty first label is refused", ".a.example", NULL },
	{ "an empty label is refused", "a..example", NULL },
	{ "underscores are let through", "_a.b_c.example", "_a.b_c.example" },
	{ "a label of digits is a label", "1.2.3", "1.2.3" },
	{ "a hyphen before a label is refused", "a.-b.example", NULL },
	{ "a hyphen after a label is refused", "a.b-.example", NULL },
	{ "a hyphen at the end is refused", "a.b-", NULL },
	{ "hyphens inside are fine", "r3---sn.example", "r3---sn.example" },
	{ "a label of 63 octets is a label", OCTETS_63 ".x", OCTETS_63 ".x" },
	{ "a label of 64 octets is refused", OCTETS_63 "4.x", NULL },
	{ "a last label of 64 octets is refused", "x." OCTETS_63 "4", NULL },
	{ "a name of 253 octets is a name", OCTETS_253, OCTETS_253 },
	{ "the root's dot is not counted", OCTETS_253 ".", OCTETS_253 },
	{ "a name of 254 octets is refused", OCTETS_253 "2", NULL },
	{ "a blank is refused", "a b.example", NULL },
	{ "a control character is refused", "a\tb.example", NULL },
	{ "a quote is refused", "a\"b.example", NULL },
	{ "a wildcard is refused", "*.example", NULL },
	{ "an address literal is no domain name", "[192.0.2.1]", NULL },

	{ "a U-label becomes an A-label", "bücher.example",
	    "xn--bcher-kva.example" },
	{ "an upper-case U-label is the same", "BÜCHER.Example",
	    "xn--bcher-kva.example" },
	{ "an upper-case A-label is the same", "XN--BCHER-KVA.EXAMPLE",
	    "xn--bcher-kva.example" },
	{ "a decomposed U-label is the same", "bu\xcc\x88" "cher.example",
	    "xn--bcher-kva.example" },
	{ "a fullwidth name is its ASCII", "\xef\xbd\x81.example",
	    "a.example" },
	{ "a sharp s is a letter of its own", "straße.example",
	    "xn--strae-oqa.example" },
	{ "a final sigma is a letter of its own", "βόλος.example",
	    "xn--nxasmm1c.example" },
	{ "an ideographic full stop is a dot", "例え。テスト",
	    "xn--r8jz45g.xn--zckzah" },
	{ "an ideographic full stop may trail", "bücher。",
	    "xn--bcher-kva" },
	{ "an ideographic full stop makes an empty label, refused",
	    "bücher。.example", NULL },
	{ "a trailing dot after a U-label is dropped", "example.bücher.",
	    "example.xn--bcher-kva" },
	{ "an ASCII label is the same beside a U-label",
	    "r3---sn._x.XN--Q.bücher", "r3---sn._x.xn--q.xn--bcher-kva" },
	{ "a soft hyphen is not there", "bü\xc2\xad" "cher.example",
	    "xn--bcher-kva.example" },
	{ "a label of a soft hyphen alone is refused", "a.\xc2\xad.example",
	    NULL },
	{ "an empty label beside a U-label is refused", ".bücher", NULL },
	{ "a blank in a U-label is refused", "b ü.example", NULL },
	{ "a U-label that begins with a hyphen is refused", "-ü.example",
	    NULL },
	{ "a combining mark at the start is refused", "\xcc\x88" "a.example",
	    NULL },
	{ "a fullwidth commercial at is refused", "a\xef\xbc\xa0" "b", NULL },
	{ "a stray continuation octet is refused", "a\x80.example", NULL },
	{ "Latin-1 is refused", "b\xfc" "cher.example", NULL },
	{ "cut UTF-8 is refused", "b\xc3", NULL },
	{ "overlong UTF-8 is refused", "a\xc0\xae" "b.example", NULL },
	{ "a surrogate in UTF-8 is refused", "a\xed\xa0\x80.example", NULL },
	{ "0xff is refused", "\xff\xff.example", NULL },
	{ "a U-label too long as an A-label is refused",
	    "ü" OCTETS_63 ".example", NULL },
	{ "a name too long only as A-labels is refused",
	    OCTETS_63 "." OCTETS_63 "." OCTETS_63 "." SIX_LABELS SIX_LABELS,
	    NULL },
	{ "a name far too long as A-labels is refused",
	    SIX_LABELS SIX_LABELS SIX_LABELS SIX_LABELS SIX_LABELS SIX_LABELS
	    SIX_LABELS SIX_LABELS SIX_LABELS SIX_LABELS "x", NULL }
};

struct within_row {
	const char *name;
	const char *domain, *parent;
	bool want;
};

static const struct within_row within[] = {
	{ "a domain is within itself", "b.example", "b.example", true },
	{ "a subdomain is within", "a.b.example", "b.example", true },
	{ "a deep subdomain is within", "x.y.a.b.example", "b.example", true },
	{ "a longer name is not below", "ab.example", "b.example", false },
	{ "the parent is not below its child", "example", "b.example", false },
	{ "a stranger is not below", "b.test", "b.example", false },
	{ "nothing is within nothing", "", "", false },
	{ "nobody is within nothing", "b.example", "", false },
	{ "nothing is within nobody", "", "b.example", false }
};

struct row {
	const char *name;
	const char *text;
	const char *delimiters;
	int rc;
	struct address want;
};

#define WHOLE(text) { text, text, text, "" }

static const struct row rows[] = {
	{ "the null sender is empty", "", "+", 0, WHOLE("") },
	{ "<> is the null sender", "<>", "+", 0, WHOLE("") },
	{ "both parts are in lower case", "John.Doe@Example.ORG", "", 0,
	    { "john.doe@example.org", "john.doe@example.org", "john.doe",
	    "example.org" } },
	{ "a trailing dot is dropped", "a@example.org.", "", 0,
	    { "a@example.org", "a@example.org", "a", "example.org" } },
	{ "a U-label domain is its A-labels", "a@BÜCHER.example", "", 0,
	    { "a@xn--bcher-kva.example", "a@xn--bcher-kva.example", "a",
	    "xn--bcher-kva.example" } },

	{ "quotes around a plain local part go", "\"john\"@x", "", 0,
	    { "john@x", "john@x", "john", "x" } },
	{ "quotes around a blank go", "\"John Doe\"@x", "", 0,
	    { "john doe@x", "john doe@x", "john doe", "x" } },
	{ "Postfix's unquoted form is the same", "John Doe@x", "", 0,
	    { "john doe@x", "john doe@x", "john doe", "x" } },
	{ "backslashes in quotes go", "\"a\\\"\\B\\\\c\"@x", "", 0,
	    { "a\"b\\c@x", "a\"b\\c@x", "a\"b\\c", "x" } },
	{ "an '@' in quotes is the local part's", "\"a@b\"@x", "", 0,
	    { "a@b@x", "a@b@x", "a@b", "x" } },
	{ "the last '@' divides", "a@b@x", "", 0,
	    { "a@b@x", "a@b@x", "a@b", "x" } },
	{ "an empty quoted local part is empty", "\"\"@x", "", 0,
	    { "@x", "@x", "", "x" } },
	{ "an open quote is a letter", "\"a@x", "", 0,
	    { "\"a@x", "\"a@x", "\"a", "x" } },
	{ "one quote alone is a letter", "\"@x", "", 0,
	    { "\"@x", "\"@x", "\"", "x" } },
	{ "an escaped last quote does not close", "\"a\\\"@x", "", 0,
	    { "\"a\\\"@x", "\"a\\\"@x", "\"a\\\"", "x" } },
	{ "a quote in the middle is a letter", "\"a\"b\"@x", "", 0,
	    { "\"a\"b\"@x", "\"a\"b\"@x", "\"a\"b\"", "x" } },
	{ "a backslash outside quotes is a letter", "a\\b@x", "", 0,
	    { "a\\b@x", "a\\b@x", "a\\b", "x" } },
	{ "a source route is the local part's", "@a,@b:C@x", "", 0,
	    { "@a,@b:c@x", "@a,@b:c@x", "@a,@b:c", "x" } },
	{ "percent and bang are letters", "a%b!c@x", "", 0,
	    { "a%b!c@x", "a%b!c@x", "a%b!c", "x" } },
	{ "a local part of 8-bit octets is kept", "J\xfc\xC4\x80@x", "", 0,
	    { "j\xfc\xC4\x80@x", "j\xfc\xC4\x80@x", "j\xfc\xC4\x80", "x" } },
	{ "an empty local part is kept", "@x", "+", 0,
	    { "@x", "@x", "", "x" } },

	{ "an address may have no domain", "Root+x", "+", 0,
	    { "root+x", "root", "root+x", "" } },
	{ "quotes without a domain go", "\"Root\"", "", 0, WHOLE("root") },
	{ "an address literal is kept", "a@[192.0.2.1]", "", 0,
	    { "a@[192.0.2.1]", "a@[192.0.2.1]", "a", "[192.0.2.1]" } },
	{ "an IPv6 literal is in lower case", "a@[IPv6:2001:DB8::1]", "", 0,
	    { "a@[ipv6:2001:db8::1]", "a@[ipv6:2001:db8::1]", "a",
	    "[ipv6:2001:db8::1]" } },

	{ "an empty domain is refused", "A+b@", "+", -1, WHOLE("a+b@") },
	{ "a dot alone is refused", "a@.", "", -1, WHOLE("a@.") },
	{ "an '@' in quotes alone divides nothing good", "\"a@B\"", "", -1,
	    WHOLE("\"a@b\"") },
	{ "brackets around an address are refused", "<A@x>", "", -1,
	    WHOLE("<a@x>") },
	{ "an empty literal is refused", "a@[]", "", -1, WHOLE("a@[]") },
	{ "an open literal is refused", "a@[1", "", -1, WHOLE("a@[1") },
	{ "a literal with a tail is refused", "a@[1]x", "", -1,
	    WHOLE("a@[1]x") },
	{ "a blank in a literal is refused", "a@[1 2]", "", -1,
	    WHOLE("a@[1 2]") },
	{ "invalid UTF-8 in the domain is refused", "Ab@b\xfc.X", "+", -1,
	    WHOLE("ab@b\xfc.x") },

	{ "the extension is cut off", "a+b@x", "+", 0,
	    { "a+b@x", "a@x", "a+b", "x" } },
	{ "the extension starts at the first delimiter", "a+b+c@x", "+", 0,
	    { "a+b+c@x", "a@x", "a+b+c", "x" } },
	{ "the first delimiter of the set counts", "a-b+c@x", "+-", 0,
	    { "a-b+c@x", "a@x", "a-b+c", "x" } },
	{ "an empty extension is one", "a+@x", "+", 0,
	    { "a+@x", "a@x", "a+", "x" } },
	{ "a quoted extension is one", "\"a+b\"@x", "+", 0,
	    { "a+b@x", "a@x", "a+b", "x" } },
	{ "without delimiters nothing is cut", "a+b@x", "", 0,
	    { "a+b@x", "a+b@x", "a+b", "x" } },
	{ "a delimiter at the start cuts nothing", "+a+b@x", "+", 0,
	    { "+a+b@x", "+a+b@x", "+a+b", "x" } },
	{ "a delimiter in the domain cuts nothing", "a@x-y", "-", 0,
	    { "a@x-y", "a@x-y", "a", "x-y" } },
	{ "mailer-daemon is not cut", "MAILER-DAEMON@x", "-", 0,
	    { "mailer-daemon@x", "mailer-daemon@x", "mailer-daemon", "x" } },
	{ "double-bounce is not cut", "double-bounce@x", "-", 0,
	    { "double-bounce@x", "double-bounce@x", "double-bounce", "x" } },
	{ "postmaster with an extension is cut", "postmaster+a@x", "+", 0,
	    { "postmaster+a@x", "postmaster@x", "postmaster+a", "x" } },
	{ "owner-foo is not cut", "Owner-foo@x", "-", 0,
	    { "owner-foo@x", "owner-foo@x", "owner-foo", "x" } },
	{ "owner-foo+bar is not cut where '-' is in the set",
	    "owner-foo+bar@x", "+-", 0, { "owner-foo+bar@x",
	    "owner-foo+bar@x", "owner-foo+bar", "x" } },
	{ "owner-foo+bar is cut where '-' is not", "owner-foo+bar@x", "+", 0,
	    { "owner-foo+bar@x", "owner-foo@x", "owner-foo+bar", "x" } },
	{ "foo-request is not cut", "foo-REQUEST@x", "-", 0,
	    { "foo-request@x", "foo-request@x", "foo-request", "x" } },
	{ "foo-requests is cut", "foo-requests@x", "-", 0,
	    { "foo-requests@x", "foo@x", "foo-requests", "x" } }
};

static void
test_domains(void)
{
	char out[DOMAIN_MAX];
	const struct domain_row *row;
	int rc;

	for (row = domains; row < domains + ROWS(domains); row++) {
		rc = domain_normalise(row->text, strlen(row->text), out);
		if (row->want == NULL)
			tap_ok(rc == -1 && *out == '\0', row->name);
		else
			tap_is(rc == 0 ? out : NULL, row->want, row->name);
	}
	tap_ok(domain_normalise("a\0b", 3, out) == -1, "a NUL is refused");
	tap_ok(domain_normalise("\xc3\xbc\0b", 4, out) == -1,
	    "a NUL after a U-label is refused");
	tap_ok(domain_normalise("a.example/x", 9, out) == 0 &&
	    strcmp(out, "a.example") == 0, "what stands behind is not read");
}

static void
test_within(void)
{
	const struct within_row *row;

	for (row = within; row < within + ROWS(within); row++)
		tap_ok(domain_is_within(row->domain, row->parent) ==
		    row->want, row->name);
}

static bool
is_same(const struct address *a, const struct address *b)
{
	return strcmp(a->text, b->text) == 0 && strcmp(a->bare, b->bare) == 0 &&
	    strcmp(a->local, b->local) == 0 &&
	    strcmp(a->domain, b->domain) == 0;
}

static void
test_addresses(struct arena *arena)
{
	const struct row *row;
	struct address got;
	int rc;

	for (row = rows; row < rows + ROWS(rows); row++) {
		rc = address_parse(arena, row->text, row->delimiters, &got);
		if (!tap_ok(rc == row->rc && is_same(&got, &row->want),
		    row->name))
			printf("#  got: %d %s, %s, %s, %s\n", rc, got.text,
			    got.bare, got.local, got.domain);
	}
}

static void
test_long(struct arena *arena)
{
	static char text[65536 + 16];
	static const char tail[] = "@example.org";
	struct address got;

	memset(text, 'A', 65536);
	strcpy(text + 65536, tail);
	tap_ok(address_parse(arena, text, "+", &got) == 0 &&
	    strlen(got.local) == 65536 && strcmp(got.domain, tail + 1) == 0,
	    "a local part of 64 KiB is kept");
	memcpy(text, "a@", 2);
	text[65536] = '\0';
	tap_ok(address_parse(arena, text, "+", &got) == -1 &&
	    strlen(got.text) == 65536, "a domain of 64 KiB is refused");
	memset(text + 2, 0xbc, 2046);
	text[2048] = '\0';
	tap_ok(address_parse(arena, text, "+", &got) == -1,
	    "a domain of 2 KiB of 8-bit octets is refused");
}

int
main(void)
{
	struct arena *arena = arena_new(0);

	test_domains();
	test_within();
	test_addresses(arena);
	test_long(arena);
	arena_free(arena);
	return tap_done();
}
