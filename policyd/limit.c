/* SPDX-License-Identifier: ISC */
/* limit.c - reads posternRateLimit values. Which of them are in force is
 * effective.c's business, counting is rule_limits.c's. Pure. */
#include "policyd/limit.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "common/quantity.h"

#define WORDS_MAX 6

static bool
name_is_fine(char *name)
{
	char *at;

	for (at = name; *at != '\0'; at++) {
		if (!isalnum((unsigned char)*at) && strchr("-_.", *at) == NULL)
			return false;
		*at = (char)tolower((unsigned char)*at);
	}
	return at - name <= 64;
}

/* COUNT/WINDOW */
static int
rate_parse(char *text, struct limit *out, const char **why)
{
	char *slash = strchr(text, '/');

	*why = "COUNT/WINDOW expected, such as 50/1h or 100/message";
	if (slash == NULL)
		return -1;
	*slash++ = '\0';
	if (quantity_count(text, &out->count, why) == -1)
		return -1;
	if (strcasecmp(slash, "message") == 0) {
		out->window_ms = 0;
		return 0;
	}
	if (quantity_duration(slash, &out->window_ms, why) == -1)
		return -1;
	*why = "the window is at least 1s and at most 366d";
	return out->window_ms >= 1000 && out->window_ms <= 366 * 86400000LL
	    ? 0 : -1;
}

static int
word_parse(const char *const *words, const char *text, int *out)
{
	*out = word_find(words, text);
	return *out;
}

int
limit_parse(struct arena *arena, const char *value, struct limit *out,
    const char **why)
{
	char *words[WORDS_MAX], *rest = arena_strdup(arena, value);
	size_t n;
	int direction, subject, unit, action = ACTION_DEFER;

	for (n = 0; n < WORDS_MAX && *rest != '\0'; n++)
		words[n] = word_next(&rest);
	*out = (struct limit){ .name = n > 0 ? words[0] : "", .identity = "" };
	*why = "the name has letters, digits, '-', '_' and '.', at most 64";
	if (n > 0 && !name_is_fine(words[0]))
		return -1;
	if (n == 2 && strcasecmp(words[1], "off") == 0) {
		out->is_off = true;
		return 0;
	}
	*why = "NAME DIRECTION SUBJECT UNIT COUNT/WINDOW [ACTION] expected, "
	    "or NAME off";
	if ((n != 5 && n != 6) || *rest != '\0')
		return -1;
	*why = "DIRECTION is inbound, outbound, internal, relay or any";
	if (word_parse(direction_words, words[1], &direction) == -1)
		return -1;
	*why = "SUBJECT is domain, mailbox, client, sender or recipient";
	if (word_parse(subject_words, words[2], &subject) == -1)
		return -1;
	*why = "UNIT is messages, recipients or bytes";
	if (word_parse(unit_words, words[3], &unit) == -1)
		return -1;
	*why = "ACTION is defer, reject, hold or warn";
	if (n == 6 && word_parse(action_words, words[5], &action) == -1)
		return -1;
	if (action != ACTION_DEFER && action != ACTION_REJECT &&
	    action != ACTION_HOLD && action != ACTION_WARN)
		return -1;
	out->direction = (enum direction)direction;
	out->subject = (enum subject)subject;
	out->unit = (enum unit)unit;
	out->action = (enum action)action;
	if (rate_parse(words[4], out, why) == -1)
		return -1;
	/* none of the words holds a blank */
	out->identity = arena_printf(arena, "%s %s %s %s %lld", out->name,
	    direction_words[direction], subject_words[subject],
	    unit_words[unit], (long long)out->window_ms);
	return 0;
}

const char *
limit_text(struct arena *arena, const struct limit *limit)
{
	char count[QUANTITY_TEXT], window[QUANTITY_TEXT];

	return arena_printf(arena, "%s %s per %s",
	    quantity_count_text(limit->count, count), unit_words[limit->unit],
	    limit->window_ms == 0 ? "message"
	    : quantity_duration_text(limit->window_ms, window));
}

const char *
limit_value_text(struct arena *arena, const struct limit *limit)
{
	char count[QUANTITY_TEXT], window[QUANTITY_TEXT];

	return arena_printf(arena, "%s %s %s %s %s/%s %s", limit->name,
	    direction_words[limit->direction], subject_words[limit->subject],
	    unit_words[limit->unit], quantity_count_text(limit->count, count),
	    limit->window_ms == 0 ? "message"
	    : quantity_duration_text(limit->window_ms, window),
	    action_words[limit->action]);
}
