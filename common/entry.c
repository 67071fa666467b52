/* SPDX-License-Identifier: ISC */
/* entry.c - a directory entry as attributes and values, and DNs in the one
 * form in which they compare. Never says what a value means. Next: layer.c. */
#include "common/entry.h"

#include <ctype.h>
#include <ldap.h>
#include <string.h>
#include <strings.h>

const char *
dn_normalise(struct arena *arena, const char *dn)
{
	LDAPDN parts = NULL;
	char *text = NULL, *key = NULL, *at;

	if (ldap_str2dn(dn, &parts, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS)
		return NULL;
	if (parts != NULL &&
	    ldap_dn2str(parts, &text, LDAP_DN_FORMAT_LDAPV3) == LDAP_SUCCESS)
		key = arena_strdup(arena, text);
	for (at = key; at != NULL && *at != '\0'; at++)
		*at = (char)tolower((unsigned char)*at);
	ldap_memfree(text);
	ldap_dnfree(parts);
	return key;
}

const char *
dn_parent(const char *key)
{
	for (; *key != '\0'; key++) {
		if (*key == ',')
			return key + 1;
		if (*key == '\\' && key[1] != '\0')
			key++;
	}
	return NULL;
}

/* Room for one more behind count items: doubled when it is used up */
static void *
grow(struct arena *arena, void *items, size_t count, size_t first, size_t bytes)
{
	void *grown;

	if (count != 0 && (count < first || (count & (count - 1)) != 0))
		return items;
	grown = arena_alloc(arena, (count ? 2 * count : first) * bytes);
	if (count != 0)
		memcpy(grown, items, count * bytes);
	return grown;
}

struct entry *
entry_new(struct arena *arena, const char *dn, unsigned long line)
{
	const char *key = dn_normalise(arena, dn);
	struct entry *entry;

	if (key == NULL)
		return NULL;
	entry = arena_alloc(arena, sizeof(*entry));
	entry->dn = dn;
	entry->key = key;
	entry->line = line;
	return entry;
}

void
entry_add(struct arena *arena, struct entry *entry, const char *name,
    const char *value, size_t len)
{
	struct entry_attribute *to = NULL;
	size_t i;

	for (i = 0; i < entry->count && to == NULL; i++)
		if (strcasecmp(entry->attributes[i].name, name) == 0)
			to = &entry->attributes[i];
	if (to == NULL) {
		entry->attributes = grow(arena, entry->attributes,
		    entry->count, 8, sizeof(*to));
		to = &entry->attributes[entry->count++];
		*to = (struct entry_attribute){ .name = name };
	}
	to->values = grow(arena, to->values, to->count, 1,
	    sizeof(*to->values));
	to->values[to->count++] = (struct entry_value){ value, len };
}

const struct entry_attribute *
entry_get(const struct entry *entry, const char *name)
{
	size_t i;

	for (i = 0; i < entry->count; i++)
		if (strcasecmp(entry->attributes[i].name, name) == 0)
			return &entry->attributes[i];
	return NULL;
}

const char *
entry_first(const struct entry *entry, const char *name)
{
	const struct entry_attribute *found = entry_get(entry, name);

	return found != NULL ? found->values[0].text : NULL;
}

bool
entry_has_class(const struct entry *entry, const char *object_class)
{
	const struct entry_attribute *classes;
	size_t i;

	if ((classes = entry_get(entry, "objectClass")) == NULL)
		return false;
	for (i = 0; i < classes->count; i++)
		if (strcasecmp(classes->values[i].text, object_class) == 0)
			return true;
	return false;
}
