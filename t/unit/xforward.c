/* SPDX-License-Identifier: ISC */
/* xforward.c - what Postfix forwards of the first pass, in xtext; and the offer
 * that names it. */
#include "dkimsign/xforward.h"

#include "dkimsign/offer.h"
#include "t/unit/tap.h"

#define ALL 0x7f

static const struct {
	const char *name, *arguments;
	int want;
	const char *client;	/* name[address] */
} rows[] = {
	{ "what Postfix says", "NAME=a.example ADDR=192.0.2.1 PORT=25", 0,
	    "a.example[192.0.2.1]" },
	{ "IPv6", "NAME=a.example ADDR=IPV6:2001:db8::1", 0,
	    "a.example[IPV6:2001:db8::1]" },
	{ "xtext", "NAME=a+2Bb+20c ADDR=x", 0, "a+b c[x]" },
	{ "in small letters", "name=a addr=b", 0, "a[b]" },
	{ "nothing known", "NAME=[UNAVAILABLE] ADDR=[TEMPUNAVAIL]", 0, "[]" },
	{ "no argument", "", -1, "[]" },
	{ "an attribute that there is not", "COLOUR=red", -1, "[]" },
	{ "no value", "NAME=", -1, "[]" },
	{ "not even =", "NAME", -1, "[]" },
	{ "half xtext", "NAME=a+2", -1, "[]" },
	{ "no xtext", "NAME=a+zz", -1, "[]" },
	{ "8-bit", "NAME=\xc3\xa4", -1, "[]" },
	{ "a NUL in xtext is no end", "NAME=a+00b ADDR=c", 0, "a?b[c]" },
};

static void
test_offer(void)
{
	struct offer offer = { 0 };

	offer_take(&offer, "size 1000");
	offer_take(&offer, "CHUNKING");
	offer_take(&offer, "XFORWARD NAME ADDR COLOUR IDENT");
	offer_take(&offer, "SIZEABLE");
	offer_take(&offer, "");
	tap_int(offer.extensions, OFFER_SIZE | OFFER_CHUNKING | OFFER_XFORWARD,
	    "what is known is taken");
	tap_int((int64_t)offer.size, 1000, "with the size");
	tap_int(offer.xforward, 1 << XFORWARD_NAME | 1 << XFORWARD_ADDR |
	    1 << XFORWARD_IDENT, "and the attributes of XFORWARD");
	offer = (struct offer){ 0 };
	offer_take(&offer, "SIZE");
	tap_ok(offer.extensions == OFFER_SIZE && offer.size == 0,
	    "SIZE without one is no limit");
}

/* Whom a mail comes from writes HELO, and Postfix makes three bytes of one */
static void
test_long(struct arena *arena)
{
	struct xforward xforward = { 0 };
	const char *line;
	char value[XFORWARD_VALUE + 2];

	memset(value, 'x', sizeof(value));
	value[XFORWARD_VALUE] = '\0';
	line = arena_printf(arena, "HELO=%s IDENT=4FX", value);
	tap_int(xforward_take(&xforward, line, ALL), 0, "a long value");
	tap_is(xforward.values[XFORWARD_HELO], value, "is kept whole");
	line = arena_printf(arena, "HELO=%sx IDENT=4FY", value);
	tap_int(xforward_take(&xforward, line, ALL), 0,
	    "one that is too long is no fault");
	tap_is(xforward.values[XFORWARD_HELO], "", "but not known");
	tap_is(xforward.values[XFORWARD_IDENT], "4FY",
	    "and hides none of the others");
	tap_ok(!xforward.has_client, "nor is it a client");
	line = arena_printf(arena, "ADDR=%sx", value);
	xforward_take(&xforward, line, ALL);
	tap_ok(xforward.has_client, "an address that is too long is one");
}

static const struct { const char *name, *arguments; bool has_client; }
clients[] = {
	{ "no ADDR", "PROTO=ESMTP IDENT=4FX", false },
	{ "ADDR that is not known", "ADDR=[UNAVAILABLE]", false },
	{ "ADDR", "ADDR=192.0.2.1", true },
	{ "a line with a fault, behind which ADDR may be", "NAME=+ ADDR=x",
	    true },
	{ "a line of nothing", "", true },
};

/* Without a client it is Postfix's own: to be said only where that is sure */
static void
test_client(void)
{
	struct xforward xforward;
	size_t i;

	for (i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
		xforward = (struct xforward){ 0 };
		xforward_take(&xforward, clients[i].arguments, ALL);
		xforward_take(&xforward, "SOURCE=LOCAL", ALL);
		tap_ok(xforward.tells_client &&
		    xforward.has_client == clients[i].has_client,
		    clients[i].name);
	}
}

int
main(void)
{
	struct arena *arena = arena_new(0);
	struct xforward xforward;
	char got[300];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		xforward = (struct xforward){ 0 };
		tap_int(xforward_take(&xforward, rows[i].arguments, ALL),
		    rows[i].want, rows[i].name);
		if (rows[i].want == -1)
			continue;
		snprintf(got, sizeof(got), "%s[%s]",
		    xforward_text(&xforward, arena, XFORWARD_NAME),
		    xforward_text(&xforward, arena, XFORWARD_ADDR));
		tap_is(got, rows[i].client, rows[i].name);
	}
	xforward = (struct xforward){ 0 };
	xforward_take(&xforward, "NAME=a", ALL);
	xforward_take(&xforward, "IDENT=4FX", ALL);
	tap_is(xforward.values[XFORWARD_NAME], "a", "two commands add up");
	tap_is(xforward.values[XFORWARD_IDENT], "4FX", "to all of it");
	xforward = (struct xforward){ 0 };
	xforward_take(&xforward, "NAME=a", 1 << XFORWARD_NAME);
	tap_ok(!xforward.tells_client,
	    "where ADDR was not offered, none says nothing");
	tap_int(xforward_take(&xforward, "PORT=25", 1 << XFORWARD_NAME), -1,
	    "what was not offered is refused");
	test_long(arena);
	test_client();
	test_offer();
	arena_free(arena);
	return tap_done();
}
