/* SPDX-License-Identifier: ISC */
/* ldap_record.c - an entry out of a message into one piece of memory, and as an
 * entry again whenever somebody reads it. Never says what a value means. */
#include "common/ldap_record.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/xmalloc.h"

/* "mail;lang-de" is a mail, as in LDIF */
static const char *
name_of(struct arena *arena, const struct berval *attribute)
{
	const char *end = memchr(attribute->bv_val, ';', attribute->bv_len);

	return arena_strndup(arena, attribute->bv_val, end == NULL
	    ? attribute->bv_len : (size_t)(end - attribute->bv_val));
}

/* No part of the entry: what ldap_persist.c alone asks for, of a change; and
 * no name, by which pack() means something else */
static bool
is_passing(const char *name)
{
	return *name == '\0' || strcasecmp(name, "hasSubordinates") == 0 ||
	    strcasecmp(name, "modifyTimestamp") == 0;
}

/* Its values lie in the message. NULL: it has no DN that could be read. */
static struct entry *
read_message(LDAP *ld, LDAPMessage *message, struct arena *arena)
{
	struct berval dn, attribute, *values = NULL, *value;
	struct entry *entry = NULL;
	BerElement *ber = NULL;
	const char *name;

	if (ldap_get_dn_ber(ld, message, &ber, &dn) == LDAP_SUCCESS)
		entry = entry_new(arena, arena_strndup(arena, dn.bv_val,
		    dn.bv_len), 0);
	while (entry != NULL && ldap_get_attribute_ber(ld, message, ber,
	    &attribute, &values) == LDAP_SUCCESS && attribute.bv_val != NULL) {
		name = name_of(arena, &attribute);
		for (value = values; value != NULL && value->bv_val != NULL &&
		    !is_passing(name); value++)
			entry_add(arena, entry, name, value->bv_val,
			    value->bv_len);
		ber_memfree(values);
		values = NULL;
	}
	ber_free(ber, 0);
	return entry;
}

/* Puts it to the bytes that are there; to NULL, it is only measured */
static void
put(char *to, size_t *at, const void *bytes, size_t len)
{
	if (to != NULL)
		memcpy(to + *at, bytes, len);
	*at += len;
}

/* Key and DN; then of each value the attribute's name, or none where it is that
 * of the value before, its length and itself. A NUL ends each text. */
static size_t
pack(char *to, const struct entry *entry)
{
	const struct entry_attribute *a;
	const struct entry_value *value;
	size_t at = 0;

	put(to, &at, entry->key, strlen(entry->key) + 1);
	put(to, &at, entry->dn, strlen(entry->dn) + 1);
	for (a = entry->attributes; a < entry->attributes + entry->count; a++)
		for (value = a->values; value < a->values + a->count; value++) {
			if (value == a->values)
				put(to, &at, a->name, strlen(a->name));
			put(to, &at, "", 1);
			put(to, &at, &value->len, sizeof(value->len));
			put(to, &at, value->text, value->len);
			put(to, &at, "", 1);
		}
	return at;
}

/* Nobody reads the message again, and the values may be keys */
static void
wipe_values(const struct entry *entry)
{
	size_t i, j;

	for (i = 0; i < entry->count; i++)
		for (j = 0; j < entry->attributes[i].count; j++)
			explicit_bzero(
			    (char *)entry->attributes[i].values[j].text,
			    entry->attributes[i].values[j].len);
}

struct ldap_record *
ldap_record_new(const struct berval *id, LDAP *ld, LDAPMessage *message,
    struct arena *arena)
{
	struct entry *entry = read_message(ld, message, arena);
	struct ldap_record *record;
	size_t bytes, id_len;

	if (entry == NULL)
		return NULL;
	bytes = pack(NULL, entry);
	id_len = id != NULL ? id->bv_len : 0;
	record = xcalloc(1, sizeof(*record) + bytes + id_len);
	record->bytes = pack(record->key, entry);
	record->id = (struct berval){ strlen(entry->key), record->key };
	if (id != NULL)
		record->id = (struct berval){ id_len,
			memcpy(record->key + bytes, id->bv_val, id_len) };
	wipe_values(entry);
	return record;
}

void
ldap_record_free(struct ldap_record *record)
{
	explicit_bzero(record->key, record->bytes);
	free(record);
}

const struct entry *
ldap_record_entry(const struct ldap_record *record, struct arena *arena)
{
	const char *at = record->key + strlen(record->key) + 1, *name = at;
	struct entry *entry = arena_alloc(arena, sizeof(*entry));
	size_t len;

	entry->key = record->key;
	entry->dn = at;
	for (at += strlen(at) + 1; at < record->key + record->bytes;
	    at += len + 1) {
		if (*at != '\0')
			name = at;
		at += strlen(at) + 1;
		memcpy(&len, at, sizeof(len));
		at += sizeof(len);
		entry_add(arena, entry, name, at, len);
	}
	return entry;
}
