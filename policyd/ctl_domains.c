/* SPDX-License-Identifier: ISC */
/* ctl_domains.c - policyctl domains: a row per tenant. */
#include "policyd/ctl.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/log.h"

static const char *
joined(const struct ctl *ctl, const json_t *texts)
{
	const json_t *text;
	char *all = NULL;
	const char *kept;
	size_t i, len;
	FILE *to = open_memstream(&all, &len);

	if (to == NULL)
		fatal("open_memstream: %m");
	json_array_foreach(texts, i, text)
		fprintf(to, "%s%s", i > 0 ? ", " : "",
		    json_string_value(text));
	fclose(to);
	kept = arena_strdup(ctl->arena, all);
	free(all);
	return kept;
}

static void
show(const struct ctl *ctl, const json_t *answer)
{
	struct ctl_table *table = ctl_table_new(CELLS("TENANT", "DOMAINS",
	    "STATUS", ">MAILBOXES", "TEMPLATE"));
	const json_t *row, *rows = json_object_get(answer, "tenants");
	struct ctl_base base = { NULL };
	size_t i;

	ctl_take_base(&base, rows, "template");
	json_array_foreach(rows, i, row)
		ctl_table_add(table, CELLS(ctl_get(ctl, row, "tenant"),
		    joined(ctl, json_object_get(row, "domains")),
		    ctl_get(ctl, row, "status"),
		    ctl_get(ctl, row, "mailboxes"),
		    ctl_base_below(&base, ctl->arena,
			ctl_get(ctl, row, "template"))));
	ctl_print_table(table, "There are no tenants.");
	ctl_print_base(ctl, &base);
}

enum ctl_exit
ctl_domains(const struct ctl *ctl)
{
	return ctl_ask_and_print(ctl, &(struct ctl_question){
	    .path = "/domains" }, show);
}
