/* SPDX-License-Identifier: ISC */
/* ldif.c - an LDIF file into entries, line by line with libldap's parser. The
 * file is cut into records here: ldif_read_record() takes a read error for the
 * end of the file, follows include:, drops lines that begin with a digit, and
 * reads before its buffer where a line starts with NUL. Next: layer.c. */
#include "common/ldif.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <lber.h>
#include <stdio.h>	/* which ldif.h wants */
#include <ldif.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/table.h"
#include "common/xmalloc.h"

#define RECORD_MAX ((size_t)64 << 20)
#define BUFFER_BYTES 65536

struct reader {
	FILE *file;
	void (*take)(void *arg, const struct entry *entry);
	void *arg;
	struct findings *findings;
	const char *fault;	/* why reading cannot go on */
	char *buffer;		/* the file's */
	char *text;		/* the record */
	size_t used, room;
	unsigned long line_number;
	unsigned long record;	/* line at which it starts */
	struct arena *arena;	/* of one record */
	struct arena *keys;	/* of all: what seen stands on */
	struct table *seen;	/* normalised DN to line */
};

struct seen {
	unsigned long line;
	char key[];
};

/* A regular file only: a FIFO would hold us for ever */
static FILE *
open_file(const char *path, const char **fault)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	FILE *file = NULL;

	if (fd < 0 || fstat(fd, &st) != 0)
		*fault = strerror(errno);
	else if (!S_ISREG(st.st_mode))
		*fault = "not a file";
	else if ((file = fdopen(fd, "r")) == NULL)
		*fault = strerror(errno);
	if (file == NULL && fd >= 0)
		close(fd);
	return file;
}

static void
forget(char *bytes, size_t len)
{
	if (bytes != NULL)
		explicit_bzero(bytes, len);	/* a private key, perhaps */
	free(bytes);
}

/* One byte behind the record, with a NUL behind it */
static void
append(struct reader *r, char byte)
{
	char *grown;

	if (r->used + 1 >= r->room) {
		r->room = r->room ? 2 * r->room : 4096;
		grown = xmalloc(r->room);
		if (r->used > 0)
			memcpy(grown, r->text, r->used);
		forget(r->text, r->used);
		r->text = grown;
	}
	r->text[r->used++] = byte;
	r->text[r->used] = '\0';
}

/* One line more with its newline, CRLF made LF. Its length: 0 at the end, and
 * at a fault. */
static size_t
next_line(struct reader *r)
{
	size_t start = r->used;
	int byte;

	do {
		if ((byte = getc_unlocked(r->file)) == EOF)
			break;
		append(r, (char)byte);
		if (byte == '\0')
			r->fault = "not LDIF: it holds a NUL";
		else if (r->used >= RECORD_MAX)
			r->fault = "a record of more than 64 MiB";
	} while (byte != '\n' && r->fault == NULL);
	if (ferror(r->file))
		r->fault = strerror(errno);
	if (r->fault != NULL)
		return 0;
	r->line_number++;
	if (r->used > start + 1 && strcmp(r->text + r->used - 2, "\r\n") == 0)
		strcpy(r->text + --r->used - 1, "\n");
	return r->used - start;
}

/* Up to an empty line or the end. NULL: no more, or a fault. */
static char *
next_record(struct reader *r)
{
	size_t len;

	r->used = 0;
	while ((len = next_line(r)) > 0) {
		if (r->text[r->used - len] != '\n') {
			if (r->used == len)
				r->record = r->line_number;
			continue;
		}
		if (--r->used > 0)
			break;
	}
	if (r->used == 0 || r->fault != NULL)
		return NULL;
	r->text[r->used] = '\0';
	return r->text;
}

/* libldap would print to stderr about what is not. CR: its mark of a line that
 * goes on. */
static bool
is_base64(const char *text)
{
	size_t count = 0, padding = 0;

	for (text += strspn(text, " "); *text != '\0'; text++) {
		if (*text == '\r')
			continue;
		count++;
		if (*text == '=')
			padding++;
		else if (padding > 0 || (!isalnum((unsigned char)*text) &&
		    *text != '+' && *text != '/'))
			return false;
	}
	return count > 0 && count % 4 == 0 && padding <= 2;
}

/* One line into name and value. NULL, or what is wrong with it; name is then
 * as far as it can be told. */
static const char *
split_line(char *line, const char **name, struct berval *value)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-.;_";
	char *colon = strchr(line, ':');
	const char *fault = NULL;
	struct berval type;
	int must_free;

	*name = "";
	if (colon == NULL)
		return "neither an attribute nor a continuation, which would "
		    "begin with a blank";
	if (colon[1] == '<')
		fault = "a value behind a URL is not fetched: put it here";
	else if (colon[1] == ':' && !is_base64(colon + 2))
		fault = "not base64";
	if (fault != NULL) {
		*colon = '\0';
		*name = line;
		return fault;
	}
	if (ldif_parse_line2(line, &type, value, &must_free) != 0)
		return "not a line of LDIF";
	if (*type.bv_val == ';' || *type.bv_val == '\0' ||
	    type.bv_val[strspn(type.bv_val, letters)] != '\0')
		return "not an attribute's name before the colon";
	type.bv_val[strcspn(type.bv_val, ";")] = '\0';
	*name = type.bv_val;
	return NULL;
}

static void
report(struct reader *r, const struct entry *entry, const char *name,
    const char *reason)
{
	findings_add(r->findings, FINDING_ERROR, entry ? entry->dn : "", name,
	    "", "line %lu: %s", r->record, reason);
}

/* A new entry; NULL, and reported, where it cannot be one */
static struct entry *
begin_entry(struct reader *r, const struct berval *dn)
{
	struct entry *entry = NULL;
	struct seen *seen;

	if (strlen(dn->bv_val) == dn->bv_len)
		entry = entry_new(r->arena, dn->bv_val, r->record);
	if (entry == NULL) {
		findings_add(r->findings, FINDING_ERROR, dn->bv_val, "", "",
		    "line %lu: not a DN; entry left out", r->record);
		return NULL;
	}
	if ((seen = table_gets(r->seen, entry->key)) != NULL) {
		findings_add(r->findings, FINDING_ERROR, entry->dn, "", "",
		    "line %lu: this DN again; the entry at line %lu holds",
		    r->record, seen->line);
		return NULL;
	}
	seen = arena_alloc(r->keys, sizeof(*seen) + strlen(entry->key) + 1);
	seen->line = r->record;
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
		fault = split_line(line, &name, &value);
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
	static _Thread_local char reason[512];
	struct reader r = { .take = take, .arg = arg, .findings = findings };
	char *text;

	if ((r.file = open_file(path, &r.fault)) != NULL) {
		r.buffer = xmalloc(BUFFER_BYTES);
		setvbuf(r.file, r.buffer, _IOFBF, BUFFER_BYTES);
		r.arena = arena_new(0);
		r.keys = arena_new(1 << 16);
		r.seen = table_new();
		while ((text = next_record(&r)) != NULL)
			read_record(&r, text);
		table_free(r.seen);
		arena_free(r.keys);
		arena_free(r.arena);
		fclose(r.file);
		forget(r.text, r.room);
		forget(r.buffer, BUFFER_BYTES);
	}
	if (r.fault == NULL)
		return 0;
	snprintf(reason, sizeof(reason), "%s: %s", path, r.fault);
	*why = reason;
	return -1;
}
