/* SPDX-License-Identifier: ISC */
/* option_value.h - the row of one option, and its value: from text into the
 * daemon's structure, and back in the file's own syntax. Knows types, not
 * files: those are option.h's. Pure. */
#ifndef COMMON_OPTION_VALUE_H
#define COMMON_OPTION_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/arena.h"

enum option_type {
	OPTION_STRING,		/* const char * */
	OPTION_BOOL,		/* bool */
	OPTION_DURATION,	/* int64_t ms; "200ms", "5m" or "0" */
	OPTION_COUNT,		/* uint64_t; 500 or "10k" */
	OPTION_MODE,		/* unsigned; octal in quotes: "0660" */
	OPTION_WORD,		/* int: index into words */
	OPTION_LIST		/* struct option_list of strings */
};

struct option_list {
	const char **items;
	size_t count;
};

struct option {
	const char *name;	/* "listen", "counters.timeout" */
	enum option_type type;
	size_t offset;		/* into the daemon's conf structure */
	const char *standard;	/* the default, as in the file, without the
				 * quotes of a string; a list's items are
				 * separated by blanks */
	int64_t min, max;	/* durations in ms, counts; 0, 0 = unbounded */
	const char *const *words;	/* OPTION_WORD: NULL-terminated */
	/* A further check of a string or of each item; 0, or -1 and why */
	int (*check)(const char *value, const char **why);
	const char *help;	/* one line, for -T and the sample */
};

/* What the file must hold for this type: "true or false" */
const char *option_value_wanted(enum option_type type);

/* Sets the row's place in conf from text; of a list, appends one item. Bounds
 * are held, row->check is not asked. 0, or -1 and why (static or arena). */
int option_value_set(const struct option *row, const char *text, void *conf,
    struct arena *arena, const char **why);

void option_value_print(const struct option *row, const void *conf, FILE *to);

#endif
