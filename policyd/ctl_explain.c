/* SPDX-License-Identifier: ISC */
/* ctl_explain.c - policyctl explain: what would be answered to a request, and
 * what each stage says to it. The daemon charges nothing for it. */
#include "policyd/ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/quantity.h"

#define REQUEST_MAX (64 * 1024)

/* What the stages before the rules have found out */
static void
print_facts(const struct ctl *ctl, const json_t *answer)
{
	static const char *const names[] = { "direction", "trust", "tenant",
		"mailbox", "sender", "recipient" };
	struct ctl_table *table = ctl_table_new(CELLS("", ""));
	const char *text;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		text = ctl_get(ctl, answer, names[i]);
		ctl_table_add(table, CELLS(names[i],
		    *text != '\0' ? text : "<>"));
	}
	ctl_print_table(table, "");
}

static const char *
greylist_text(const struct ctl *ctl, const json_t *greylist)
{
	const char *answer = ctl_get(ctl, greylist, "answer");
	char wait[QUANTITY_TEXT];

	if (strcmp(answer, "pass") == 0)
		return "known, or back in time";
	return arena_printf(ctl->arena, "%s; let in after %s",
	    strcmp(answer, "new") == 0 ? "never seen" : "back too early",
	    quantity_wait_text(json_integer_value(
		json_object_get(greylist, "wait_ms")), wait));
}

static void
print_rules(const struct ctl *ctl, const json_t *answer,
    const struct ctl_base *base)
{
	struct ctl_table *table = ctl_table_new(CELLS("RULE", "VERDICT",
	    "WHY", "FROM"));
	const json_t *greylist = json_object_get(answer, "greylist");
	const json_t *row, *rows = json_object_get(answer, "rules");
	size_t i;

	json_array_foreach(rows, i, row)
		ctl_table_add(table, CELLS(ctl_get(ctl, row, "rule"),
		    ctl_get(ctl, row, "verdict"), ctl_get(ctl, row, "text"),
		    ctl_base_below(base, ctl->arena,
			ctl_get(ctl, row, "dn"))));
	if (json_is_object(greylist))
		ctl_table_add(table, CELLS("greylist",
		    strcmp(ctl_get(ctl, greylist, "answer"), "pass") == 0
		    ? "permit" : "greylist", greylist_text(ctl, greylist)));
	putchar('\n');
	ctl_print_table(table, "No rule was asked.");
}

static void
print_limits(const struct ctl *ctl, const json_t *answer,
    const struct ctl_base *base)
{
	struct ctl_table *table = ctl_table_new(CELLS("LIMIT", "SUBJECT",
	    "ALLOWS", ">USED", ">COST", "VERDICT", "FROM"));
	const json_t *row, *rows = json_object_get(answer, "limits");
	size_t i;

	json_array_foreach(rows, i, row)
		ctl_table_add(table, CELLS(ctl_get(ctl, row, "name"),
		    ctl_get(ctl, row, "subject"),
		    ctl_get(ctl, row, "limit"), ctl_get(ctl, row, "used"),
		    ctl_get(ctl, row, "cost"),
		    json_is_true(json_object_get(row, "exceeded"))
		    ? ctl_get(ctl, row, "action") : "permit",
		    ctl_base_below(base, ctl->arena,
			ctl_get(ctl, row, "dn"))));
	putchar('\n');
	ctl_print_table(table, "No limit applies.");
}

static void
show(const struct ctl *ctl, const json_t *answer)
{
	const json_t *decision = json_object_get(answer, "decision");
	struct ctl_base base = { NULL };

	ctl_take_base(&base, json_object_get(answer, "rules"), "dn");
	ctl_take_base(&base, json_object_get(answer, "limits"), "dn");
	print_facts(ctl, answer);
	print_rules(ctl, answer, &base);
	print_limits(ctl, answer, &base);
	ctl_print_base(ctl, &base);
	printf("\nDecision: %s", ctl_get_clean(ctl, decision, "verdict"));
	if (strcmp(ctl_get(ctl, decision, "rule"), "-") != 0)
		printf(", by %s", ctl_get_clean(ctl, decision, "rule"));
	printf("\nPostfix would get: %s\n",
	    ctl_get_clean(ctl, answer, "reply"));
}

/* The words as lines; NULL, and said, where one is no attr=value */
static const char *
body_of_words(const struct ctl *ctl)
{
	const char *const *word, *body = "";

	for (word = ctl->words; *word != NULL; word++) {
		if (strchr(*word, '=') == NULL) {
			ctl_complain(ctl, *word, "not attr=value");
			return NULL;
		}
		body = arena_printf(ctl->arena, "%s%s\n", body, *word);
	}
	return body;
}

/* NULL, and said, where it cannot be a request */
static const char *
body_of_stdin(const struct ctl *ctl)
{
	char *body = arena_alloc(ctl->arena, REQUEST_MAX + 1);
	size_t len;

	if (isatty(STDIN_FILENO))
		fputs("A request, a line for each attr=value; end with "
		    "Ctrl-D:\n", stderr);
	len = fread(body, 1, REQUEST_MAX + 1, stdin);
	if (ferror(stdin))
		ctl_complain(ctl, "standard input", strerror(errno));
	else if (len > REQUEST_MAX)
		ctl_complain(ctl, "standard input", "more than 64 KiB");
	else if (strlen(body) != len)
		ctl_complain(ctl, "standard input", "a NUL byte");
	else
		return body;
	return NULL;
}

enum ctl_exit
ctl_explain(const struct ctl *ctl)
{
	bool has_words = ctl->words[0] != NULL;
	const char *body = has_words ? body_of_words(ctl)
	    : body_of_stdin(ctl);

	if (body == NULL)
		return has_words ? CTL_USAGE : CTL_UNASKED;
	return ctl_ask_and_print(ctl, &(struct ctl_question){
	    .path = "/explain", .body = body }, show);
}
