/* SPDX-License-Identifier: ISC */
/* ldap_mirror.c - keeps entries and never looks into them. Where two have one
 * DN, as while a refresh tells of the new before the old has gone, the later
 * holds. Below: ldap_record.c. Next: source_ldap.c. */
#include "common/ldap_mirror.h"

#include <stdlib.h>
#include <string.h>

#include "common/ldap_record.h"
#include "common/table.h"
#include "common/xmalloc.h"

struct ldap_mirror {
	struct table *records;	/* by the server's name */
	struct table *by_dn;	/* of those with one DN the latest */
	struct table *news;	/* DNs, which are in the arena */
	struct arena *arena;
	struct arena *entry;	/* the one that is read just now */
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
	m->entry = arena_new(0);
	return m;
}

void
ldap_mirror_free(struct ldap_mirror *m)
{
	struct ldap_record *record;
	size_t at = 0;

	if (m == NULL)
		return;
	while ((record = table_next(m->records, &at)) != NULL)
		ldap_record_free(record);
	table_free(m->records);
	table_free(m->by_dn);
	table_free(m->news);
	arena_free(m->arena);
	arena_free(m->entry);
	free(m);
}

static bool
has_some_below(const struct ldap_mirror *m, const char *key)
{
	size_t at = 0, len = strlen(key), other;
	const struct ldap_record *record;

	while ((record = table_next(m->records, &at)) != NULL) {
		other = strlen(record->key);
		if (other > len && record->key[other - len - 1] == ',' &&
		    strcmp(record->key + other - len, key) == 0)
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
drop(struct ldap_mirror *m, struct ldap_record *record)
{
	const char *key = record->key;
	struct ldap_record *rival;
	size_t at = 0;
	bool was_there = table_gets(m->by_dn, key) == record;

	note(m, key);
	if (was_there)
		table_remove(m->by_dn, key, strlen(key));
	while (was_there && record->has_rival &&
	    (rival = table_next(m->records, &at)) != NULL)
		if (strcmp(rival->key, key) == 0)
			table_puts(m->by_dn, rival->key, rival);
	ldap_record_free(record);
}

bool
ldap_mirror_put(struct ldap_mirror *m, const struct berval *id, LDAP *ld,
    LDAPMessage *message)
{
	struct ldap_record *record, *before;
	bool has_left = false;

	arena_reset(m->entry);
	record = ldap_record_new(id, ld, message, m->entry);
	if (record == NULL)
		return false;
	record->round = m->round;
	note(m, record->key);
	before = table_puts(m->by_dn, record->key, record);
	record->has_rival = before != NULL && (before->has_rival ||
	    before->id.bv_len != record->id.bv_len || memcmp(before->id.bv_val,
	    record->id.bv_val, record->id.bv_len) != 0);
	before = table_put(m->records, record->id.bv_val, record->id.bv_len,
	    record);
	if (before != NULL) {
		has_left = strcmp(before->key, record->key) != 0
		    && has_some_below(m, before->key);
		drop(m, before);
	}
	return has_left;
}

static const struct entry *
read_record(const struct ldap_mirror *m, const struct ldap_record *record)
{
	arena_reset(m->entry);
	return ldap_record_entry(record, m->entry);
}

const struct entry *
ldap_mirror_get(const struct ldap_mirror *m, const struct berval *id)
{
	struct ldap_record *record = table_get(m->records, id->bv_val,
	    id->bv_len);

	return record != NULL ? read_record(m, record) : NULL;
}

void
ldap_mirror_remove(struct ldap_mirror *m, const struct berval *id)
{
	struct ldap_record *record = table_remove(m->records, id->bv_val,
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
	struct ldap_record *record = table_get(m->records, id->bv_val,
	    id->bv_len);

	if (record != NULL)
		record->round = m->round;
}

void
ldap_mirror_sweep(struct ldap_mirror *m)
{
	struct ldap_record **unseen, *record;
	size_t at = 0, count = 0;

	unseen = xcalloc(table_count(m->records), sizeof(*unseen));
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
	const struct ldap_record *a = *(struct ldap_record *const *)left;
	const struct ldap_record *b = *(struct ldap_record *const *)right;

	return strcmp(a->key, b->key);
}

void
ldap_mirror_give(const struct ldap_mirror *m, const struct source_reader *to)
{
	struct ldap_record **all, *record;
	size_t at = 0, i, count = 0;

	all = xcalloc(table_count(m->by_dn), sizeof(*all));
	while ((record = table_next(m->by_dn, &at)) != NULL)
		all[count++] = record;
	qsort(all, count, sizeof(*all), by_key);
	for (i = 0; i < count; i++)
		to->take(to->arg, read_record(m, all[i]));
	free(all);
}

void
ldap_mirror_give_news(const struct ldap_mirror *m,
    const struct source_reader *to)
{
	struct ldap_record *record;
	const char *key;
	size_t at = 0;

	while ((key = table_next(m->news, &at)) != NULL)
		if ((record = table_gets(m->by_dn, key)) != NULL)
			to->take(to->arg, read_record(m, record));
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
