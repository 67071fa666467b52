/* SPDX-License-Identifier: ISC */
/* ldif.c - an LDIF file's records into entries, each DN once. Never takes a
 * change for an entry. Next: layer.c. */
#include "common/ldif.h"

#include <lber.h>
#include <stdio.h>	/* which ldif.h wants */
#include <ldif.h>
#include <string.h>
#include <strings.h>

#include "common/ldif_file.h"
#include "common/table.h"

struct reader {
	struct ldif_file file;
	void (*take)(void *arg, const struct entry *entry);
	void *arg;
	struct findings *findings;
	struct arena *arena;	/* of one record */
	struct arena *keys;	/* of all: what seen stands on */
	struct table *seen;	/* normalised DN to line */
};

struct seen {
	unsigned long line;
	char key[];
};

static void
report(struct reader *r, const struct entry *entry, const char *name,
    const char *reason)
{
	findings_add(r->findings, FINDING_ERROR, entry ? entry->dn : "", name,
	    "", "line %lu: %s", r->file.line, reason);
}

/* A new entry; NULL, and reported, where it cannot be one */
static struct entry *
begin_entry(struct reader *r, const struct berval *dn)
{
	struct entry *entry = NULL;
	struct seen *seen;

	if (strlen(dn->bv_val) == dn->bv_len)
		entry = entry_new(r->arena, dn->bv_val, r->file.line);
	if (entry == NULL) {
		findings_add(r->findings, FINDING_ERROR, dn->bv_val, "", "",
		    "line %lu: not a DN; entry left out", r->file.line);
		return NULL;
	}
	if ((seen = table_gets(r->seen, entry->key)) != NULL) {
		findings_add(r->findings, FINDING_ERROR, entry->dn, "", "",
		    "line %lu: this DN again; the entry at line %lu holds",
		    r->file.line, seen->line);
		return NULL;
	}
	seen = arena_alloc(r->keys, sizeof(*seen) + strlen(entry->key) + 1);
	seen->line = r->file.line;
	strcpy(seen->key, entry->key);
	table_puts(r->seen, seen->key, seen);
	return entry;
}

static void
end_entry(struct reader *r, const struct entry *entry)
{
	if (entry != NULL)
		r->take(r->arg, entry);
}

/* A line before the DN. True where the record may go on. */
static bool
read_preface(struct reader *r, const char *name, const struct berval *value)
{
	if (strcasecmp(name, "version") == 0) {
		if (strcmp(value->bv_val, "1") != 0)
			report(r, NULL, name, "this is read as version 1");
		return true;
	}
	if (strcasecmp(name, "include") == 0) {
		report(r, NULL, name, "not followed: put all into one file");
		return true;
	}
	report(r, NULL, name, "the record does not begin with dn:; left out");
	return false;
}

/* One line of an entry. False: the rest of it is not to be read. */
static bool
read_attribute(struct reader *r, struct entry *entry, const char *name,
    const struct berval *value)
{
	if (strcasecmp(name, "changetype") != 0) {
		entry_add(r->arena, entry, name, value->bv_val, value->bv_len);
		return true;
	}
	report(r, entry, name,
	    "LDIF of changes: this file wants whole entries");
	entry->is_damaged = true;
	entry->count = 0;
	return false;
}

static void
read_record(struct reader *r, char *text)
{
	struct entry *entry = NULL;
	const char *name, *fault;
	struct berval value;
	bool goes_on = true;
	char *line;

	while (goes_on && (line = ldif_getline(&text)) != NULL) {
		fault = ldif_split(line, &name, &value);
		if (fault != NULL) {
			report(r, entry, name, fault);
			if ((goes_on = entry != NULL))
				entry->is_damaged = true;
		} else if (strcasecmp(name, "dn") == 0) {
			if (entry != NULL)
				report(r, entry, name, "two entries without "
				    "an empty line between them");
			end_entry(r, entry);
			entry = begin_entry(r, &value);
			goes_on = entry != NULL;
		} else if (entry == NULL)
			goes_on = read_preface(r, name, &value);
		else
			goes_on = read_attribute(r, entry, name, &value);
	}
	end_entry(r, entry);
	arena_reset(r->arena);
}

int
ldif_read(const char *path,
    void (*take)(void *arg, const struct entry *entry), void *arg,
    struct findings *findings, const char **why)
{
	struct reader r = { .take = take, .arg = arg, .findings = findings };
	char *text;

	if (ldif_file_open(&r.file, path)) {
		r.arena = arena_new(0);
		r.keys = arena_new(1 << 16);
		r.seen = table_new();
		while ((text = ldif_file_record(&r.file)) != NULL)
			read_record(&r, text);
		table_free(r.seen);
		arena_free(r.keys);
		arena_free(r.arena);
	}
	return ldif_file_close(&r.file, why);
}
