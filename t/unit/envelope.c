/* SPDX-License-Identifier: ISC */
/* envelope.c - MAIL and RCPT as Postfix says them, and as nobody should. */
#include "dkimsign/envelope.h"

#include "t/unit/tap.h"

#define ALL (OFFER_8BITMIME | OFFER_SMTPUTF8 | OFFER_DSN | OFFER_SIZE)

static struct arena *arena;

static const struct {
	const char *name;
	unsigned offered;
	const char *arguments;
	const char *want;	/* sender|parameters, or the reply's codes */
	unsigned needs;
} mails[] = {
	{ "a sender", ALL, "FROM:<a@b.example>", "a@b.example|", 0 },
	{ "the null sender", ALL, "FROM:<>", "|", 0 },
	{ "in small letters", ALL, "from:<a@b.example>", "a@b.example|", 0 },
	{ "a blank too many", ALL, "FROM: <a@b.example>", "a@b.example|", 0 },
	{ "SIZE is told anew", ALL, "FROM:<a@b.example> SIZE=1000",
	    "a@b.example|", 0 },
	{ "all that Postfix says", ALL,
	    "FROM:<a@b.example> SIZE=9 RET=HDRS ENVID=x+2By BODY=8BITMIME SMTPUTF8",
	    "a@b.example| RET=HDRS ENVID=x+2By BODY=8BITMIME SMTPUTF8",
	    OFFER_DSN | OFFER_8BITMIME | OFFER_SMTPUTF8 },
	{ "a quoted local part", ALL, "FROM:<\"a b>\\\" \"@b.example>",
	    "\"a b>\\\" \"@b.example|", 0 },
	{ "UTF-8 with SMTPUTF8", ALL, "FROM:<\xc3\xa4@b.example> SMTPUTF8",
	    "\xc3\xa4@b.example| SMTPUTF8", OFFER_SMTPUTF8 },
	{ "UTF-8 without it", ALL, "FROM:<\xc3\xa4@b.example>", "553 5.6.7", 0 },
	{ "too large", ALL, "FROM:<a@b.example> SIZE=1001", "552 5.3.4", 0 },
	{ "far too large", ALL, "FROM:<a@b.example> SIZE=99999999999999999999",
	    "552 5.3.4", 0 },
	{ "the same parameter twice", ALL,
	    "FROM:<a@b.example> RET=HDRS BODY=7BIT ret=HDRS", "501 5.5.4", 0 },
	{ "no size", ALL, "FROM:<a@b.example> SIZE=x", "501 5.5.4", 0 },
	{ "no such body", ALL, "FROM:<a@b.example> BODY=BINARYMIME",
	    "501 5.5.4", 0 },
	{ "ENVID of nothing", ALL, "FROM:<a@b.example> ENVID=", "501 5.5.4", 0 },
	{ "SMTPUTF8 of something", ALL, "FROM:<a@b.example> SMTPUTF8=1",
	    "501 5.5.4", 0 },
	{ "an unknown parameter", ALL, "FROM:<a@b.example> X=1", "555 5.5.4", 0 },
	{ "a parameter of RCPT", ALL, "FROM:<a@b.example> NOTIFY=NEVER",
	    "555 5.5.4", 0 },
	{ "what was not offered", OFFER_SIZE, "FROM:<a@b.example> RET=FULL",
	    "555 5.5.4", 0 },
	{ "not even 8BITMIME", 0, "FROM:<a@b.example> BODY=8BITMIME",
	    "555 5.5.4", 0 },
	{ "no brackets", ALL, "FROM:a@b.example", "501 5.5.4", 0 },
	{ "half a bracket", ALL, "FROM:<a@b.example", "501 5.5.4", 0 },
	{ "a quote without its end", ALL, "FROM:<\"a@b.example>", "501 5.5.4", 0 },
	{ "something behind the bracket", ALL, "FROM:<a@b.example>x",
	    "501 5.5.4", 0 },
	{ "a blank in an address", ALL, "FROM:<a b@c.example>", "501 5.5.4", 0 },
	{ "a bracket in an address", ALL, "FROM:<a<b@c.example>", "501 5.5.4", 0 },
	{ "no sender", ALL, "", "501 5.5.4", 0 },
	{ "the wrong word", ALL, "TO:<a@b.example>", "501 5.5.4", 0 },
};

static void
test_mail(void)
{
	struct envelope envelope;
	struct offer offer = { 0 };
	struct reply why;
	char got[600];
	size_t i;

	for (i = 0; i < sizeof(mails) / sizeof(mails[0]); i++) {
		offer.extensions = mails[i].offered;
		if (envelope_mail(&envelope, arena, mails[i].arguments,
		    &offer, 1000, &why) == -1)
			snprintf(got, sizeof(got), "%d %s", why.code,
			    why.enhanced);
		else {
			snprintf(got, sizeof(got), "%s|%s", envelope.sender,
			    envelope.parameters);
			tap_int(envelope.needs, mails[i].needs,
			    "what the next hop must offer");
		}
		tap_is(got, mails[i].want, mails[i].name);
	}
}

static const struct { const char *name, *arguments, *want; } rcpts[] = {
	{ "a recipient", "TO:<a@b.example>", "a@b.example|" },
	{ "the same again", "TO:<a@b.example>", "a@b.example|" },
	{ "all that Postfix says",
	    "TO:<a@b.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;c+2Bd@e.example",
	    "a@b.example| NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;c+2Bd@e.example" },
	{ "no recipient", "TO:<>", "501 5.5.4" },
	{ "the same parameter twice",
	    "TO:<a@b.example> NOTIFY=NEVER NOTIFY=NEVER", "501 5.5.4" },
	{ "a parameter of MAIL", "TO:<a@b.example> SIZE=1", "555 5.5.4" },
	{ "UTF-8 without SMTPUTF8", "TO:<\xc3\xa4@b.example>", "553 5.6.7" },
};

static void
test_rcpt(void)
{
	const struct offer offer = { .extensions = ALL };
	struct envelope envelope;
	struct reply why;
	char got[600];
	size_t i, count = 0;
	int rc;

	envelope_mail(&envelope, arena, "FROM:<>", &offer, 1000, &why);
	for (i = 0; i < sizeof(rcpts) / sizeof(rcpts[0]); i++) {
		rc = envelope_rcpt(&envelope, arena, rcpts[i].arguments,
		    &offer, &why);
		if (rc == -1)
			snprintf(got, sizeof(got), "%d %s", why.code,
			    why.enhanced);
		else
			snprintf(got, sizeof(got), "%s|%s",
			    envelope.recipients[count].address,
			    envelope.recipients[count].parameters);
		count += rc == 0;
		tap_is(got, rcpts[i].want, rcpts[i].name);
	}
	tap_int((int64_t)envelope.count, (int64_t)count,
	    "who was refused is none of them");
	while (envelope_rcpt(&envelope, arena, "TO:<x@y.example>", &offer,
	    &why) == 0)
		;
	tap_int((int64_t)envelope.count, RECIPIENTS_MAX,
	    "there is an end to recipients");
	tap_int(why.code, 452, "and who is too many comes again");
	tap_is(envelope.recipients[2].parameters,
	    " NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;c+2Bd@e.example",
	    "the first ones are still there");
}

int
main(void)
{
	arena = arena_new(0);
	test_mail();
	test_rcpt();
	arena_free(arena);
	return tap_done();
}
