/* SPDX-License-Identifier: ISC */
/* ctl_check.c - policyctl check: what is wrong in the directory, what would
 * help; of the daemon's, of an LDIF file that is not in force yet, or of
 * changes that were not made yet. Next, for those: ctl_trial.c. */
#include "policyd/ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/directory.h"
#include "common/xmalloc.h"
#include "policyd/advice.h"
#include "common/ctl_text.h"
#include "policyd/ctl_trial.h"
#include "policyd/findings_json.h"
#include "policyd/policy.h"

/* A directory that is in a file as a whole */
static enum ctl_exit
read_whole(const struct ctl *ctl, json_t **answer)
{
	struct findings *advice;
	struct snapshot *snapshot;
	char *why, *uri, *path = realpath(ctl->own->ldif, NULL);

	if (path == NULL) {
		ctl_complain(ctl, ctl->own->ldif, strerror(errno));
		return CTL_UNASKED;
	}
	uri = xasprintf("ldif://%s", path);
	free(path);
	snapshot = directory_read(&(struct source_settings){ .uri = uri },
	    policy_parse, &why);
	free(uri);
	if (snapshot == NULL) {
		ctl_complain(ctl, "could not read", why);
		free(why);
		return CTL_UNASKED;
	}
	advice = findings_new();
	advice_find(NULL, snapshot, advice);
	*answer = json_pack("{s:o, s:o, s:I}", "findings",
	    findings_json(snapshot_findings(snapshot)),
	    "advice", findings_json_texts(advice),
	    "tenants", (json_int_t)snapshot_tenants(snapshot));
	findings_free(advice);
	snapshot_release(snapshot);
	return CTL_FINE;
}

static enum ctl_exit
read_ldif(const struct ctl *ctl, json_t **answer)
{
	struct findings *faults = findings_new();
	struct ldif_changes changes;
	enum ctl_exit code;
	const char *why;

	if (ldif_change_read(ctl->own->ldif, ctl->arena, &changes, faults,
	    &why) != 0) {
		ctl_complain(ctl, "could not read", why);
		code = CTL_UNASKED;
	} else if (ctl->own->adds || changes.is_explicit)
		code = ctl_trial(ctl, &changes, faults, answer);
	else
		code = read_whole(ctl, answer);
	findings_free(faults);
	return code;
}

/* What is wrong with the directory as a whole, or NULL */
static const char *
directory_fault(const struct ctl *ctl, const json_t *answer)
{
	const json_t *directory = json_object_get(answer, "directory");
	const char *state = ctl_get(ctl, directory, "state_file");
	const char *fault = ctl_get(ctl, directory, "problem");

	if (json_is_true(json_object_get(directory, "held")))
		fault = arena_printf(ctl->arena, "the directory is held back, "
		    "as it would remove %s of %s tenants; policyctl "
		    "accept-snapshot takes it",
		    ctl_get(ctl, directory, "held_removed"),
		    ctl_get(ctl, directory, "held_total"));
	if (*state != '\0')
		return arena_printf(ctl->arena, "%s; what serves is the state "
		    "file, as it was written %s", *fault != '\0' ? fault
		    : "no server has answered yet", state);
	if (*fault != '\0')
		return fault;
	if (json_is_null(json_object_get(directory, "adopted")))
		return "the directory was not read yet";
	return NULL;
}

/* Why the state file could not be written, or "" */
static const char *
state_problem(const struct ctl *ctl, const json_t *answer)
{
	const json_t *directory = json_object_get(answer, "directory");

	return directory == NULL ? ""
	    : ctl_get(ctl, directory, "state_file_problem");
}

static bool
has_level(const json_t *finding, const char *level)
{
	const char *its = json_string_value(json_object_get(finding, "level"));

	return its != NULL && strcmp(its, level) == 0;
}

static bool
has_error(const json_t *answer)
{
	const json_t *finding, *list = json_object_get(answer, "findings");
	size_t i;

	json_array_foreach(list, i, finding)
		if (has_level(finding, "error"))
			return true;
	return false;
}

/* What is told, in this order, and what it is called. Notes that were there
 * before, or are over, are not worth a line. */
static const struct {
	const char *list, *level, *label;
} sections[] = {
	{ "findings", "error", "error" },
	{ "findings", "note", "note" },
	{ "fixed", "error", "fixed" },
	{ "before", "error", "before" },
};
#define SECTIONS (sizeof(sections) / sizeof(sections[0]))

/* Where, what and why below each other: side by side they are too wide */
static void
add_findings(const struct ctl *ctl, struct ctl_table *table,
    const json_t *answer, size_t section)
{
	const json_t *finding, *list = json_object_get(answer,
	    sections[section].list);
	const char *label, *lines[3];
	size_t i, line;

	json_array_foreach(list, i, finding) {
		if (!has_level(finding, sections[section].level))
			continue;
		lines[0] = ctl_get(ctl, finding, "dn");
		lines[1] = ctl_get(ctl, finding, "attribute");
		if (*ctl_get(ctl, finding, "value") != '\0')
			lines[1] = arena_printf(ctl->arena, "%s: %s", lines[1],
			    ctl_get(ctl, finding, "value"));
		lines[2] = ctl_get(ctl, finding, "reason");
		label = sections[section].label;
		for (line = 0; line < 3; line++) {
			if (*lines[line] == '\0')
				continue;
			ctl_table_add(table, CELLS(label, lines[line]));
			label = "";
		}
	}
}

/* What was looked at, in one line */
static void
print_status(const struct ctl *ctl, const json_t *answer)
{
	const json_t *directory = json_object_get(answer, "directory");
	const json_t *counters = json_object_get(answer, "counters");
	const char *evicted = ctl_get(ctl, counters, "evicted");

	if (json_object_get(answer, "changes") != NULL) {
		printf("%s on top of %s; changes: %s, tenants: %s\n",
		    ctl_text_clean(ctl->arena, ctl->own->ldif),
		    ctl_get_clean(ctl, answer, "uri"),
		    ctl_get(ctl, answer, "changes"),
		    ctl_get(ctl, answer, "tenants"));
		return;
	}
	if (directory == NULL) {
		printf("%s; tenants: %s\n",
		    ctl_text_clean(ctl->arena, ctl->own->ldif),
		    ctl_get(ctl, answer, "tenants"));
		return;
	}
	printf("%s, read %s; counters: %s",
	    ctl_get_clean(ctl, directory, "uri"),
	    json_is_null(json_object_get(directory, "adopted")) ? "never"
	    : ctl_get_clean(ctl, directory, "adopted"),
	    ctl_get(ctl, counters, "records"));
	if (strcmp(evicted, "0") != 0)
		printf(", evicted: %s", evicted);
	printf("; connections: %s\n", ctl_get(ctl, answer, "connections"));
}

static void
show(const struct ctl *ctl, const json_t *answer)
{
	struct ctl_table *table = ctl_table_new(CELLS("LEVEL", "WHAT"));
	const json_t *text, *advice = json_object_get(answer, "advice");
	const char *fault = directory_fault(ctl, answer);
	const char *unwritten = state_problem(ctl, answer);
	size_t i;

	if (fault != NULL)
		ctl_table_add(table, CELLS("error", fault));
	if (*unwritten != '\0')
		ctl_table_add(table, CELLS("error", unwritten));
	for (i = 0; i < SECTIONS; i++)
		add_findings(ctl, table, answer, i);
	json_array_foreach(advice, i, text)
		ctl_table_add(table, CELLS("advice", json_string_value(text)));
	ctl_print_table(table, "All is well: no error, nothing to advise.");
	putchar('\n');
	print_status(ctl, answer);
}

enum ctl_exit
ctl_check(const struct ctl *ctl)
{
	enum ctl_exit code;
	json_t *answer;

	if (ctl->own->ldif != NULL)
		code = read_ldif(ctl, &answer);
	else
		code = ctl_ask(ctl, &(struct ctl_question){
		    .path = "/check" }, &answer);
	if (code != CTL_FINE)
		return code;
	ctl_print(ctl, answer, show);
	if (directory_fault(ctl, answer) != NULL || has_error(answer) ||
	    *state_problem(ctl, answer) != '\0')
		code = CTL_WRONG;
	json_decref(answer);
	return code;
}
