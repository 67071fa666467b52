/* SPDX-License-Identifier: ISC */
/* direction_rule.c - reads posternDirectionRule values. Whether a condition
 * holds is rule_direction.c's business. Pure. */
#include "policyd/direction_rule.h"

#include <ctype.h>
#include <stddef.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "common/address.h"

#define ARGUMENT_MAX 200	/* bytes: what a reply's text may have */

const char *const condition_words[] = {
	"own-sender", "foreign-sender", "other-mailbox", "no-tls", "no-login",
	"no-rdns", "bad-helo", "null-sender", "any", NULL
};

/* DESIGN section 3. What is not here is permitted. */
const struct direction_rule direction_rules_built_in[] = {
	{ DIR_INBOUND, COND_OWN_SENDER, ACTION_REJECT, "", false },
	{ DIR_OUTBOUND, COND_FOREIGN_SENDER, ACTION_REJECT, "", false },
	{ DIR_OUTBOUND, COND_OTHER_MAILBOX, ACTION_PERMIT, "", false },
	{ DIR_OUTBOUND, COND_NO_TLS, ACTION_PERMIT, "", false },
	{ DIR_OUTBOUND, COND_NO_LOGIN, ACTION_PERMIT, "", false },
	{ DIR_INBOUND, COND_NO_RDNS, ACTION_PERMIT, "", false },
	{ DIR_INBOUND, COND_BAD_HELO, ACTION_PERMIT, "", false },
	{ DIR_INBOUND, COND_NULL_SENDER, ACTION_PERMIT, "", false },
	{ DIR_ANY, COND_ANY, ACTION_PERMIT, "", false },
	{ DIR_RELAY, COND_ANY, ACTION_REJECT, "", false },
};
const size_t direction_rules_built_in_count =
    sizeof(direction_rules_built_in) / sizeof(direction_rules_built_in[0]);

static bool
is_printable(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

/* TRANSPORT:NEXTHOP, as transport(5) has it; the next hop may be empty */
static int
check_filter(const char *text, const char **why)
{
	const char *colon = strchr(text, ':');

	*why = "filter wants TRANSPORT:NEXTHOP";
	return colon != NULL && colon != text && strchr(text, ' ') == NULL
	    ? 0 : -1;
}

static int
check_redirect(const char *text, const char **why)
{
	const char *at = strrchr(text, '@');
	char domain[DOMAIN_MAX];

	*why = "redirect wants a mail address";
	return at != NULL && at != text && strchr(text, ' ') == NULL &&
	    domain_normalise(at + 1, strlen(at + 1), domain) == 0 ? 0 : -1;
}

/* RFC 5322 2.2: a field name is printable ASCII but for ':' */
static int
check_prepend(const char *text, const char **why)
{
	size_t name = strcspn(text, ": ");

	*why = "prepend wants HEADER: VALUE";
	return name > 0 && text[name] == ':' && text[name + 1] == ' ' &&
	    text[name + 2] != '\0' ? 0 : -1;
}

static int
check_none(const char *text, const char **why)
{
	*why = "this action takes no argument";
	return *text == '\0' ? 0 : -1;
}

static const struct {
	enum action action;
	int (*check)(const char *text, const char **why);
} actions[] = {
	{ ACTION_PERMIT, check_none },
	{ ACTION_REJECT, check_none },
	{ ACTION_DEFER, check_none },
	{ ACTION_HOLD, check_none },
	{ ACTION_WARN, check_none },
	{ ACTION_FILTER, check_filter },
	{ ACTION_REDIRECT, check_redirect },
	{ ACTION_PREPEND, check_prepend },
};

static int
action_parse(const char *word, const char *argument, enum action *out,
    const char **why)
{
	size_t i;

	for (i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strcasecmp(action_words[actions[i].action], word) == 0) {
			*out = actions[i].action;
			return actions[i].check(argument, why);
		}
	*why = "ACTION is permit, reject, defer, hold, warn, filter, redirect "
	    "or prepend";
	return -1;
}

int
direction_rule_parse(struct arena *arena, const char *value,
    struct direction_rule *out, const char **why)
{
	char *rest = arena_strdup(arena, value);
	size_t len = strlen(rest);
	int direction, condition;
	const char *word;

	while (len > 0 && isspace((unsigned char)rest[len - 1]))
		rest[--len] = '\0';
	*why = "DIRECTION is inbound, outbound, internal, relay or any";
	if ((direction = word_find(direction_words, word_next(&rest))) == -1)
		return -1;
	*why = "CONDITION is own-sender, foreign-sender, other-mailbox, "
	    "no-tls, no-login, no-rdns, bad-helo, null-sender or any";
	if ((condition = word_find(condition_words, word_next(&rest))) == -1)
		return -1;
	word = word_next(&rest);
	out->direction = (enum direction)direction;
	out->condition = (enum condition)condition;
	out->argument = rest;
	out->is_twice = false;
	*why = "the argument is printable ASCII, at most 200 bytes";
	if (!is_printable(rest) || strlen(rest) > ARGUMENT_MAX)
		return -1;
	return action_parse(word, rest, &out->action, why);
}
