/* SPDX-License-Identifier: ISC */
/* ctl_dns.c - dkimctl dns: what DNS has to say of each key that signs, has
 * signed or shall sign, in the form that whoever runs the zone can take.
 * Changes no DNS. */
#include "dkimsign/ctl.h"

#include <stdio.h>
#include <string.h>

#include "common/json_text.h"

#define STRING_MAX 255	/* RFC 1035 3.3: octets of one string of a TXT record */
#define TTL 3600	/* nsupdate wants one; a zone file has its own */

struct rows {
	const struct ctl *ctl;
	json_t *list;
	bool has_fault;
};

/* ---- Which records ---- */

/* A key that DNS has instead of this one, as two under one name are none */
static const struct keyview *
rival(const struct keyview *keys, size_t count, size_t at)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (i != at && strcmp(keys[i].selector, keys[at].selector) ==
		    0 && keys[i].record != NULL &&
		    (keys[i].state < keys[at].state ||
		    (keys[i].state == keys[at].state && i < at)))
			return &keys[i];
	return NULL;
}

static bool
is_published(const struct keyview *keys, size_t count, size_t at)
{
	const struct keyview *key = &keys[at];

	return key->state != KEYVIEW_WITHDRAWN && key->record != NULL &&
	    *key->selector != '\0' && rival(keys, count, at) == NULL;
}

/* A bad key has its record, too: what is bad may be only what we have */
static void
tell_fault(struct rows *rows, const struct keyview *keys, size_t count,
    size_t at)
{
	const struct keyview *key = &keys[at], *other;
	const char *why = key->reason;

	if (key->state == KEYVIEW_WITHDRAWN)
		return;
	if ((other = rival(keys, count, at)) != NULL)
		why = arena_printf(rows->ctl->arena,
		    "has the selector of %s", other->layer->dn);
	else if (*why == '\0' && !is_published(keys, count, at))
		why = "has no public half that could be published";
	if (*why == '\0')
		return;
	ctl_complain(rows->ctl, key->layer->dn, why);
	rows->has_fault = true;
}

static void
add_record(struct rows *rows, const char *domain, const struct keyview *key)
{
	json_array_append_new(rows->list, json_pack(
	    "{s:o, s:o, s:o, s:s, s:s, s:s}",
	    "domain", json_text(domain),
	    "selector", json_text(key->selector),
	    "name", json_text(arena_printf(rows->ctl->arena,
		"%s._domainkey.%s", key->selector, domain)),
	    "type", "TXT", "value", key->record,
	    "state", keyview_words[key->state]));
}

/* Any of a tenant's domains may be a signature's d= */
static void
add_tenant(void *arg, const struct tenant *tenant, const char *domain,
    const struct keyview *keys, size_t count)
{
	struct rows *rows = arg;
	size_t i, at;

	for (at = 0; at < count; at++)
		tell_fault(rows, keys, count, at);
	for (i = 0; i < tenant->domain_count; i++)
		for (at = 0; at < count; at++)
			if ((domain == NULL ||
			    strcmp(domain, tenant->domains[i]) == 0) &&
			    is_published(keys, count, at))
				add_record(rows, tenant->domains[i],
				    &keys[at]);
}

/* ---- In which form ---- */

/* The value as strings of a TXT record; nothing in it needs a backslash */
static void
print_strings(const char *value, const char *between)
{
	size_t len = strlen(value), piece;

	for (; len > 0; value += piece, len -= piece) {
		piece = len < STRING_MAX ? len : STRING_MAX;
		printf("\"%.*s\"%s", (int)piece, value,
		    piece < len ? between : "");
	}
}

static void
print_zone(const struct ctl *ctl, const json_t *row, const char *before)
{
	if (strcmp(before, ctl_get(ctl, row, "domain")) != 0)
		printf("; %s\n", ctl_get(ctl, row, "domain"));
	printf("%s.\tIN TXT (\n\t\t", ctl_get(ctl, row, "name"));
	print_strings(ctl_get(ctl, row, "value"), "\n\t\t");
	printf(" )\t; %s\n", ctl_get(ctl, row, "state"));
}

static void
print_line(const struct ctl *ctl, const json_t *row, const char *before)
{
	(void)before;
	printf("%s %s\n", ctl_get(ctl, row, "name"),
	    ctl_get(ctl, row, "value"));
}

/* In place of what is there; one message for each domain, which may be in
 * different zones */
static void
print_nsupdate(const struct ctl *ctl, const json_t *row, const char *before)
{
	const char *name = ctl_get(ctl, row, "name");

	if (*before != '\0' && strcmp(before, ctl_get(ctl, row, "domain")) != 0)
		puts("send");
	printf("update delete %s. TXT\nupdate add %s. %d TXT ", name, name,
	    TTL);
	print_strings(ctl_get(ctl, row, "value"), " ");
	putchar('\n');
}

static const struct format {
	const char *name;
	void (*print)(const struct ctl *ctl, const json_t *row,
	    const char *before);	/* the domain of the row before */
	const char *end;
} formats[] = {
	{ "zone", print_zone, "" },
	{ "line", print_line, "" },
	{ "nsupdate", print_nsupdate, "send\n" },
	{ "json", NULL, "" },
};
#define FORMATS (sizeof(formats) / sizeof(formats[0]))

static const struct format *
find_format(const struct ctl *ctl)
{
	const char *name = ctl->own->format;
	size_t i;

	if (name == NULL)
		return &formats[0];
	for (i = 0; i < FORMATS; i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	ctl_complain(ctl, name, "zone, line, nsupdate or json expected");
	return NULL;
}

static void
print_json(json_t *rows)
{
	json_t *answer = json_pack("{s:O}", "records", rows);

	json_dumpf(answer, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(answer);
}

static void
print_rows(const struct ctl *ctl, const struct format *format,
    json_t *rows)
{
	const char *before = "";
	const json_t *row;
	size_t i;

	if (format->print == NULL || ctl->is_json) {
		print_json(rows);
		return;
	}
	json_array_foreach(rows, i, row) {
		format->print(ctl, row, before);
		before = ctl_get(ctl, row, "domain");
	}
	if (i > 0)
		fputs(format->end, stdout);
}

enum ctl_exit
ctl_dns(const struct ctl *ctl)
{
	const struct format *format = find_format(ctl);
	struct rows rows = { .ctl = ctl };
	struct ctl_setup setup;
	enum ctl_exit code;

	if (format == NULL)
		return CTL_USAGE;
	rows.list = json_array();
	code = ctl_setup_directory(ctl, &setup);
	if (code == CTL_FINE)
		code = ctl_each_tenant(ctl, &setup, ctl->words[0], add_tenant,
		    &rows);
	if (code == CTL_FINE) {
		print_rows(ctl, format, rows.list);
		code = rows.has_fault ? CTL_WRONG : CTL_FINE;
	}
	json_decref(rows.list);
	ctl_setup_close(&setup);
	return code;
}
