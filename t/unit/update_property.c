/* SPDX-License-Identifier: ISC */
/* t/unit/update_property.c - random changes, one upon the other, give the very
 * snapshot that a reading of all entries gives, in everything that it tells;
 * and the ones before stay what they were. */
#include <stdlib.h>

#include "common/xmalloc.h"
#include "t/unit/ldif_text.h"
#include "t/unit/tap.h"

#define STEPS 4000
#define KEPT 4			/* snapshots that are looked at again */

/* What there may be, in order of normalised DN */
static const struct {
	const char *dn;
	char kind;		/* it is mostly this: Tenant, tEmplate, Mailbox,
				 * Key */
} slots[] = {
	{ "cn=global", 'E' }, { "cn=global,ou=x", 'E' }, { "cn=k", 'K' },
	{ "cn=k,dc=a", 'K' }, { "cn=k,dc=c,dc=b", 'K' },
	{ "cn=k,ou=y,ou=x", 'K' }, { "cn=t1", 'E' }, { "cn=t2", 'E' },
	{ "cn=t3", 'E' }, { "dc=a", 'T' }, { "dc=a,ou=x", 'T' },
	{ "dc=b", 'T' }, { "dc=c,dc=b", 'T' }, { "ou=x", 'T' },
	{ "uid=1", 'M' }, { "uid=2", 'M' }, { "uid=3,dc=a", 'M' },
	{ "uid=4,dc=c,dc=b", 'M' }, { "uid=5,ou=y,ou=x", 'M' },
};
#define SLOTS (sizeof(slots) / sizeof(slots[0]))

static const char *const domains[] = { "p.example", "q.example", "r.example" };
static const char *const mails[] = { "u@p.example", "v@p.example",
	"u@q.example", "w@q.example", "u@r.example" };
static const char *const templates[] = { "cn=t1", "cn=t2", "cn=t3",
	"cn=global", "cn=global,ou=x", "cn=none", "dc=a" };
static const char *const times[] = { "2023", "2024", "2025" };
#define PICK(list) list[chance(sizeof(list) / sizeof(list[0]))]

/* Each form that an entry ever had, by its number */
static char *forms[3 * STEPS + 1];
static size_t form_count = 1;
static size_t current[SLOTS];	/* the form now, 0: there is no such entry */

static size_t
chance(size_t below)
{
	static unsigned state = 7;

	state = state * 1103515245 + 12345;
	return (state >> 16) % below;
}

/* The policy is the form's number */
static const void *
parse_form(struct arena *arena, const struct entry *entry,
    enum layer_kind kind, struct findings *findings)
{
	(void)kind;
	if (entry_get(entry, "posternStatus") != NULL)
		findings_add(findings, FINDING_ERROR, entry->dn,
		    "posternStatus", "bad", "no such word");
	return arena_strdup(arena, entry_first(entry, "description"));
}

static void
add(char *text, const char *name, const char *value)
{
	sprintf(text + strlen(text), "%s: %s\n", name, value);
}

static size_t
new_form(size_t slot)
{
	char text[1024], number[16], kind = slots[slot].kind;

	/* An entry may become another thing; not a template, of which there
	 * could be two then, the one that has gone beside the new thing */
	if (kind != 'E' && chance(10) == 0)
		kind = "TMK"[chance(3)];
	snprintf(number, sizeof(number), "%zu", form_count);
	text[0] = '\0';
	add(text, "dn", slots[slot].dn);
	add(text, "createTimestamp", PICK(times));
	add(text, "description", number);
	add(text, "objectClass", kind == 'T' ? "posternDomain"
	    : kind == 'E' ? "posternTemplate" : kind == 'M' ? "posternMailbox"
	    : "posternDkimKey");
	if (kind == 'T' && chance(20) != 0)
		add(text, "associatedDomain", PICK(domains));
	if (kind == 'T' && chance(2) == 0)
		add(text, "associatedDomain", PICK(domains));
	if (kind == 'M')
		add(text, "mail", PICK(mails));
	if (kind == 'M' && chance(2) == 0)
		add(text, "mail", PICK(mails));
	if (kind != 'M' && chance(2) == 0)
		add(text, "posternTemplate", PICK(templates));
	if (chance(8) == 0)
		add(text, "posternStatus", "bad");
	forms[form_count] = xstrdup(text);
	return form_count++;
}

/* Everything that can be asked */
static char told[1 << 16];

static void
tell(const char *what, const char *text)
{
	snprintf(told + strlen(told), sizeof(told) - strlen(told), "%s%s",
	    what, text != NULL ? text : "-");
}

static void
tell_layer(void *what, const struct layer *layer)
{
	tell(what, layer == NULL ? NULL : layer->dn);
	if (layer != NULL)
		tell("#", layer->policy);
}

static void
tell_chain(const struct snapshot *s, const struct tenant *tenant,
    const struct layer *mailbox)
{
	struct chain chain;
	size_t i;

	chain_of(s, tenant, mailbox, &chain);
	for (i = 0; i < chain.count; i++)
		tell_layer(i == 0 ? " chain " : " > ", chain.layers[i]);
}

static void
tell_tenant(const struct snapshot *s, const struct tenant *tenant)
{
	const struct layer *layer;
	size_t i;

	tell("\ntenant ", tenant->id);
	tell_layer(" ", tenant->layer);
	for (i = 0; i < tenant->domain_count; i++)
		tell(" has ", tenant->domains[i]);
	tell_chain(s, tenant, NULL);
	for (i = 0; (layer = snapshot_mailbox_at(s, tenant, i)) != NULL; i++)
		tell_layer("\n mailbox ", layer);
	if (i != snapshot_mailboxes(s, tenant))
		tell("\n miscounted", "");
	for (i = 0; (layer = snapshot_key_at(s, tenant, i)) != NULL; i++)
		tell_layer("\n key ", layer);
	if (snapshot_tenant_by_id(s, tenant->id) != tenant)
		tell("\n not found by its id", "");
}

static char *
tell_all(const struct snapshot *s)
{
	const struct findings *findings = snapshot_findings(s);
	const struct tenant *tenant;
	const struct layer *layer;
	size_t i;

	told[0] = '\0';
	for (i = 0; i < snapshot_tenants(s); i++)
		tell_tenant(s, snapshot_tenant_at(s, i));
	for (i = 0; i < sizeof(domains) / sizeof(domains[0]); i++) {
		tenant = snapshot_tenant_of(s, domains[i]);
		tell("\ndomain ", tenant != NULL ? tenant->id : NULL);
		if (tenant != NULL && tenant != snapshot_tenant_by_id(s,
		    tenant->id))
			tell(" of another snapshot", "");
	}
	for (i = 0; i < sizeof(mails) / sizeof(mails[0]); i++) {
		layer = snapshot_mailbox(s, mails[i]);
		tell_layer("\nmail ", layer);
		tell_chain(s, NULL, layer);
	}
	snapshot_each_layer(s, tell_layer, "\nlayer ");
	for (i = 0; i < findings_count(findings); i++)
		tell("\n! ", finding_text(findings_at(findings, i)));
	if (findings_errors(findings) != snapshot_errors(s))
		tell("\nerrors are miscounted", "");
	return told;
}

/* All of these forms, in any order that begins at from */
static struct snapshot *
whole(const size_t *of, size_t from, const struct snapshot *before)
{
	static char text[SLOTS * 1024];
	size_t i, form;

	text[0] = '\0';
	for (i = 0; i < SLOTS; i++) {
		form = of[(from + i) % SLOTS];
		if (form != 0)
			strcat(strcat(text, forms[form]), "\n");
	}
	return snapshot_of(text, before, parse_form);
}

static size_t serving[SLOTS];

static void
note_serving(void *arg, const struct layer *layer)
{
	size_t i;

	(void)arg;
	for (i = 0; i < SLOTS; i++)
		if (strcmp(slots[i].dn, layer->dn) == 0)
			serving[i] = (size_t)atoi(layer->policy);
}

static void
note_gone(void *arg, struct trie_item *item)
{
	note_serving(arg, ((struct node *)item)->layer);
}

/* A snapshot made of nothing but what served before and what there is now */
static struct snapshot *
from_scratch(const struct snapshot *before)
{
	struct snapshot *old, *new;

	memset(serving, 0, sizeof(serving));
	if (before != NULL) {
		trie_each(before->gone, note_gone, NULL);
		snapshot_each_layer(before, note_serving, NULL);
	}
	old = whole(serving, chance(SLOTS), NULL);
	new = whole(current, chance(SLOTS), old);
	snapshot_release(old);
	return new;
}

static struct snapshot *
by_differences(const bool *is_other, const struct snapshot *before)
{
	struct findings *findings = findings_new();
	struct update *update = update_new(before, parse_form, findings);
	struct arena *arena = arena_new(0);
	const char *why, *form;
	size_t i;

	for (i = 0; i < SLOTS; i++) {
		form = forms[current[i]];
		if (is_other[i] && current[i] == 0)
			update_gone(update, dn_normalise(arena, slots[i].dn));
		else if (is_other[i] && ldif_read(ldif_file(form,
		    strlen(form)), update_take, update, findings, &why) != 0)
			abort();
	}
	arena_free(arena);
	return update_settle(update, false);
}

static struct snapshot *
next_step(const struct snapshot *before)
{
	bool is_other[SLOTS] = { false };
	size_t i, changes = 1 + chance(3);

	while (changes-- > 0) {
		i = chance(SLOTS);
		is_other[i] = true;
		current[i] = chance(3) == 0 ? 0 : new_form(i);
	}
	return chance(8) == 0 ? whole(current, chance(SLOTS), before)
	    : by_differences(is_other, before);
}

static bool
is_equal(const char *was, const struct snapshot *s)
{
	const char *now = tell_all(s);

	if (strcmp(was, now) == 0)
		return true;
	fprintf(stderr, "--- by changes\n%s\n--- from scratch\n%s\n", was, now);
	return false;
}

int
main(void)
{
	struct snapshot *kept[KEPT] = { NULL }, *now = NULL, *scratch;
	char *was[KEPT] = { NULL }, *text;
	bool are_equal = true, are_kept = true;
	size_t step, at, left;

	for (step = 0; step < STEPS && are_equal && are_kept; step++) {
		struct snapshot *next = next_step(now);

		scratch = from_scratch(now);
		text = xstrdup(tell_all(next));
		are_equal = is_equal(text, scratch);
		snapshot_release(scratch);
		at = step % KEPT;
		if (kept[at] != NULL)
			are_kept = is_equal(was[at], kept[at]);
		snapshot_release(kept[at]);
		free(was[at]);
		kept[at] = snapshot_hold(next);
		was[at] = text;
		snapshot_release(now);
		now = next;
	}
	tap_ok(are_equal, "changes give what all entries together give");
	tap_ok(are_kept, "and leave the snapshots before as they were");
	for (at = 0; at < KEPT; at++) {
		snapshot_release(kept[at]);
		free(was[at]);
	}
	scratch = snapshot_of("", now, parse_form);
	left = trie_count(scratch->nodes) + trie_count(scratch->gone) +
	    trie_count(scratch->estates) + trie_count(scratch->faults);
	for (at = 0; at < NAME_KINDS; at++)
		left += trie_count(scratch->names[at]);
	tap_int((int64_t)left, 0, "nothing is left where all entries go");
	snapshot_release(scratch);
	snapshot_release(now);
	while (form_count > 1)
		free(forms[--form_count]);
	return tap_done();
}
