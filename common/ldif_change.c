/* SPDX-License-Identifier: ISC */
/* ldif_change.c - an LDIF file's records into changes. A record with a fault is
 * none: half a change is never handed on. Changes nothing; next: tree.c. */
#include "common/ldif_change.h"

#include <ldap.h>
#include <stdio.h>	/* which ldif.h wants */
#include <ldif.h>
#include <string.h>
#include <strings.h>

#include "common/ldif_file.h"

struct reader {
	struct ldif_file file;
	struct arena *arena;
	struct findings *findings;
	bool is_explicit;
	/* of the record: */
	struct change *change;	/* NULL before its dn: */
	struct change_step *step;	/* whose values come; NULL: none */
	bool has_kind;
	bool has_deletes_old;
};

/* Each takes one line, and answers NULL or what is wrong with it */
typedef const char *line_reader(struct reader *r, const char *name,
    const struct entry_value *value);

/* Room for one more behind count items: doubled when it is used up */
static void *
grow(struct reader *r, const void *items, size_t count, size_t bytes)
{
	void *grown;

	if ((count & (count - 1)) != 0)
		return (void *)items;
	grown = arena_alloc(r->arena, (count > 0 ? 2 * count : 1) * bytes);
	if (count > 0)
		memcpy(grown, items, count * bytes);
	return grown;
}

static const char *
read_attribute(struct reader *r, const char *name,
    const struct entry_value *value)
{
	entry_add(r->arena, r->change->entry, name, value->text, value->len);
	return NULL;
}

static const char *
read_nothing(struct reader *r, const char *name,
    const struct entry_value *value)
{
	(void)r;
	(void)name;
	(void)value;
	return "a delete has no more lines";
}

static bool
find_step(const char *name, enum change_step_kind *out)
{
	static const char *const words[] = { "add", "delete", "replace" };
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(name, words[i]) == 0) {
			*out = (enum change_step_kind)i;
			return true;
		}
	return false;
}

/* "replace: NAME" */
static const char *
begin_step(struct reader *r, const char *name,
    const struct entry_value *value)
{
	struct change *change = r->change;
	enum change_step_kind kind;
	char *attribute;

	if (!find_step(name, &kind))
		return "add:, delete: or replace: expected";
	if (*value->text == '\0' || strlen(value->text) != value->len)
		return "an attribute's name expected";
	attribute = arena_strdup(r->arena, value->text);
	attribute[strcspn(attribute, ";")] = '\0';
	change->steps = grow(r, change->steps, change->step_count,
	    sizeof(*change->steps));
	r->step = &change->steps[change->step_count++];
	*r->step = (struct change_step){ .kind = kind, .name = attribute };
	return NULL;
}

/* "-" */
static const char *
end_step(struct reader *r)
{
	const struct change_step *step = r->step;

	r->step = NULL;
	if (step == NULL)
		return "a line \"-\" that ends nothing";
	return step->kind == STEP_ADD && step->count == 0
	    ? "add: without a value" : NULL;
}

static const char *
read_step(struct reader *r, const char *name, const struct entry_value *value)
{
	struct change_step *step = r->step;
	struct entry_value *values;

	if (step == NULL)
		return begin_step(r, name, value);
	if (strcasecmp(name, step->name) != 0)
		return "not the attribute that is changed here: is a line "
		    "\"-\" missing?";
	values = grow(r, step->values, step->count, sizeof(*values));
	values[step->count++] = *value;
	step->values = values;
	return NULL;
}

static const char *
read_rename(struct reader *r, const char *name,
    const struct entry_value *value)
{
	struct change *change = r->change;
	const char *text = value->text;

	if (strlen(text) != value->len)
		return "holds a NUL";
	if (strcasecmp(name, "newrdn") == 0)
		change->new_rdn = text;
	else if (strcasecmp(name, "newsuperior") == 0)
		change->new_superior = text;
	else if (strcasecmp(name, "deleteoldrdn") != 0)
		return "newrdn:, deleteoldrdn: or newsuperior: expected";
	else if (strcmp(text, "0") != 0 && strcmp(text, "1") != 0)
		return "0 or 1 expected";
	else {
		change->deletes_old_rdn = *text == '1';
		r->has_deletes_old = true;
	}
	return NULL;
}

static line_reader *const readers[] = {
	[CHANGE_ADD] = read_attribute,
	[CHANGE_DELETE] = read_nothing,
	[CHANGE_MODIFY] = read_step,
	[CHANGE_RENAME] = read_rename,
};

static const char *
read_kind(struct reader *r, const struct entry_value *value)
{
	static const struct {
		const char *word;
		enum change_kind kind;
	} rows[] = {
		{ "add", CHANGE_ADD }, { "delete", CHANGE_DELETE },
		{ "modify", CHANGE_MODIFY }, { "modrdn", CHANGE_RENAME },
		{ "moddn", CHANGE_RENAME },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcasecmp(value->text, rows[i].word) == 0) {
			r->change->kind = rows[i].kind;
			return NULL;
		}
	return "add, delete, modify or modrdn expected";
}

/* The first line behind the DN says what the record is. Without changetype
 * that is an entry, or, as ldapmodify has it, the steps of a modify. */
static const char *
read_first(struct reader *r, const char *name,
    const struct entry_value *value)
{
	enum change_step_kind ignored;

	if (strcasecmp(name, "control") == 0)
		return "what a control does is not known here";
	r->has_kind = true;
	if (strcasecmp(name, "changetype") == 0) {
		r->is_explicit = true;
		return read_kind(r, value);
	}
	if (find_step(name, &ignored)) {
		r->is_explicit = true;
		r->change->kind = CHANGE_MODIFY;
	}
	return readers[r->change->kind](r, name, value);
}

static const char *
read_dn(struct reader *r, const char *name, const struct entry_value *value)
{
	struct change *change;

	if (strcasecmp(name, "version") == 0)
		return strcmp(value->text, "1") == 0 ? NULL
		    : "only version 1 is read";
	if (strcasecmp(name, "dn") != 0)
		return "the record does not begin with dn:";
	change = arena_alloc(r->arena, sizeof(*change));
	if (strlen(value->text) == value->len)
		change->entry = entry_new(r->arena, value->text, r->file.line);
	if (change->entry == NULL || *change->entry->key == '\0')
		return "not a DN";
	change->kind = CHANGE_ADD;
	r->change = change;
	return NULL;
}

static const char *
read_line(struct reader *r, char *line, const char **name)
{
	struct entry_value value;
	struct berval raw;
	const char *fault;

	*name = "";
	if (strcmp(line, "-") == 0)
		return end_step(r);
	if ((fault = ldif_split(line, name, &raw)) != NULL)
		return fault;
	value.len = raw.bv_len;
	value.text = arena_strndup(r->arena, raw.bv_val, raw.bv_len);
	*name = arena_strdup(r->arena, *name);
	if (r->change == NULL)
		return read_dn(r, *name, &value);
	if (!r->has_kind)
		return read_first(r, *name, &value);
	return readers[r->change->kind](r, *name, &value);
}

/* What a record that has ended lacks, or NULL */
static const char *
read_end(struct reader *r)
{
	const struct change *change = r->change;

	if (r->step != NULL)
		return end_step(r);
	if (change->kind == CHANGE_ADD && change->entry->count == 0)
		return "an entry without attributes";
	if (change->kind == CHANGE_RENAME && (change->new_rdn == NULL ||
	    !r->has_deletes_old))
		return "newrdn: and deleteoldrdn: must be there";
	return NULL;
}

/* NULL: there is none in it, or it has a fault, which is reported */
static struct change *
read_record(struct reader *r, char *text)
{
	const char *fault = NULL, *name = "";
	char *line;

	r->change = NULL;
	r->step = NULL;
	r->has_kind = r->has_deletes_old = false;
	while (fault == NULL && (line = ldif_getline(&text)) != NULL)
		fault = read_line(r, line, &name);
	if (fault == NULL && r->change != NULL) {
		name = "";
		fault = read_end(r);
	}
	if (fault == NULL)
		return r->change;
	findings_add(r->findings, FINDING_ERROR, r->change != NULL
	    ? r->change->entry->dn : "", name, "", "%s:%lu: %s", r->file.path,
	    r->file.line, fault);
	return NULL;
}

int
ldif_change_read(const char *path, struct arena *arena,
    struct ldif_changes *out, struct findings *findings, const char **why)
{
	struct reader r = { .arena = arena, .findings = findings };
	struct change *change, **next = &out->first;
	char *text;

	out->first = NULL;
	if (ldif_file_open(&r.file, path))
		while ((text = ldif_file_record(&r.file)) != NULL)
			if ((change = read_record(&r, text)) != NULL) {
				*next = change;
				next = &change->next;
			}
	out->is_explicit = r.is_explicit;
	return ldif_file_close(&r.file, why);
}
