/* SPDX-License-Identifier: ISC */
/* ctl_verify.c - dkimctl verify: what a receiver makes of each signature, with
 * records from the DNS, from a file, or as the directory would have them. */
#include "dkimsign/ctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/json_text.h"
#include "dkimsign/ctl_message.h"
#include "dkimsign/dns_txt.h"
#include "dkimsign/inspect.h"

struct source {
	const struct ctl *ctl;
	struct ctl_setup setup;
};

static enum record_answer
find_in_dns(void *arg, struct arena *arena, const char *name,
    const char **record, const char **why)
{
	const struct source *source = arg;

	return dns_txt(arena, source->ctl->own->server, name, record, why);
}

/* "NAME VALUE" in each line: what dns --format line prints */
static enum record_answer
find_in_file(void *arg, struct arena *arena, const char *name,
    const char **record, const char **why)
{
	const struct source *source = arg;
	enum record_answer answer = RECORD_ABSENT;
	FILE *from = fopen(source->ctl->own->records, "re");
	size_t len, room = 0;
	char *line = NULL;

	*why = "no such record in the file";
	if (from == NULL) {
		*why = strerror(errno);
		return RECORD_UNKNOWN;
	}
	while (answer == RECORD_ABSENT && getline(&line, &room, from) != -1) {
		line[strcspn(line, "\r\n")] = '\0';
		len = strcspn(line, " \t");
		if (len != strlen(name) || strncasecmp(line, name, len) != 0)
			continue;
		*record = arena_strdup(arena, line + len +
		    strspn(line + len, " \t"));
		answer = RECORD_FOUND;
	}
	free(line);
	fclose(from);
	return answer;
}

struct search {
	struct arena *arena;
	const char *name;
	const char *record;	/* NULL: not found */
};

static void
search_keys(void *arg, const struct tenant *tenant, const char *domain,
    const struct keyview *keys, size_t count)
{
	struct search *search = arg;
	const char *name;
	size_t i, at;

	(void)domain;
	for (at = 0; at < count; at++)
		for (i = 0; i < tenant->domain_count; i++) {
			name = arena_printf(search->arena, "%s._domainkey.%s",
			    keys[at].selector, tenant->domains[i]);
			if (keys[at].record != NULL &&
			    strcasecmp(name, search->name) == 0)
				search->record = keys[at].record;
		}
}

static enum record_answer
find_in_directory(void *arg, struct arena *arena, const char *name,
    const char **record, const char **why)
{
	const struct source *source = arg;
	struct search search = { arena, name, NULL };

	ctl_each_tenant(source->ctl, &source->setup, NULL, search_keys,
	    &search);
	*record = search.record;
	*why = "no such key in the directory";
	return search.record != NULL ? RECORD_FOUND : RECORD_ABSENT;
}

static json_t *
json_of(const struct inspected *list, size_t count)
{
	json_t *rows = json_array();
	size_t i;

	for (i = 0; i < count; i++)
		json_array_append_new(rows, json_pack(
		    "{s:s, s:o, s:o, s:o, s:o, s:o}",
		    "result", inspect_words[list[i].outcome],
		    "domain", json_text(list[i].domain),
		    "selector", json_text(list[i].selector),
		    "algorithm", json_text(list[i].algorithm),
		    "bits", list[i].bits > 0 ? json_integer(list[i].bits)
		    : json_null(),
		    "reason", json_text(list[i].why)));
	return json_pack("{s:o}", "signatures", rows);
}

static void
show(const struct ctl *ctl, const json_t *answer)
{
	struct ctl_table *table = ctl_table_new(CELLS("RESULT", "DOMAIN",
	    "SELECTOR", "ALGORITHM", ">BITS", "REASON"));
	const json_t *row, *rows = json_object_get(answer, "signatures");
	size_t i;

	json_array_foreach(rows, i, row)
		ctl_table_add(table, CELLS(ctl_get(ctl, row, "result"),
		    ctl_get(ctl, row, "domain"),
		    ctl_get(ctl, row, "selector"),
		    ctl_get(ctl, row, "algorithm"), ctl_get(ctl, row, "bits"),
		    ctl_get(ctl, row, "reason")));
	ctl_print_table(table, "There is no signature.");
}

/* Bad news first: one that fails says more than one that nobody can tell */
static enum ctl_exit
code_of(const struct inspected *list, size_t count)
{
	enum ctl_exit code = count > 0 ? CTL_FINE : CTL_WRONG;
	size_t i;

	for (i = 0; i < count && code != CTL_WRONG; i++)
		if (list[i].outcome == INSPECT_FAIL)
			code = CTL_WRONG;
		else if (list[i].outcome == INSPECT_UNKNOWN)
			code = CTL_UNASKED;
	return code;
}

static enum ctl_exit
verify(const struct ctl *ctl, struct source *source,
    const struct ctl_message *message)
{
	struct inspection in = { .header = &message->header,
		.body = message->text + message->body_at,
		.body_len = message->text_len - message->body_at,
		.find = ctl->own->records != NULL ? find_in_file
		    : ctl->own->asks_directory ? find_in_directory
		    : find_in_dns,
		.find_arg = source };
	struct inspected *list;
	const char *why;
	json_t *answer;
	size_t count;

	if (inspect(ctl->arena, &in, &list, &count, &why) == -1) {
		ctl_complain(ctl, "could not verify", why);
		return CTL_UNASKED;
	}
	answer = json_of(list, count);
	ctl_print(ctl, answer, show);
	json_decref(answer);
	return code_of(list, count);
}

enum ctl_exit
ctl_verify(const struct ctl *ctl)
{
	struct source source = { .ctl = ctl };
	struct ctl_message message = { .bytes = NULL };
	enum ctl_exit code = CTL_FINE;

	if (ctl->own->asks_directory + (ctl->own->records != NULL) +
	    (ctl->own->server != NULL) > 1) {
		ctl_complain(ctl, "usage", "--directory, --records or "
		    "--server, one of them");
		return CTL_USAGE;
	}
	if (ctl->own->asks_directory)
		code = ctl_setup_directory(ctl, &source.setup);
	if (code == CTL_FINE)
		code = ctl_message_read(ctl, &message);
	if (code == CTL_FINE)
		code = verify(ctl, &source, &message);
	ctl_message_free(&message);
	ctl_setup_close(&source.setup);
	return code;
}
