/* SPDX-License-Identifier: ISC */
/* reply.c - replies as they are read, and what Postfix is told instead. */
#include "dkimsign/reply.h"

#include <stdlib.h>

#include "t/unit/tap.h"

static const char *
shown(const struct reply *reply)
{
	static char text[600];

	snprintf(text, sizeof(text), "%d|%s|%s", reply->code, reply->enhanced,
	    reply->text);
	return text;
}

static const struct { const char *name, *line, *want; } lines[] = {
	{ "a reply", "250 2.1.0 Ok", "250|2.1.0|Ok" },
	{ "without enhanced code", "250 Ok", "250||Ok" },
	{ "without a text", "250 2.0.0", "250|2.0.0|" },
	{ "a code alone", "250", "250||" },
	{ "a number that is no code", "354 3 of them", "354||3 of them" },
	{ "half a code", "550 5.1 no", "550||5.1 no" },
	{ "a code with too many digits", "550 5.1.1000 no", "550||5.1.1000 no" },
	{ "a third class is none", "354 3.0.0 go", "354||3.0.0 go" },
	{ "foreign bytes", "550 5.1.1 \xc3\xa4\tx", "550|5.1.1|???x" },
	{ "two digits", "25 Ok", NULL },
	{ "four digits", "2500 Ok", NULL },
	{ "a class that there is not", "650 Ok", NULL },
	{ "1xx, which SMTP has not", "150 Ok", NULL },
	{ "words", "hello", NULL },
	{ "nothing", "", NULL },
	{ "a code and a comma", "250,Ok", NULL },
};

static void
test_lines(void)
{
	struct reply reply;
	char longest[1000] = "250 2.0.0 ";
	size_t i;
	bool is_whole;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		reply = (struct reply){ 0 };
		is_whole = reply_line(&reply, lines[i].line) == REPLY_WHOLE;
		tap_is(is_whole ? shown(&reply) : NULL, lines[i].want,
		    lines[i].name);
	}
	reply = (struct reply){ 0 };
	tap_ok(reply_line(&reply, "550-5.7.1 not") == REPLY_MORE &&
	    reply_line(&reply, "550-5.7.1 by") == REPLY_MORE &&
	    reply_line(&reply, "550 5.7.1 you") == REPLY_WHOLE,
	    "three lines are one reply");
	tap_is(shown(&reply), "550|5.7.1|not by you", "and one text");
	reply = (struct reply){ 0 };
	reply_line(&reply, "250-one");
	tap_int(reply_line(&reply, "550 two"), REPLY_BAD,
	    "two codes are no reply");
	memset(longest + 10, 'x', sizeof(longest) - 11);
	longest[sizeof(longest) - 1] = '\0';
	reply = (struct reply){ 0 };
	tap_ok(reply_line(&reply, longest) == REPLY_WHOLE &&
	    strlen(reply.text) == REPLY_TEXT - 1, "a long text is cut");
}

static const struct {
	const char *name, *theirs;
	const char *defer, *pass;	/* by next_hop_5xx */
} maps[] = {
	{ "a yes stays", "250 2.0.0 Ok: queued as A1",
	    "250|2.0.0|Ok: queued as A1", "250|2.0.0|Ok: queued as A1" },
	{ "any 2xx is 250", "251 will forward",
	    "250|2.0.0|will forward", "250|2.0.0|will forward" },
	{ "a delay stays", "452 4.2.2 full", "452|4.2.2|full",
	    "452|4.2.2|full" },
	{ "without enhanced code", "450 later", "450|4.0.0|later",
	    "450|4.0.0|later" },
	{ "421 is a delay: we do not close", "421 4.3.2 bye",
	    "451|4.3.2|bye", "451|4.3.2|bye" },
	{ "a refusal", "550 5.7.1 no",
	    "451|4.7.1|next hop said: 550 5.7.1 no", "550|5.7.1|no" },
	{ "a refusal without enhanced code", "554 no",
	    "451|4.0.0|next hop said: 554 no", "554|5.0.0|no" },
	{ "too large is too large", "552 5.3.4 too large",
	    "552|5.3.4|too large", "552|5.3.4|too large" },
	{ "an enhanced code of another class", "550 4.7.1 no",
	    "451|4.7.1|next hop said: 550 4.7.1 no", "550|5.7.1|no" },
	{ "354 is no answer", "354 go on",
	    "451|4.0.0|next hop said: 354 go on",
	    "451|4.0.0|next hop said: 354 go on" },
};

static void
test_maps(void)
{
	struct reply theirs, ours;
	char name[100];
	size_t i;

	for (i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		theirs = (struct reply){ 0 };
		reply_line(&theirs, maps[i].theirs);
		reply_map(&theirs, true, &ours);
		tap_is(shown(&ours), maps[i].defer, maps[i].name);
		reply_map(&theirs, false, &ours);
		snprintf(name, sizeof(name), "%s, with pass", maps[i].name);
		tap_is(shown(&ours), maps[i].pass, name);
	}
	theirs = (struct reply){ 0 };
	reply_map(&theirs, false, &ours);
	tap_int(ours.code, 451, "no reply at all is a delay");
}

int
main(void)
{
	struct reply reply;

	test_lines();
	test_maps();
	reply_set(&reply, "451 4.4.1", "no\r\n250 %s", "Ok");
	tap_is(shown(&reply), "451|4.4.1|no??250 Ok",
	    "a text of ours cannot be two lines");
	return tap_done();
}
