/* SPDX-License-Identifier: ISC */
/* ctl_exceptions.c - policyctl exceptions: every allow and block line, with
 * who answers for it and until when it holds. */
#include "policyd/ctl.h"

#include <string.h>

/* KIND PATTERN [DIRECTION] of a line: what has columns of its own left out */
static const char *
matcher(const struct ctl *ctl, const json_t *row)
{
	static const char *const options[] = { " expires=", " owner=",
		" note=" };
	char *value = arena_strdup(ctl->arena, ctl_get(ctl, row, "value"));
	char *option;
	size_t i;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if ((option = strcasestr(value, options[i])) != NULL)
			*option = '\0';
	return value;
}

static void
show(const struct ctl *ctl, const json_t *answer)
{
	struct ctl_table *table = ctl_table_new(CELLS("LIST", "WHAT",
	    "EXPIRES", "OWNER", "NOTE", "ENTRY"));
	const json_t *row, *rows = json_object_get(answer, "lines");
	struct ctl_base base = { NULL };
	size_t i;

	ctl_take_base(&base, rows, "dn");
	json_array_foreach(rows, i, row)
		ctl_table_add(table, CELLS(ctl_get(ctl, row, "list"),
		    matcher(ctl, row),
		    arena_printf(ctl->arena, "%s%s",
			json_is_true(json_object_get(row, "expired"))
			? "over: " : "", ctl_get(ctl, row, "expires")),
		    ctl_get(ctl, row, "owner"), ctl_get(ctl, row, "note"),
		    ctl_base_below(&base, ctl->arena,
			ctl_get(ctl, row, "dn"))));
	ctl_print_table(table, "There are no allow and no block lines.");
	ctl_print_base(ctl, &base);
}

enum ctl_exit
ctl_exceptions(const struct ctl *ctl)
{
	return ctl_ask_and_print(ctl, &(struct ctl_question){
	    .path = "/exceptions" }, show);
}
