/* SPDX-License-Identifier: ISC */
/* entry_change.c - what a modify or a rename makes of one entry's values: one
 * is added once, and only what is there is taken away. Knows no other entry,
 * and no schema. Next: tree.c. */
#include "common/entry_change.h"

#include <ctype.h>
#include <ldap.h>
#include <string.h>
#include <strings.h>

static void
add_value(struct arena *arena, struct entry *entry, const char *name,
    const struct entry_value *value)
{
	entry_add(arena, entry, name,
	    arena_strndup(arena, value->text, value->len), value->len);
}

struct entry *
entry_copy(struct arena *arena, const struct entry *from, const char *dn)
{
	const struct entry_attribute *a;
	struct entry *entry = entry_new(arena,
	    arena_strdup(arena, dn), from->line);
	const char *name;
	size_t i, j;

	if (entry == NULL)
		return NULL;
	entry->is_damaged = from->is_damaged;
	for (i = 0; i < from->count; i++) {
		a = &from->attributes[i];
		name = arena_strdup(arena, a->name);
		for (j = 0; j < a->count; j++)
			add_value(arena, entry, name, &a->values[j]);
	}
	return entry;
}

static struct entry_attribute *
attribute_of(struct entry *entry, const char *name)
{
	return (struct entry_attribute *)entry_get(entry, name);
}

static void
remove_attribute(struct entry *entry, struct entry_attribute *a)
{
	*a = entry->attributes[--entry->count];
}

/* The next character of a value as matching rules see it, or 0 at the end:
 * lower case, blanks as one, none at either end */
static int
next_letter(const struct entry_value *value, size_t *at)
{
	size_t start = *at;

	while (*at < value->len && value->text[*at] == ' ')
		++*at;
	if (*at == value->len)
		return 0;
	if (*at > start && start > 0)
		return ' ' + 1;
	return tolower((unsigned char)value->text[(*at)++]) + 1;
}

static bool
is_dn(const char *name)
{
	return strcasecmp(name, "posternTemplate") == 0;
}

/* As the server compares. Case and blanks alone never tell two values of ours
 * apart, where slapd would think so. */
static bool
is_same(struct arena *arena, const char *name, const struct entry_value *a,
    const struct entry_value *b)
{
	const char *left, *right;
	size_t i = 0, j = 0;
	int letter;

	if (is_dn(name)) {
		left = dn_normalise(arena, a->text);
		right = dn_normalise(arena, b->text);
		if (left != NULL && right != NULL)
			return strcmp(left, right) == 0;
	}
	do {
		letter = next_letter(a, &i);
		if (letter != next_letter(b, &j))
			return false;
	} while (letter != 0);
	return true;
}

static struct entry_value *
find_value(struct arena *arena, const struct entry_attribute *a,
    const struct entry_value *value)
{
	size_t i;

	for (i = 0; a != NULL && i < a->count; i++)
		if (is_same(arena, a->name, &a->values[i], value))
			return &a->values[i];
	return NULL;
}

static void
remove_value(struct entry *entry, struct entry_attribute *a,
    struct entry_value *value)
{
	memmove(value, value + 1,
	    (size_t)(a->values + a->count - value - 1) * sizeof(*value));
	if (--a->count == 0)
		remove_attribute(entry, a);
}

/* Whether an entry that has no such attribute is known to have none */
static bool
is_known(const char *const *known, const char *name)
{
	for (; known != NULL && *known != NULL; known++)
		if (strcasecmp(*known, name) == 0)
			return true;
	return known == NULL;
}

static const char *
step_add(struct arena *arena, struct entry *entry,
    const struct change_step *step, const char *const *known)
{
	size_t i;

	(void)known;
	for (i = 0; i < step->count; i++) {
		if (find_value(arena, entry_get(entry, step->name),
		    &step->values[i]) != NULL)
			return arena_printf(arena, "add: %s: it has this "
			    "value already: %s", step->name,
			    step->values[i].text);
		add_value(arena, entry, step->name, &step->values[i]);
	}
	return NULL;
}

static const char *
step_delete(struct arena *arena, struct entry *entry,
    const struct change_step *step, const char *const *known)
{
	struct entry_attribute *a = attribute_of(entry, step->name);
	struct entry_value *value;
	size_t i;

	if (a == NULL && !is_known(known, step->name))
		return NULL;
	if (a == NULL)
		return arena_printf(arena, "delete: %s: it has none",
		    step->name);
	if (step->count == 0)
		remove_attribute(entry, a);
	for (i = 0; i < step->count; i++) {
		a = attribute_of(entry, step->name);
		value = find_value(arena, a, &step->values[i]);
		if (value == NULL)
			return arena_printf(arena, "delete: %s: it has "
			    "no such value: %s", step->name,
			    step->values[i].text);
		remove_value(entry, a, value);
	}
	return NULL;
}

static const char *
step_replace(struct arena *arena, struct entry *entry,
    const struct change_step *step, const char *const *known)
{
	struct entry_attribute *a = attribute_of(entry, step->name);

	if (a != NULL)
		remove_attribute(entry, a);
	return step_add(arena, entry, step, known);
}

const char *
entry_modify(struct arena *arena, struct entry *entry,
    const struct change *change, const char *const *known)
{
	static const char *(*const kinds[])(struct arena *, struct entry *,
	    const struct change_step *, const char *const *) = {
		[STEP_ADD] = step_add,
		[STEP_DELETE] = step_delete,
		[STEP_REPLACE] = step_replace,
	};
	const char *why = NULL;
	size_t i;

	for (i = 0; i < change->step_count && why == NULL; i++)
		why = kinds[change->steps[i].kind](arena, entry,
		    &change->steps[i], known);
	return why;
}

/* The values in an RDN, added to or taken from an entry */
static void
settle_rdn(struct arena *arena, struct entry *entry, const char *dn,
    bool is_new)
{
	struct entry_attribute *a;
	struct entry_value value, *there;
	LDAPDN parts = NULL;
	const char *name;
	size_t i;

	if (ldap_str2dn(dn, &parts, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS)
		return;
	for (i = 0; parts != NULL && parts[0][i] != NULL; i++) {
		name = arena_strndup(arena,
		    parts[0][i]->la_attr.bv_val, parts[0][i]->la_attr.bv_len);
		value = (struct entry_value){ parts[0][i]->la_value.bv_val,
		    parts[0][i]->la_value.bv_len };
		a = attribute_of(entry, name);
		there = find_value(arena, a, &value);
		if (is_new && there == NULL)
			add_value(arena, entry, name, &value);
		else if (!is_new && there != NULL)
			remove_value(entry, a, there);
	}
	ldap_dnfree(parts);
}

void
entry_rename(struct arena *arena, struct entry *entry, const char *old,
    bool deletes_old)
{
	if (deletes_old)
		settle_rdn(arena, entry, old, false);
	settle_rdn(arena, entry, entry->dn, true);
}
