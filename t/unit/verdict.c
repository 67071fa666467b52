/* SPDX-License-Identifier: ISC */
/* verdict.c - does each verdict become a reply that Postfix takes for what it
 * is meant to be, whatever the text? */
#include "policyd/verdict.h"

#include "t/unit/tap.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static const struct {
	const char *name;
	enum action action;
	const char *text;
	const char *want;
} rows[] = {
	{ "permit is DUNNO", ACTION_PERMIT, NULL, "DUNNO" },
	{ "permit says nothing more", ACTION_PERMIT, "because", "DUNNO" },
	{ "warn is WARN", ACTION_WARN, "limit reached", "WARN limit reached" },
	{ "prepend is PREPEND", ACTION_PREPEND, "X-A: b", "PREPEND X-A: b" },
	{ "filter is FILTER", ACTION_FILTER, "smtp:host",
	    "FILTER smtp:host" },
	{ "redirect is REDIRECT", ACTION_REDIRECT, "a@b.example",
	    "REDIRECT a@b.example" },
	{ "hold is HOLD", ACTION_HOLD, "limit reached", "HOLD limit reached" },
	{ "greylisting is DEFER_IF_PERMIT", ACTION_GREYLIST, "later",
	    "DEFER_IF_PERMIT 4.2.0 later" },
	{ "separate is 452 4.5.3", ACTION_SEPARATE, "alone",
	    "452 4.5.3 alone" },
	{ "defer is 451 4.7.1", ACTION_DEFER, "later", "451 4.7.1 later" },
	{ "reject is 550 5.7.1", ACTION_REJECT, "no", "550 5.7.1 no" },
	{ "a reject without a text has one of ours", ACTION_REJECT, "",
	    "550 5.7.1 refused by policy" },
	{ "a defer without a text, too", ACTION_DEFER, NULL,
	    "451 4.7.1 try again later" },
	{ "8-bit bytes become question marks", ACTION_REJECT, "\303\244",
	    "550 5.7.1 ??" },
	{ "a line break cannot end the reply", ACTION_REJECT,
	    "no\naction=OK\n\n", "550 5.7.1 no?action=OK??" },
	{ "a tab becomes a question mark", ACTION_HOLD, "a\tb", "HOLD a?b" },
	{ "so does a DEL", ACTION_HOLD, "a\177b", "HOLD a?b" },
	{ "a text of digits stands behind its code", ACTION_DEFER, "550",
	    "451 4.7.1 550" },
	{ "a verb of Postfix stands behind ours", ACTION_WARN,
	    "permit_mynetworks", "WARN permit_mynetworks" },
};

static void
test_long(void)
{
	struct verdict verdict = { .text = "" };
	char text[400], reply[VERDICT_REPLY], name[80];
	int action;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	verdict.text = text;
	for (action = ACTION_WARN; action <= ACTION_REJECT; action++) {
		verdict.action = (enum action)action;
		verdict_reply(&verdict, reply);
		snprintf(name, sizeof(name),
		    "the text of %s is cut to 200 bytes",
		    action_words[action]);
		tap_int((int64_t)strlen(strchr(reply, 'x')), 200, name);
	}
}

/* Empty, or digits alone, would be OK to Postfix */
static void
test_closed(void)
{
	struct verdict verdict = { .action = ACTION_PERMIT };
	char reply[VERDICT_REPLY], name[80];
	int action;

	for (action = ACTION_PERMIT; action <= ACTION_REJECT; action++) {
		verdict.action = (enum action)action;
		verdict_reply(&verdict, reply);
		snprintf(name, sizeof(name), "%s without a text is neither "
		    "empty nor a number", action_words[action]);
		tap_ok(*reply != '\0' && strspn(reply, "0123456789") !=
		    strlen(reply), name);
	}
}

static void
test_raise(void)
{
	struct verdict verdict = { .action = ACTION_WARN, .rule = "one" };

	verdict_raise(&verdict, &(struct verdict){ .action = ACTION_WARN,
	    .rule = "two" });
	tap_is(verdict.rule, "one", "of equal verdicts the first stands");
	verdict_raise(&verdict, &(struct verdict){ .action = ACTION_PERMIT,
	    .rule = "three" });
	tap_is(verdict.rule, "one", "a milder one changes nothing");
	verdict_raise(&verdict, &(struct verdict){ .action = ACTION_HOLD,
	    .rule = "four" });
	tap_is(verdict.rule, "four", "a harsher one takes its place");
}

int
main(void)
{
	struct verdict verdict = { 0 };
	char reply[VERDICT_REPLY];
	size_t i;

	for (i = 0; i < ROWS(rows); i++) {
		verdict.action = rows[i].action;
		verdict.text = rows[i].text;
		verdict_reply(&verdict, reply);
		tap_is(reply, rows[i].want, rows[i].name);
	}
	test_long();
	test_closed();
	test_raise();
	return tap_done();
}
