/* SPDX-License-Identifier: ISC */
/* policy_values.c - fuzz target: the values that admins write in words. The
 * first octet chooses which; whatever the rest, what is taken has values
 * that are ones, and what is refused says why. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policyd/direction_rule.h"
#include "policyd/limit.h"
#include "policyd/list_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
check_limit(struct arena *arena, const char *value)
{
	const char *why = NULL;
	struct limit limit, again;
	char *text;

	if (limit_parse(arena, value, &limit, &why) == -1) {
		must(why != NULL);
		return;
	}
	must(strlen(limit.name) <= 64);
	if (limit.is_off)
		return;
	must(limit.window_ms == 0 || (limit.window_ms >= 1000 &&
	    limit.window_ms <= INT64_C(366) * 86400000));
	must(*limit_text(arena, &limit) != '\0');
	/* what is written out again is the same limit */
	text = arena_printf(arena, "%s %s %s %s %llu/%s %s", limit.name,
	    direction_words[limit.direction], subject_words[limit.subject],
	    unit_words[limit.unit], (unsigned long long)limit.count,
	    limit.window_ms == 0 ? "message" : arena_printf(arena, "%lldms",
	    (long long)limit.window_ms), action_words[limit.action]);
	must(limit_parse(arena, text, &again, &why) == 0);
	must(again.count == limit.count && again.window_ms == limit.window_ms);
}

static void
check_rule(struct arena *arena, const char *value)
{
	const char *why = NULL, *at;
	struct direction_rule rule;

	if (direction_rule_parse(arena, value, &rule, &why) == -1) {
		must(why != NULL);
		return;
	}
	must(!action_is_refusal(rule.action) || *rule.argument == '\0');
	must(strlen(rule.argument) <= 200);
	for (at = rule.argument; *at != '\0'; at++)
		must(*at >= ' ' && *at <= '~');
}

static void
check_line(struct arena *arena, const char *value)
{
	struct address address;
	struct ipaddr client = { { 0 } };
	struct list_subject subject = { .sender = &address,
		.recipient = &address, .client = &client,
		.client_name = value, .helo = value,
		.direction = DIR_INBOUND, .now_ms = 1 };
	const char *why = NULL;
	struct list_line line;
	char *rest, *pattern;

	if (list_line_parse(arena, value, true, &line, &why) == -1) {
		must(why != NULL);
		return;
	}
	must(*line.pattern != '\0' && line.expires_ms >= 0);
	must(strcmp(line.value, value) == 0);
	address_parse(arena, value, "+", &address);
	list_line_matches(&line, &subject);
	/* a line is about the very address that it names */
	if (line.form != PATTERN_ADDRESS || (line.direction != DIR_INBOUND &&
	    line.direction != DIR_ANY))
		return;
	rest = arena_strdup(arena, value);
	word_next(&rest);
	pattern = word_next(&rest);
	address_parse(arena, pattern, "", &address);
	must(list_line_is_expired(&line, 1) ||
	    list_line_matches(&line, &subject));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const checks[])(struct arena *, const char *) = {
		check_limit, check_rule, check_line };
	struct arena *arena = arena_new(0);

	if (size > 0)
		checks[*data % 3](arena, arena_strndup(arena,
		    (const char *)data + 1, size - 1));
	arena_free(arena);
	return 0;
}
