/* SPDX-License-Identifier: ISC */
/* words.c - is each word of policy the enum that it says it is, and is the
 * order of harshness the design's? */
#include "policyd/words.h"

#include "t/unit/tap.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static const struct {
	const char *name;
	const char *const *words;
	const char *text;
	int want;
} finds[] = {
	{ "inbound is a direction", direction_words, "inbound", DIR_INBOUND },
	{ "outbound is a direction", direction_words, "outbound",
	    DIR_OUTBOUND },
	{ "internal is a direction", direction_words, "internal",
	    DIR_INTERNAL },
	{ "relay is a direction", direction_words, "relay", DIR_RELAY },
	{ "any is a direction", direction_words, "any", DIR_ANY },
	{ "active is a status", status_words, "active", STATUS_ACTIVE },
	{ "suspended is a status", status_words, "suspended",
	    STATUS_SUSPENDED },
	{ "disabled is a status", status_words, "disabled", STATUS_DISABLED },
	{ "greylisting may be off", greylist_words, "off", GREYLIST_OFF },
	{ "greylisting may be on", greylist_words, "on", GREYLIST_ON },
	{ "greylisting may go by score", greylist_words, "score",
	    GREYLIST_SCORE },
	{ "domain is a subject", subject_words, "domain", SUBJECT_DOMAIN },
	{ "mailbox is a subject", subject_words, "mailbox", SUBJECT_MAILBOX },
	{ "client is a subject", subject_words, "client", SUBJECT_CLIENT },
	{ "sender is a subject", subject_words, "sender", SUBJECT_SENDER },
	{ "recipient is a subject", subject_words, "recipient",
	    SUBJECT_RECIPIENT },
	{ "messages is a unit", unit_words, "messages", UNIT_MESSAGES },
	{ "recipients is a unit", unit_words, "recipients", UNIT_RECIPIENTS },
	{ "bytes is a unit", unit_words, "bytes", UNIT_BYTES },
	{ "permit is an action", action_words, "permit", ACTION_PERMIT },
	{ "warn is an action", action_words, "warn", ACTION_WARN },
	{ "prepend is an action", action_words, "prepend", ACTION_PREPEND },
	{ "filter is an action", action_words, "filter", ACTION_FILTER },
	{ "redirect is an action", action_words, "redirect",
	    ACTION_REDIRECT },
	{ "hold is an action", action_words, "hold", ACTION_HOLD },
	{ "greylist is an action", action_words, "greylist",
	    ACTION_GREYLIST },
	{ "separate is an action", action_words, "separate",
	    ACTION_SEPARATE },
	{ "defer is an action", action_words, "defer", ACTION_DEFER },
	{ "reject is an action", action_words, "reject", ACTION_REJECT },
	{ "case does not matter", status_words, "SusPended",
	    STATUS_SUSPENDED },
	{ "the start of a word is not the word", status_words, "suspend", -1 },
	{ "more than the word is not the word", status_words, "actives", -1 },
	{ "nothing is no word", status_words, "", -1 },
};

static const struct {
	const char *name;
	enum direction written, mail;
	bool want;
} applies[] = {
	{ "inbound is for inbound mail", DIR_INBOUND, DIR_INBOUND, true },
	{ "inbound is not for internal mail", DIR_INBOUND, DIR_INTERNAL,
	    false },
	{ "outbound is for outbound mail", DIR_OUTBOUND, DIR_OUTBOUND, true },
	{ "outbound includes internal mail", DIR_OUTBOUND, DIR_INTERNAL,
	    true },
	{ "outbound is not for relayed mail", DIR_OUTBOUND, DIR_RELAY,
	    false },
	{ "internal is not for outbound mail", DIR_INTERNAL, DIR_OUTBOUND,
	    false },
	{ "internal is for internal mail", DIR_INTERNAL, DIR_INTERNAL, true },
	{ "any is for inbound mail", DIR_ANY, DIR_INBOUND, true },
	{ "any is for internal mail", DIR_ANY, DIR_INTERNAL, true },
	{ "any is for relayed mail", DIR_ANY, DIR_RELAY, true },
};

/* From the mildest to the harshest, as verdicts are raised */
static const enum action by_harshness[] = {
	ACTION_PERMIT, ACTION_WARN, ACTION_PREPEND, ACTION_FILTER,
	ACTION_REDIRECT, ACTION_HOLD, ACTION_DEFER, ACTION_REJECT
};

static const struct {
	enum action action;
	bool is_whole_message, is_refusal;
} kinds[] = {
	{ ACTION_PERMIT, false, false },
	{ ACTION_WARN, false, false },
	{ ACTION_PREPEND, true, false },
	{ ACTION_FILTER, true, false },
	{ ACTION_REDIRECT, true, false },
	{ ACTION_HOLD, true, false },
	{ ACTION_GREYLIST, false, true },
	{ ACTION_SEPARATE, false, true },
	{ ACTION_DEFER, false, true },
	{ ACTION_REJECT, false, true },
};

static void
test_word_next(void)
{
	char text[] = " \tone  two\tthree ";
	char *rest = text;

	tap_is(word_next(&rest), "one", "blanks before a word are skipped");
	tap_is(word_next(&rest), "two", "several blanks part words");
	tap_is(word_next(&rest), "three", "a tab parts words");
	tap_is(rest, "", "blanks behind the last word are skipped");
	tap_is(word_next(&rest), "", "behind the last word is the empty one");
	tap_is(word_next(&rest), "", "and it stays that way");
}

int
main(void)
{
	char name[80];
	size_t i;

	for (i = 0; i < ROWS(finds); i++)
		tap_int(word_find(finds[i].words, finds[i].text),
		    finds[i].want, finds[i].name);
	for (i = 0; i < ROWS(applies); i++)
		tap_int(direction_applies(applies[i].written, applies[i].mail),
		    applies[i].want, applies[i].name);
	for (i = 1; i < ROWS(by_harshness); i++) {
		snprintf(name, sizeof(name), "%s is harsher than %s",
		    action_words[by_harshness[i]],
		    action_words[by_harshness[i - 1]]);
		tap_ok(by_harshness[i] > by_harshness[i - 1], name);
	}
	for (i = 0; i < ROWS(kinds); i++) {
		snprintf(name, sizeof(name), "%s acts on %s, and %s",
		    action_words[kinds[i].action], kinds[i].is_whole_message
		    ? "the whole message" : "one recipient",
		    kinds[i].is_refusal ? "refuses" : "lets pass");
		tap_ok(action_is_whole_message(kinds[i].action) ==
		    kinds[i].is_whole_message &&
		    action_is_refusal(kinds[i].action) == kinds[i].is_refusal,
		    name);
	}
	test_word_next();
	return tap_done();
}
