/* SPDX-License-Identifier: ISC */
/* ldap_mirror.c - keeps entries, each in memory of its own, and never looks
 * into them. Where two have one DN, as while a refresh tells of the new before
 * the old has gone, the later holds. Next: source_ldap.c. */
#include "common/ldap_mirror.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/table.h"
#include "common/xmalloc.h"

#define RECORD_BYTES 472	/* a chunk of malloc's size 512 */

struct record {
	struct arena *arena;	/* in which it is, too */
	struct entry *entry;
	struct berval id;
	unsigned round;		/* in which it was seen */
	bool has_rival;		/* another had its DN when it came */
};

struct ldap_mirror {
	struct table *records;	/* by the server's name */
	struct table *by_dn;	/* of those with one DN the latest */
	struct table *news;	/* DNs, which are in the arena */
	struct arena *arena;
	unsigned round;
};

struct ldap_mirror *
ldap_mirror_new(void)
{
	struct ldap_mirror *m = xcalloc(1, sizeof(*m));

	m->records = table_new();
	m->by_dn = table_new();
	m->news = table_new();
	m->arena = arena_new(0);
	return m;
}

void
ldap_mirror_free(struct ldap_mirror *m)
{
	struct record *record;
	size_t at = 0;

	if (m == NULL)
		return;
	while ((record = table_next(m->records, &at)) != NULL)
		arena_free(record->arena);
	table_free(m->records);
	table_free(m->by_dn);
	table_free(m->news);
	arena_free(m->arena);
	free(m);
}

/* "mail;lang-de" is a mail, as in LDIF */
static const char *
name_of(struct arena *arena, const struct berval *attribute)
{
	const char *end = memchr(attribute->bv_val, ';', attribute->bv_len);

	return arena_strndup(arena, attribute->bv_val, end == NULL
	    ? attribute->bv_len : (size_t)(end - attribute->bv_val));
}

/* The values lie in the message, which nobody reads again: there they are
 * wiped, as they may be keys */
static void
take_values(struct record *record, const char *name, struct berval *values)
{
	for (; values->bv_val != NULL; values++) {
		entry_add(record->arena, record->entry, name,
		    arena_strndup(record->arena, values->bv_val,
		    values->bv_len), values->bv_len);
		explicit_bzero(values->bv_val, values->bv_len);
	}
}

/* What ldap_persist.c alone asks for, of a change: no part of the entry */
static bool
is_passing(const struct berval *attribute)
{
	return (attribute->bv_len == strlen("hasSubordinates") &&
	    strncasecmp(attribute->bv_val, "hasSubordinates",
		attribute->bv_len) == 0) ||
	    (attribute->bv_len == strlen("modifyTimestamp") &&
	    strncasecmp(attribute->bv_val, "modifyTimestamp",
		attribute->bv_len) == 0);
}

/* NULL: it has no DN that could be read */
static struct record *
take_entry(LDAP *ld, LDAPMessage *message)
{
	struct arena *arena = arena_new(RECORD_BYTES);
	struct record *record = arena_alloc(arena, sizeof(*record));
	struct berval dn, name, *values = NULL;
	BerElement *ber = NULL;

	record->arena = arena;
	if (ldap_get_dn_ber(ld, message, &ber, &dn) == LDAP_SUCCESS)
		record->entry = entry_new(arena, arena_strndup(arena,
		    dn.bv_val, dn.bv_len), 0);
	while (record->entry != NULL && ldap_get_attribute_ber(ld, message,
	    ber, &name, &values) == LDAP_SUCCESS && name.bv_val != NULL) {
		if (values != NULL && !is_passing(&name))
			take_values(record, name_of(arena, &name), values);
		ber_memfree(values);
		values = NULL;
	}
	ber_free(ber, 0);
	if (record->entry != NULL)
		return record;
	arena_free(arena);
	return NULL;
}

static bool
has_some_below(const struct ldap_mirror *m, const char *key)
{
	size_t at = 0, len = strlen(key), other;
	const struct record *record;

	while ((record = table_next(m->records, &at)) != NULL) {
		other = strlen(record->entry->key);
		if (other > len &&
		    record->entry->key[other - len - 1] == ',' &&
		    strcmp(record->entry->key + other - len, key) == 0)
			return true;
	}
	return false;
}

static void
note(struct ldap_mirror *m, const char *key)
{
	char *copy;

	if (table_gets(m->news, key) != NULL)
		return;
	copy = arena_strdup(m->arena, key);
	table_puts(m->news, copy, copy);
}

/* It is not in records any more */
static void
drop(struct ldap_mirror *m, struct record *record)
{
	const char *key = record->entry->key;
	struct record *rival;
	size_t at = 0;
	bool was_there = table_gets(m->by_dn, key) == record;

	note(m, key);
	if (was_there)
		table_remove(m->by_dn, key, strlen(key));
	while (was_there && record->has_rival &&
	    (rival = table_next(m->records, &at)) != NULL)
		if (strcmp(rival->entry->key, key) == 0)
			table_puts(m->by_dn, rival->entry->key, rival);
	arena_free(record->arena);
}

bool
ldap_mirror_put(struct ldap_mirror *m, const struct berval *id, LDAP *ld,
    LDAPMessage *message)
{
	struct record *record = take_entry(ld, message), *before;
	bool has_left = false;

	if (record == NULL)
		return false;
	if (id == NULL) {
		record->id.bv_val = (char *)record->entry->key;
		record->id.bv_len = strlen(record->entry->key);
	} else {
		record->id.bv_val = arena_strndup(record->arena, id->bv_val,
		    id->bv_len);
		record->id.bv_len = id->bv_len;
	}
	record->round = m->round;
	note(m, record->entry->key);
	before = table_puts(m->by_dn, record->entry->key, record);
	record->has_rival = before != NULL && (before->has_rival ||
	    before->id.bv_len != record->id.bv_len || memcmp(before->id.bv_val,
	    record->id.bv_val, record->id.bv_len) != 0);
	before = table_put(m->records, record->id.bv_val, record->id.bv_len,
	    record);
	if (before != NULL) {
		has_left = strcmp(before->entry->key, record->entry->key) != 0
		    && has_some_below(m, before->entry->key);
		drop(m, before);
	}
	return has_left;
}

const struct entry *
ldap_mirror_get(const struct ldap_mirror *m, const struct berval *id)
{
	struct record *record = table_get(m->records, id->bv_val, id->bv_len);

	return record != NULL ? record->entry : NULL;
}

void
ldap_mirror_remove(struct ldap_mirror *m, const struct berval *id)
{
	struct record *record = table_remove(m->records, id->bv_val,
	    id->bv_len);

	if (record != NULL)
		drop(m, record);
}

void
ldap_mirror_begin(struct ldap_mirror *m)
{
	m->round++;
}

void
ldap_mirror_see(struct ldap_mirror *m, const struct berval *id)
{
	struct record *record = table_get(m->records, id->bv_val, id->bv_len);

	if (record != NULL)
		record->round = m->round;
}

void
ldap_mirror_sweep(struct ldap_mirror *m)
{
	struct record **unseen, *record;
	size_t at = 0, count = 0;

	unseen = xcalloc(table_count(m->records), sizeof(struct record *));
	while ((record = table_next(m->records, &at)) != NULL)
		if (record->round != m->round)
			unseen[count++] = record;
	while (count > 0)
		ldap_mirror_remove(m, &unseen[--count]->id);
	free(unseen);
}

static int
by_key(const void *left, const void *right)
{
	const struct record *a = *(struct record *const *)left;
	const struct record *b = *(struct record *const *)right;

	return strcmp(a->entry->key, b->entry->key);
}

void
ldap_mirror_give(const struct ldap_mirror *m, const struct source_reader *to)
{
	struct record **all, *record;
	size_t at = 0, i, count = 0;

	all = xcalloc(table_count(m->by_dn), sizeof(struct record *));
	while ((record = table_next(m->by_dn, &at)) != NULL)
		all[count++] = record;
	qsort(all, count, sizeof(struct record *), by_key);
	for (i = 0; i < count; i++)
		to->take(to->arg, all[i]->entry);
	free(all);
}

void
ldap_mirror_give_news(const struct ldap_mirror *m,
    const struct source_reader *to)
{
	struct record *record;
	const char *key;
	size_t at = 0;

	while ((key = table_next(m->news, &at)) != NULL)
		if ((record = table_gets(m->by_dn, key)) != NULL)
			to->take(to->arg, record->entry);
		else
			to->gone(to->arg, key);
}

void
ldap_mirror_forget_news(struct ldap_mirror *m)
{
	table_free(m->news);
	m->news = table_new();
	arena_reset(m->arena);
}
