/* SPDX-License-Identifier: ISC */
/* ctl.c - what every verb does: ask, complain, print what came as JSON or as
 * tables. Knows no verb. */
#include "policyd/ctl.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "policyd/ctl_text.h"

#define WIDTH 100	/* where there is no terminal to say */
#define WIDTH_MIN 60

void
ctl_complain(const struct ctl *ctl, const char *what, const char *why)
{
	fprintf(stderr, "policyctl: %s: %s\n", ctl_text_clean(ctl->arena,
	    what), ctl_text_clean(ctl->arena, why));
}

enum ctl_exit
ctl_ask(const struct ctl *ctl, const struct ctl_question *question,
    json_t **answer)
{
	const char *why;
	int status = ctl_http_ask(ctl->control, question, answer, &why);

	if (status == CTL_HTTP_OK)
		return CTL_FINE;
	if (status != -1) {
		why = arena_strdup(ctl->arena,
		    ctl_get(ctl, *answer, "error"));
		json_decref(*answer);
	}
	*answer = NULL;
	if (status == CTL_HTTP_UNKNOWN && question->name != NULL) {
		ctl_complain(ctl, question->name, why);
		return CTL_WRONG;
	}
	ctl_complain(ctl, "could not ask", why);
	return CTL_UNASKED;
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

enum ctl_exit
ctl_ask_and_print(const struct ctl *ctl, const struct ctl_question *question,
    ctl_printer *show)
{
	json_t *answer;
	enum ctl_exit code = ctl_ask(ctl, question, &answer);

	if (code == CTL_FINE)
		ctl_print(ctl, answer, show);
	json_decref(answer);
	return code;
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

void
ctl_print_name(const struct ctl *ctl, const json_t *answer)
{
	if (!json_is_null(json_object_get(answer, "mailbox")))
		printf("Mailbox %s of ", ctl_get_clean(ctl, answer, "mailbox"));
	printf("%s %s\n\n", json_is_null(json_object_get(answer, "mailbox"))
	    ? "Tenant" : "tenant", ctl_get_clean(ctl, answer, "tenant"));
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
