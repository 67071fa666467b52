/* SPDX-License-Identifier: ISC */
/* option_value.c - each type of option: what it takes, what it refuses with
 * which words, and how it writes what it took. */
#include "common/option_value.h"

#include <stdlib.h>

#include "t/unit/tap.h"

static const char *const colours[] = { "red", "green", NULL };

/* clang-format off */
static const struct row {
	const char *name;
	enum option_type type;
	int64_t min, max;
	const char *text;
	const char *printed;	/* NULL: refused */
	const char *why;
} rows[] = {
	{ "a string is kept as it is", OPTION_STRING, 0, 0, "a b", "\"a b\"", NULL },
	{ "quotes and backslashes are escaped when printed", OPTION_STRING, 0, 0, "a\"b\\c", "\"a\\\"b\\\\c\"", NULL },
	{ "control characters are escaped when printed", OPTION_STRING, 0, 0, "a\nb", "\"a\\x0Ab\"", NULL },
	{ "a bool is true", OPTION_BOOL, 0, 0, "true", "true", NULL },
	{ "a bool is false", OPTION_BOOL, 0, 0, "false", "false", NULL },
	{ "a bool is not yes", OPTION_BOOL, 0, 0, "yes", NULL, "neither true nor false" },
	{ "a duration has a unit", OPTION_DURATION, 0, 0, "90s", "\"90s\"", NULL },
	{ "a duration may be milliseconds", OPTION_DURATION, 0, 0, "200ms", "\"200ms\"", NULL },
	{ "a duration prints in its largest unit", OPTION_DURATION, 0, 0, "3600s", "\"1h\"", NULL },
	{ "a duration of nothing is allowed where unbounded", OPTION_DURATION, 0, 0, "0", "\"0\"", NULL },
	{ "a duration at its upper bound is fine", OPTION_DURATION, 1000, 60000, "1m", "\"1m\"", NULL },
	{ "a duration above its bound is refused", OPTION_DURATION, 1000, 60000, "61s", NULL, "out of bounds: at least 1s, at most 1m" },
	{ "a duration below its bound is refused", OPTION_DURATION, 1000, 60000, "999ms", NULL, "out of bounds: at least 1s, at most 1m" },
	{ "a count may have a unit", OPTION_COUNT, 0, 0, "10k", "\"10k\"", NULL },
	{ "a count may be plain", OPTION_COUNT, 0, 0, "500", "\"500\"", NULL },
	{ "a count may exceed what libconfig calls an integer", OPTION_COUNT, 0, 0, "18446744073709551615", "\"18446744073709551615\"", NULL },
	{ "a count above its bound is refused", OPTION_COUNT, 1, 1000, "1001", NULL, "out of bounds: at least 1, at most 1000" },
	{ "a count below its bound is refused", OPTION_COUNT, 1, 1000, "0", NULL, "out of bounds: at least 1, at most 1000" },
	{ "a mode is octal", OPTION_MODE, 0, 0, "0660", "\"0660\"", NULL },
	{ "a mode has no digit 8", OPTION_MODE, 0, 0, "0680", NULL, "not an octal mode such as 0660, at most 0777" },
	{ "a mode has no setuid bit", OPTION_MODE, 0, 0, "4755", NULL, "not an octal mode such as 0660, at most 0777" },
	{ "a mode is not empty", OPTION_MODE, 0, 0, "", NULL, "not an octal mode such as 0660, at most 0777" },
	{ "a word is one of its words", OPTION_WORD, 0, 0, "green", "\"green\"", NULL },
	{ "an unknown word is told the words", OPTION_WORD, 0, 0, "blue", NULL, "not one of: red, green" },
	{ "a list takes an item", OPTION_LIST, 0, 0, "x", "[ \"x\" ]", NULL },
};
/* clang-format on */

union place {
	const char *text;
	int64_t ms;
	struct option_list list;
};

static char *
printed(const struct option *row, const void *conf)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	option_value_print(row, conf, to);
	fclose(to);
	return text;
}

static void
test_row(const struct row *at, struct arena *arena)
{
	struct option row = { .name = "x", .type = at->type, .min = at->min,
		.max = at->max, .words = colours };
	union place conf;
	const char *why = NULL;
	char *text;
	int rc;

	memset(&conf, 0, sizeof(conf));
	rc = option_value_set(&row, at->text, &conf, arena, &why);
	if (at->printed == NULL) {
		tap_is(rc == -1 ? why : "accepted", at->why, at->name);
		return;
	}
	text = rc == 0 ? printed(&row, &conf) : NULL;
	tap_is(text, at->printed, at->name);
	free(text);
}

static void
test_list(struct arena *arena)
{
	struct option row = { .name = "x", .type = OPTION_LIST };
	struct option_list list = { 0 };
	const char *why;
	char *text;

	text = printed(&row, &list);
	tap_is(text, "[ ]", "an empty list prints as one");
	free(text);
	option_value_set(&row, "a", &list, arena, &why);
	option_value_set(&row, "b", &list, arena, &why);
	text = printed(&row, &list);
	tap_is(text, "[ \"a\", \"b\" ]", "a list keeps the order of its items");
	free(text);
}

int
main(void)
{
	struct arena *arena = arena_new(0);
	const char *why = NULL;
	int64_t ms;
	struct option row = { .name = "x", .type = OPTION_DURATION };
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		test_row(&rows[i], arena);
	test_list(arena);
	tap_ok(option_value_set(&row, "10x", &ms, arena, &why) == -1 &&
	    strstr(why, "90s") != NULL,
	    "what is no duration is told how one looks");
	arena_free(arena);
	return tap_done();
}
