/* SPDX-License-Identifier: ISC */
/* list_line.c - is a posternAllow or posternBlock value read as it is meant,
 * and does it speak of whom it should, and until when? */
#include "policyd/list_line.h"

#include "t/unit/tap.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define DAY INT64_C(86400000)

/* want: as show() writes it; NULL: refused */
static const struct {
	const char *name;
	const char *value;
	const char *want;
} parses[] = {
	{ "a sender's address", "sender a@b.example",
	    "sender address a@b.example any" },
	{ "a recipient's domain", "recipient @b.example",
	    "recipient domain b.example any" },
	{ "domains below", "sender @.b.example",
	    "sender subdomains b.example any" },
	{ "an IPv4 network", "client 192.0.2.0/24",
	    "client network 192.0.2.0/24 any" },
	{ "an IPv6 network", "client 2001:db8::/32",
	    "client network 2001:db8::/32 any" },
	{ "a client's address alone", "client 192.0.2.7",
	    "client network 192.0.2.7 any" },
	{ "a client's name", "client mail-*.b.example",
	    "client host mail-*.b.example any" },
	{ "a HELO name", "helo *.b.example", "helo host *.b.example any" },
	{ "a star alone is every confirmed name", "client *",
	    "client host * any" },
	{ "a direction", "sender a@b.example inbound",
	    "sender address a@b.example inbound" },
	{ "all that there is", "client 192.0.2.0/24 inbound "
	    "expires=2030-12-31 owner=anna note=their data centre, see #7",
	    "client network 192.0.2.0/24 inbound expires=1924992000000 "
	    "owner=anna note=their data centre, see #7" },
	{ "in any order, but for the note",
	    "sender a@b.example owner=anna expires=2030-12-31 inbound",
	    "sender address a@b.example inbound expires=1924992000000 "
	    "owner=anna" },
	{ "what stands in a note is the note's",
	    "sender a@b.example note=outbound expires=2030-12-31",
	    "sender address a@b.example any note=outbound expires=2030-12-31" },
	{ "case does not matter", "SENDER Anna@B.Example INBOUND Owner=Anna",
	    "sender address anna@b.example inbound owner=Anna" },
	{ "a domain in U-labels becomes A-labels",
	    "sender @b\303\274cher.example",
	    "sender domain xn--bcher-kva.example any" },
	{ "blanks around and between", " sender \t a@b.example  any ",
	    "sender address a@b.example any" },
	{ "nothing is no line", "", NULL },
	{ "a kind alone is no line", "sender", NULL },
	{ "an unknown kind is refused", "from a@b.example", NULL },
	{ "a sender is no bare domain", "sender b.example", NULL },
	{ "a sender is no network", "sender 192.0.2.0/24", NULL },
	{ "a local part alone is refused", "sender anna", NULL },
	{ "a domain that cannot be one is refused", "sender @-b-", NULL },
	{ "an @ alone is refused", "sender @", NULL },
	{ "an @. alone is refused", "sender @.", NULL },
	{ "host bits in a network are refused", "client 192.0.2.1/24", NULL },
	{ "a network that is too long is refused", "client 192.0.2.0/33",
	    NULL },
	{ "half an address is refused, not taken for a name",
	    "client 192.0.2", NULL },
	{ "a glob over an address is refused, not taken for a name",
	    "client 192.0.2.*", NULL },
	{ "a client is no mail address", "client a@b.example", NULL },
	{ "a HELO is no network", "helo 192.0.2.0/24", NULL },
	{ "brackets would be a set of characters, and are refused",
	    "helo [192.0.2.1]", NULL },
	{ "four stars are the most", "client *a*b*c*",
	    "client host *a*b*c* any" },
	{ "five stars are refused", "client *a*b*c*d*", NULL },
	{ "an unknown word behind the pattern is refused",
	    "sender a@b.example forever", NULL },
	{ "a second direction is refused",
	    "sender a@b.example inbound outbound", NULL },
	{ "a second date is refused",
	    "sender a@b.example expires=2030-01-01 expires=2031-01-01", NULL },
	{ "a date without a day is refused",
	    "sender a@b.example expires=2030-12", NULL },
	{ "a date in another order is refused",
	    "sender a@b.example expires=31-12-2030", NULL },
	{ "February 30th is refused", "sender a@b.example expires=2030-02-30",
	    NULL },
	{ "February 29th is refused in a common year",
	    "sender a@b.example expires=2030-02-29", NULL },
	{ "February 29th is a day in a leap year",
	    "sender a@b.example expires=2028-02-29",
	    "sender address a@b.example any expires=1835481600000" },
	{ "an empty date is refused", "sender a@b.example expires=", NULL },
	{ "a date with a time is refused",
	    "sender a@b.example expires=2030-12-31T00:00", NULL },
	{ "a date before the epoch is refused, it must not be never",
	    "sender a@b.example expires=1969-12-31", NULL },
};

/* A message: from news+x@mx.b.example to anna+y@ours.example, by 192.0.2.7 =
 * mail-3.pool.example, which says HELO Host.B.Example */
static const struct {
	const char *name;
	const char *value;
	bool want;
} matches[] = {
	{ "the sender's address", "sender news+x@mx.b.example", true },
	{ "the sender without extension", "sender news@mx.b.example", true },
	{ "another extension does not match", "sender news+z@mx.b.example",
	    false },
	{ "another sender does not match", "sender old@mx.b.example", false },
	{ "the sender's domain", "sender @mx.b.example", true },
	{ "@domain is exactly that domain", "sender @b.example", false },
	{ "@.domain is what is below", "sender @.b.example", true },
	{ "@.domain is at any depth", "sender @.example", true },
	{ "@.domain is not the domain itself", "sender @.mx.b.example",
	    false },
	{ "@.domain is not what only ends so", "sender @.x.b.example",
	    false },
	{ "the recipient's address", "recipient anna@ours.example", true },
	{ "the recipient's domain", "recipient @ours.example", true },
	{ "a recipient line is not about the sender",
	    "recipient news@mx.b.example", false },
	{ "a sender line is not about the recipient",
	    "sender anna@ours.example", false },
	{ "the client's network", "client 192.0.2.0/24", true },
	{ "the client's address", "client 192.0.2.7", true },
	{ "another network does not match", "client 192.0.3.0/24", false },
	{ "an IPv6 network does not match", "client ::/0", false },
	{ "the client's name, by a star", "client mail-*.pool.example",
	    true },
	{ "the client's name, by a question mark",
	    "client mail-?.pool.example", true },
	{ "a question mark is one character", "client mail-?pool.example",
	    false },
	{ "a star goes over dots", "client *.example", true },
	{ "a glob is the whole name", "client mail-*.pool", false },
	{ "a client line is not about HELO", "client host.b.example", false },
	{ "the HELO name, in any case", "helo *.b.example", true },
	{ "a helo line is not about the client's name",
	    "helo *.pool.example", false },
	{ "for inbound mail it is in force", "sender @mx.b.example inbound",
	    true },
	{ "for any mail it is in force", "sender @mx.b.example any", true },
	{ "for outbound mail only it is not", "sender @mx.b.example outbound",
	    false },
	{ "on its last day it is in force",
	    "sender @mx.b.example expires=2027-01-15", true },
	{ "on the day after it is not",
	    "sender @mx.b.example expires=2027-01-14", false },
	{ "an expired line may have a note, too",
	    "sender @mx.b.example inbound expires=2020-01-01 note=trial",
	    false },
};

static const char *const form_words[] = { "address", "domain", "subdomains",
	"network", "host" };

static const char *
show(struct arena *arena, const struct list_line *line)
{
	return arena_printf(arena, "%s %s %s %s%s%s%s%s%s",
	    list_kind_words[line->kind], form_words[line->form], line->pattern,
	    direction_words[line->direction], line->expires_ms == 0 ? ""
	    : arena_printf(arena, " expires=%lld",
	    (long long)line->expires_ms),
	    *line->owner == '\0' ? "" : " owner=", line->owner,
	    *line->note == '\0' ? "" : " note=", line->note);
}

static void
test_matches(struct arena *arena)
{
	struct address sender, recipient;
	struct list_line line;
	struct ipaddr client;
	struct list_subject subject = { .sender = &sender,
		.recipient = &recipient, .client = &client,
		.client_name = "mail-3.pool.example",
		.helo = "Host.B.Example", .direction = DIR_INBOUND,
		.now_ms = INT64_C(1800000000000) };
	const char *why;
	size_t i;

	address_parse(arena, "news+x@mx.b.example", "+", &sender);
	address_parse(arena, "anna+y@ours.example", "+", &recipient);
	ipaddr_parse("192.0.2.7", &client);
	for (i = 0; i < ROWS(matches); i++)
		tap_ok(list_line_parse(arena, matches[i].value, false, &line,
		    &why) == 0 && list_line_matches(&line, &subject) ==
		    matches[i].want, matches[i].name);

	list_line_parse(arena, "client *", true, &line, &why);
	subject.client_name = "unknown";
	tap_ok(!list_line_matches(&line, &subject),
	    "a name that is not confirmed matches no glob");
	subject.client_name = "";
	tap_ok(!list_line_matches(&line, &subject),
	    "nor does no name at all");
	list_line_parse(arena, "client 0.0.0.0/0", true, &line, &why);
	subject.client = NULL;
	tap_ok(!list_line_matches(&line, &subject),
	    "a client without an address is in no network");
}

static void
test_expiry(struct arena *arena)
{
	struct list_line line;
	const char *why;

	list_line_parse(arena, "client * expires=2027-01-15", true, &line,
	    &why);
	tap_ok(!list_line_is_expired(&line, line.expires_ms - 1),
	    "a line holds until the last moment of its day, UTC");
	tap_ok(list_line_is_expired(&line, line.expires_ms),
	    "it does not at midnight");
	tap_int(line.expires_ms % DAY, 0, "its end is a midnight");
	list_line_parse(arena, "client *", true, &line, &why);
	tap_ok(!list_line_is_expired(&line, INT64_MAX),
	    "a line without a date holds for ever");
}

int
main(void)
{
	struct arena *arena = arena_new(0);
	struct list_line line;
	const char *why;
	size_t i;
	int rc;

	for (i = 0; i < ROWS(parses); i++) {
		why = "";
		rc = list_line_parse(arena, parses[i].value, i % 2 == 0, &line,
		    &why);
		tap_is(rc == 0 ? show(arena, &line) : NULL, parses[i].want,
		    parses[i].name);
		if (rc == -1 && *why == '\0')
			tap_ok(false, "a refusal says why");
		if (rc == 0 && (line.is_allow != (i % 2 == 0) ||
		    strcmp(line.value, parses[i].value) != 0))
			tap_ok(false, "a line knows what it was made of");
	}
	test_matches(arena);
	test_expiry(arena);
	arena_free(arena);
	return tap_done();
}
