/* SPDX-License-Identifier: ISC */
/* direction_rule.c - is a posternDirectionRule value read as it is meant, and
 * are the built-in ones the design's? */
#include "policyd/direction_rule.h"

#include "t/unit/tap.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* want: as show() writes it; NULL: refused */
static const struct {
	const char *name;
	const char *value;
	const char *want;
} rows[] = {
	{ "own-sender, permitted", "inbound own-sender permit",
	    "inbound own-sender permit []" },
	{ "foreign-sender, rejected", "outbound foreign-sender reject",
	    "outbound foreign-sender reject []" },
	{ "other-mailbox, deferred", "outbound other-mailbox defer",
	    "outbound other-mailbox defer []" },
	{ "no-tls, held", "internal no-tls hold", "internal no-tls hold []" },
	{ "no-login, with a warning", "outbound no-login warn",
	    "outbound no-login warn []" },
	{ "no-rdns, with a header",
	    "inbound no-rdns prepend X-Client: no name",
	    "inbound no-rdns prepend [X-Client: no name]" },
	{ "bad-helo, to a filter",
	    "inbound bad-helo filter smtp:[127.0.0.1]:10025",
	    "inbound bad-helo filter [smtp:[127.0.0.1]:10025]" },
	{ "null-sender, redirected", "inbound null-sender redirect a@b.example",
	    "inbound null-sender redirect [a@b.example]" },
	{ "any in any direction", "any any permit", "any any permit []" },
	{ "any relayed mail", "relay any reject", "relay any reject []" },
	{ "case does not matter, but in the argument",
	    "INBOUND Any FILTER Smtp:Host", "inbound any filter [Smtp:Host]" },
	{ "blanks around and between", " relay \t any  reject  ",
	    "relay any reject []" },
	{ "a filter may have no next hop", "inbound any filter scan:",
	    "inbound any filter [scan:]" },
	{ "nothing is no rule", "", NULL },
	{ "an unknown direction is refused", "in any permit", NULL },
	{ "an unknown condition is refused", "inbound spam reject", NULL },
	{ "an unknown action is refused", "inbound any drop", NULL },
	{ "an action must be there", "inbound any", NULL },
	{ "a rule cannot greylist", "inbound any greylist", NULL },
	{ "a rule cannot separate", "inbound any separate", NULL },
	{ "a verb of Postfix is no action", "inbound any dunno", NULL },
	{ "reject takes no argument", "inbound any reject go away", NULL },
	{ "permit takes no argument", "inbound any permit x", NULL },
	{ "filter wants an argument", "inbound any filter", NULL },
	{ "filter wants a transport and a colon", "inbound any filter smtp",
	    NULL },
	{ "filter wants a transport before the colon",
	    "inbound any filter :host", NULL },
	{ "filter takes one word", "inbound any filter smtp:host x", NULL },
	{ "redirect wants an argument", "inbound any redirect", NULL },
	{ "redirect wants a domain", "inbound any redirect anna", NULL },
	{ "redirect wants a local part", "inbound any redirect @b.example",
	    NULL },
	{ "redirect wants a domain that can be one",
	    "inbound any redirect a@-b-", NULL },
	{ "redirect takes one address",
	    "inbound any redirect a@b.example c@d.example", NULL },
	{ "prepend wants a header", "inbound any prepend", NULL },
	{ "prepend wants a colon", "inbound any prepend X-Client no", NULL },
	{ "prepend wants a name", "inbound any prepend : no", NULL },
	{ "prepend wants a blank behind the colon",
	    "inbound any prepend X-Client:no", NULL },
	{ "prepend wants a value", "inbound any prepend X-Client: ", NULL },
	{ "an 8-bit argument is refused",
	    "inbound any prepend X: \303\244", NULL },
	{ "a line break in an argument is refused",
	    "inbound any prepend X: a\nY: b", NULL },
	{ "a tab in an argument is refused", "inbound any prepend X: a\tb",
	    NULL },
};

/* DESIGN section 3, every row */
static const struct {
	const char *name;
	enum direction direction;
	enum condition condition;
	enum action want;
} built_in[] = {
	{ "inbound own-sender is rejected", DIR_INBOUND, COND_OWN_SENDER,
	    ACTION_REJECT },
	{ "outbound foreign-sender is rejected", DIR_OUTBOUND,
	    COND_FOREIGN_SENDER, ACTION_REJECT },
	{ "outbound other-mailbox is permitted", DIR_OUTBOUND,
	    COND_OTHER_MAILBOX, ACTION_PERMIT },
	{ "outbound no-tls is permitted", DIR_OUTBOUND, COND_NO_TLS,
	    ACTION_PERMIT },
	{ "outbound no-login is permitted", DIR_OUTBOUND, COND_NO_LOGIN,
	    ACTION_PERMIT },
	{ "inbound no-rdns is permitted", DIR_INBOUND, COND_NO_RDNS,
	    ACTION_PERMIT },
	{ "inbound bad-helo is permitted", DIR_INBOUND, COND_BAD_HELO,
	    ACTION_PERMIT },
	{ "inbound null-sender is permitted", DIR_INBOUND, COND_NULL_SENDER,
	    ACTION_PERMIT },
	{ "any any is permitted", DIR_ANY, COND_ANY, ACTION_PERMIT },
	{ "relay any is rejected", DIR_RELAY, COND_ANY, ACTION_REJECT },
};

static const char *
show(struct arena *arena, const struct direction_rule *rule)
{
	return arena_printf(arena, "%s %s %s [%s]",
	    direction_words[rule->direction], condition_words[rule->condition],
	    action_words[rule->action], rule->argument);
}

static void
test_long_argument(struct arena *arena)
{
	struct direction_rule rule;
	const char *why;
	char x[201];

	memset(x, 'x', sizeof(x));
	tap_ok(direction_rule_parse(arena, arena_printf(arena,
	    "inbound any prepend X: %.197s", x), &rule, &why) == 0,
	    "an argument of 200 bytes is the longest");
	tap_ok(direction_rule_parse(arena, arena_printf(arena,
	    "inbound any prepend X: %.198s", x), &rule, &why) == -1,
	    "an argument of 201 bytes is refused");
}

static void
test_built_in(void)
{
	const struct direction_rule *rule;
	size_t i, j;
	int found;

	for (i = 0; i < ROWS(built_in); i++) {
		found = -1;
		for (j = 0; j < direction_rules_built_in_count; j++) {
			rule = &direction_rules_built_in[j];
			if (rule->direction == built_in[i].direction &&
			    rule->condition == built_in[i].condition)
				found = (int)rule->action;
		}
		tap_int(found, built_in[i].want, built_in[i].name);
	}
	tap_int((int64_t)direction_rules_built_in_count, ROWS(built_in),
	    "nothing else is built in");
}

int
main(void)
{
	struct arena *arena = arena_new(0);
	struct direction_rule rule;
	const char *why;
	size_t i;
	int rc;

	for (i = 0; i < ROWS(rows); i++) {
		why = "";
		rc = direction_rule_parse(arena, rows[i].value, &rule, &why);
		tap_is(rc == 0 ? show(arena, &rule) : NULL, rows[i].want,
		    rows[i].name);
		if (rc == -1 && *why == '\0')
			tap_ok(false, "a refusal says why");
	}
	test_long_argument(arena);
	test_built_in();
	arena_free(arena);
	return tap_done();
}
