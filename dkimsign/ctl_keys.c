/* SPDX-License-Identifier: ISC */
/* ctl_keys.c - dkimctl keys: each key, what it is, and whether it signs now. */
#include "dkimsign/ctl.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/json_text.h"
#include "dkimsign/dkim_entry.h"

/* "2026-11-20T10:30:00Z"; null where there is no such bound */
static json_t *
json_time(int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	char text[sizeof("2026-11-20T10:30:00Z")];
	struct tm tm;

	if (ms == INT64_MIN || ms == INT64_MAX ||
	    gmtime_r(&seconds, &tm) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return json_null();
	return json_string(text);
}

static void
add_keys(void *arg, const struct tenant *tenant, const char *domain,
    const struct keyview *keys, size_t count)
{
	json_t *rows = arg;
	size_t i;

	(void)domain;
	for (i = 0; i < count; i++)
		json_array_append_new(rows, json_pack(
		    "{s:o, s:o, s:s, s:o, s:s, s:o, s:o, s:o, s:o}",
		    "tenant", json_text(tenant->id),
		    "selector", json_text(keys[i].selector),
		    "algorithm", keys[i].algorithm,
		    "bits", keys[i].bits > 0 ? json_integer(keys[i].bits)
		    : json_null(),
		    "state", keyview_words[keys[i].state],
		    "reason", json_text(keys[i].reason),
		    "not_before", json_time(keys[i].entry->not_before_ms),
		    "not_after", json_time(keys[i].entry->not_after_ms),
		    "dn", json_text(keys[i].layer->dn)));
}

/* What there is to be read in a column; none: where there is no bound */
static const char *
time_cell(const struct ctl *ctl, const json_t *row, const char *name,
    const char *none)
{
	const char *text = ctl_get(ctl, row, name);

	if (*text == '\0')
		return none;
	if (strncmp(text, "9999", 4) == 0)
		return "not set";
	return text;
}

static const char *
state_cell(const struct ctl *ctl, const json_t *row)
{
	const char *state = ctl_get(ctl, row, "state");
	const char *reason = ctl_get(ctl, row, "reason");

	return *reason == '\0' ? state
	    : arena_printf(ctl->arena, "%s: %s", state, reason);
}

static void
show(const struct ctl *ctl, const json_t *answer)
{
	struct ctl_table *table = ctl_table_new(CELLS("TENANT", "SELECTOR",
	    "KEY", ">BITS", "STATE", "FROM", "UNTIL", "ENTRY"));
	const json_t *row, *rows = json_object_get(answer, "keys");
	struct ctl_base base = { NULL };
	size_t i;

	ctl_take_base(&base, rows, "dn");
	json_array_foreach(rows, i, row)
		ctl_table_add(table, CELLS(ctl_get(ctl, row, "tenant"),
		    ctl_get(ctl, row, "selector"),
		    ctl_get(ctl, row, "algorithm"), ctl_get(ctl, row, "bits"),
		    state_cell(ctl, row),
		    time_cell(ctl, row, "not_before", "always"),
		    time_cell(ctl, row, "not_after", "no end"),
		    ctl_base_below(&base, ctl->arena,
			ctl_get(ctl, row, "dn"))));
	ctl_print_table(table, "There are no keys.");
	ctl_print_base(ctl, &base);
}

static bool
has_bad(const json_t *rows)
{
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
		if (strcmp(json_string_value(json_object_get(row, "state")),
		    keyview_words[KEYVIEW_BAD]) == 0)
			return true;
	return false;
}

enum ctl_exit
ctl_keys(const struct ctl *ctl)
{
	json_t *rows = json_array(), *answer = json_pack("{s:o}", "keys",
	    rows);
	struct ctl_setup setup;
	enum ctl_exit code = ctl_setup_directory(ctl, &setup);

	if (code == CTL_FINE)
		code = ctl_each_tenant(ctl, &setup, ctl->words[0], add_keys,
		    rows);
	if (code == CTL_FINE) {
		ctl_print(ctl, answer, show);
		code = has_bad(rows) ? CTL_WRONG : CTL_FINE;
	}
	json_decref(answer);
	ctl_setup_close(&setup);
	return code;
}
