/* SPDX-License-Identifier: ISC */
/* ctl_usage.c - policyctl usage NAME: how much of each limit is used up. */
#include "policyd/ctl.h"

#define BAR "##########"
#define BAR_REST ".........."
#define BAR_COLUMNS 10

/* "######....  60%"; full only when nothing is left, empty only when nothing
 * is used */
static const char *
share(const struct ctl *ctl, const json_t *row)
{
	json_int_t used = json_integer_value(json_object_get(row, "used"));
	json_int_t count = json_integer_value(json_object_get(row, "count"));
	double part = count > 0 ? (double)used / (double)count : 1;
	int full = part < 1 ? (int)(part * BAR_COLUMNS) : BAR_COLUMNS;

	if (full == 0 && used > 0)
		full = 1;
	return arena_printf(ctl->arena, "%.*s%.*s %3.0f%%", full, BAR,
	    BAR_COLUMNS - full, BAR_REST,
	    part < 1 && part > 0.99 ? 99 : 100 * part);
}

static void
show(const struct ctl *ctl, const json_t *answer)
{
	struct ctl_table *table = ctl_table_new(CELLS("LIMIT", "DIRECTION",
	    "SUBJECT", "ALLOWS", "THEN", ">USED", "SHARE"));
	const json_t *row, *rows = json_object_get(answer, "limits");
	size_t i;

	ctl_print_name(ctl, answer);
	json_array_foreach(rows, i, row)
		ctl_table_add(table, CELLS(ctl_get(ctl, row, "name"),
		    ctl_get(ctl, row, "direction"),
		    ctl_get(ctl, row, "subject"),
		    ctl_get(ctl, row, "limit"), ctl_get(ctl, row, "action"),
		    ctl_get(ctl, row, "used"), share(ctl, row)));
	ctl_print_table(table, "It has no limit with a counter of its own.");
}

enum ctl_exit
ctl_usage(const struct ctl *ctl)
{
	return ctl_ask_and_print(ctl, &(struct ctl_question){
	    .path = "/usage", .name = ctl->words[0] }, show);
}
