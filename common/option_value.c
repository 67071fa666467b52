/* SPDX-License-Identifier: ISC */
/* option_value.c - what each type of option accepts and how it is written: one
 * row per type. Never guesses: a number without its unit is refused. */
#include "common/option_value.h"

#include <stdlib.h>
#include <string.h>

#include "common/quantity.h"

#define MODE_MAX 0777

static int
string_set(const struct option *row, const char *text, void *place,
    struct arena *arena, const char **why)
{
	(void)row;
	(void)why;
	*(const char **)place = arena_strdup(arena, text);
	return 0;
}

static int
bool_set(const struct option *row, const char *text, void *place,
    struct arena *arena, const char **why)
{
	(void)row;
	(void)arena;
	*(bool *)place = strcmp(text, "true") == 0;
	if (*(bool *)place || strcmp(text, "false") == 0)
		return 0;
	*why = "neither true nor false";
	return -1;
}

static int
duration_set(const struct option *row, const char *text, void *place,
    struct arena *arena, const char **why)
{
	int64_t ms;
	char min[QUANTITY_TEXT], max[QUANTITY_TEXT];

	if (quantity_duration(text, &ms, why) == -1)
		return -1;
	*(int64_t *)place = ms;
	if ((row->min == 0 && row->max == 0) ||
	    (ms >= row->min && ms <= row->max))
		return 0;
	*why = arena_printf(arena, "out of bounds: at least %s, at most %s",
	    quantity_duration_text(row->min, min),
	    quantity_duration_text(row->max, max));
	return -1;
}

static int
count_set(const struct option *row, const char *text, void *place,
    struct arena *arena, const char **why)
{
	uint64_t count;
	char min[QUANTITY_TEXT], max[QUANTITY_TEXT];

	if (quantity_count(text, &count, why) == -1)
		return -1;
	*(uint64_t *)place = count;
	if ((row->min == 0 && row->max == 0) ||
	    (count >= (uint64_t)row->min && count <= (uint64_t)row->max))
		return 0;
	*why = arena_printf(arena, "out of bounds: at least %s, at most %s",
	    quantity_count_text((uint64_t)row->min, min),
	    quantity_count_text((uint64_t)row->max, max));
	return -1;
}

static int
mode_set(const struct option *row, const char *text, void *place,
    struct arena *arena, const char **why)
{
	size_t digits = strspn(text, "01234567");
	unsigned long mode = strtoul(text, NULL, 8);

	(void)row;
	(void)arena;
	*why = "not an octal mode such as 0660, at most 0777";
	if (digits == 0 || text[digits] != '\0' || mode > MODE_MAX)
		return -1;
	*(unsigned *)place = (unsigned)mode;
	return 0;
}

static int
word_set(const struct option *row, const char *text, void *place,
    struct arena *arena, const char **why)
{
	const char *all = "";
	int i;

	for (i = 0; row->words[i] != NULL; i++) {
		if (strcmp(row->words[i], text) == 0) {
			*(int *)place = i;
			return 0;
		}
		all = arena_printf(arena, "%s%s%s", all, i > 0 ? ", " : "",
		    row->words[i]);
	}
	*why = arena_printf(arena, "not one of: %s", all);
	return -1;
}

static int
list_set(const struct option *row, const char *text, void *place,
    struct arena *arena, const char **why)
{
	struct option_list *list = place;
	const char **items = arena_alloc(arena,
	    (list->count + 1) * sizeof(*items));

	(void)row;
	(void)why;
	if (list->count > 0)
		memcpy(items, list->items, list->count * sizeof(*items));
	items[list->count++] = arena_strdup(arena, text);
	list->items = items;
	return 0;
}

static void
quoted_print(const char *text, FILE *to)
{
	putc('"', to);
	for (; *text != '\0'; text++)
		if (*text == '"' || *text == '\\')
			fprintf(to, "\\%c", *text);
		else if ((unsigned char)*text < ' ' || *text == '\x7f')
			fprintf(to, "\\x%02X", (unsigned char)*text);
		else
			putc(*text, to);
	putc('"', to);
}

static void
string_print(const struct option *row, const void *place, FILE *to)
{
	(void)row;
	quoted_print(*(const char *const *)place, to);
}

static void
bool_print(const struct option *row, const void *place, FILE *to)
{
	(void)row;
	fputs(*(const bool *)place ? "true" : "false", to);
}

static void
duration_print(const struct option *row, const void *place, FILE *to)
{
	char buf[QUANTITY_TEXT];

	(void)row;
	quoted_print(quantity_duration_text(*(const int64_t *)place, buf), to);
}

/* Quoted also without a unit: libconfig's own numbers end at 63 bits */
static void
count_print(const struct option *row, const void *place, FILE *to)
{
	char buf[QUANTITY_TEXT];

	(void)row;
	quoted_print(quantity_count_text(*(const uint64_t *)place, buf), to);
}

static void
mode_print(const struct option *row, const void *place, FILE *to)
{
	(void)row;
	fprintf(to, "\"%04o\"", *(const unsigned *)place);
}

static void
word_print(const struct option *row, const void *place, FILE *to)
{
	quoted_print(row->words[*(const int *)place], to);
}

static void
list_print(const struct option *row, const void *place, FILE *to)
{
	const struct option_list *list = place;
	size_t i;

	(void)row;
	fputs("[", to);
	for (i = 0; i < list->count; i++) {
		fputs(i > 0 ? ", " : " ", to);
		quoted_print(list->items[i], to);
	}
	fputs(" ]", to);
}

/* clang-format off */
static const struct {
	const char *wanted;
	int (*set)(const struct option *row, const char *text, void *place,
	    struct arena *arena, const char **why);
	void (*print)(const struct option *row, const void *place, FILE *to);
} types[] = {
	[OPTION_STRING] =   { "a text in quotes", string_set, string_print },
	[OPTION_BOOL] =     { "true or false", bool_set, bool_print },
	[OPTION_DURATION] = { "a duration in quotes, such as \"5m\"",
				duration_set, duration_print },
	[OPTION_COUNT] =    { "a number such as 500 or \"10k\"",
				count_set, count_print },
	[OPTION_MODE] =     { "an octal mode in quotes, such as \"0660\"",
				mode_set, mode_print },
	[OPTION_WORD] =     { "a word in quotes", word_set, word_print },
	[OPTION_LIST] =     { "a list of texts: [ \"...\", \"...\" ]",
				list_set, list_print },
};
/* clang-format on */

const char *
option_value_wanted(enum option_type type)
{
	return types[type].wanted;
}

int
option_value_set(const struct option *row, const char *text, void *conf,
    struct arena *arena, const char **why)
{
	return types[row->type].set(row, text, (char *)conf + row->offset,
	    arena, why);
}

void
option_value_print(const struct option *row, const void *conf, FILE *to)
{
	types[row->type].print(row, (const char *)conf + row->offset, to);
}
