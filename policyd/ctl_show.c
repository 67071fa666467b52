/* SPDX-License-Identifier: ISC */
/* ctl_show.c - policyctl show NAME: each value in force, and the entry that it
 * comes from. */
#include "policyd/ctl.h"

static const char *
or_else(const char *text, const char *other)
{
	return *text != '\0' ? text : other;
}

static void
show(const struct ctl *ctl, const json_t *answer)
{
	struct ctl_table *table = ctl_table_new(CELLS("ATTRIBUTE", "VALUE",
	    "FROM"));
	const json_t *row, *rows = json_object_get(answer, "values");
	struct ctl_base base = { NULL };
	size_t i;

	ctl_print_name(ctl, answer);
	ctl_take_base(&base, rows, "dn");
	json_array_foreach(rows, i, row)
		ctl_table_add(table, CELLS(ctl_get(ctl, row, "attribute"),
		    or_else(ctl_get(ctl, row, "value"), "-"),
		    or_else(ctl_base_below(&base, ctl->arena,
			ctl_get(ctl, row, "dn")), "(built in)")));
	ctl_print_table(table, "It has no values.");
	ctl_print_base(ctl, &base);
}

enum ctl_exit
ctl_show(const struct ctl *ctl)
{
	return ctl_ask_and_print(ctl, &(struct ctl_question){
	    .path = "/show", .name = ctl->words[0] }, show);
}
