/* SPDX-License-Identifier: ISC */
/* ctl.c - what every verb of every tool does: complain, print what came as JSON
 * or as tables. Knows no verb and no tool. */
#include "common/ctl.h"

#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/ctl_text.h"

#define WIDTH 100	/* where there is no terminal to say */
#define WIDTH_MIN 60

void
ctl_complain(const struct ctl *ctl, const char *what, const char *why)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name,
	    ctl_text_clean(ctl->arena, what), ctl_text_clean(ctl->arena, why));
}

void
ctl_complain_findings(const struct findings *findings)
{
	size_t i;

	for (i = 0; i < findings_count(findings); i++)
		fprintf(stderr, "%s: %s\n", program_invocation_short_name,
		    finding_text(findings_at(findings, i)));
}

const char *
ctl_conf_path(const char *given, const char *usual)
{
	if (given == NULL && (access(usual, F_OK) == 0 || errno != ENOENT))
		return usual;
	return given;
}

void
ctl_print(const struct ctl *ctl, const json_t *answer, ctl_printer *show)
{
	if (!ctl->is_json) {
		show(ctl, answer);
		return;
	}
	json_dumpf(answer, stdout, JSON_INDENT(2));
	putchar('\n');
}

const char *
ctl_get(const struct ctl *ctl, const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	if (json_is_integer(value))
		return arena_printf(ctl->arena, "%" JSON_INTEGER_FORMAT,
		    json_integer_value(value));
	return json_is_string(value) ? json_string_value(value) : "";
}

const char *
ctl_get_clean(const struct ctl *ctl, const json_t *object, const char *name)
{
	return ctl_text_clean(ctl->arena, ctl_get(ctl, object, name));
}

static size_t
width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) ||
	    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == -1 || size.ws_col == 0)
		return WIDTH;
	return size.ws_col > WIDTH_MIN ? size.ws_col : WIDTH_MIN;
}

void
ctl_print_table(struct ctl_table *table, const char *none)
{
	if (ctl_table_is_empty(table))
		puts(none);
	else
		ctl_table_print(table, stdout, width(), isatty(STDOUT_FILENO));
	ctl_table_free(table);
}

void
ctl_take_base(struct ctl_base *base, const json_t *rows, const char *name)
{
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
		ctl_base_take(base, json_string_value(
		    json_object_get(row, name)));
}

void
ctl_print_base(const struct ctl *ctl, const struct ctl_base *base)
{
	if (base->dn != NULL && *base->dn != '\0')
		printf("\nEntries are below %s.\n",
		    ctl_text_clean(ctl->arena, base->dn));
}
