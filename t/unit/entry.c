/* SPDX-License-Identifier: ISC */
/* t/unit/entry.c - DNs compare as they should, values are found again. */
#include "common/entry.h"

#include "t/unit/tap.h"

static const struct {
	const char *name, *dn, *key, *parent;
} dns[] = {
	{ "a plain DN stays", "dc=a.example,dc=mail",
	    "dc=a.example,dc=mail", "dc=mail" },
	{ "case and optional blanks go", "DC = A.example , dc=Mail",
	    "dc=a.example,dc=mail", "dc=mail" },
	{ "an escaped comma does not part", "cn=a\\,b,dc=mail",
	    "cn=a\\2cb,dc=mail", "dc=mail" },
	{ "both forms of an escape are one", "cn=a\\2Cb,dc=mail",
	    "cn=a\\2cb,dc=mail", "dc=mail" },
	{ "a needless escape is undone", "cn=\\41b,dc=mail",
	    "cn=ab,dc=mail", "dc=mail" },
	{ "one RDN has nothing above it", "dc=mail", "dc=mail", NULL },
	{ "a backslash is itself escaped", "cn=a\\\\,dc=mail",
	    "cn=a\\5c,dc=mail", "dc=mail" },
	{ "no DN without =", "mail", NULL, NULL },
	{ "an open escape is no DN", "cn=a\\", NULL, NULL },
	{ "the empty DN is none for us", "", NULL, NULL },
};

static void
test_dns(struct arena *arena)
{
	const char *key;
	size_t i;

	for (i = 0; i < sizeof(dns) / sizeof(dns[0]); i++) {
		key = dn_normalise(arena, dns[i].dn);
		tap_is(key, dns[i].key, dns[i].name);
		if (key != NULL)
			tap_is(dn_parent(key), dns[i].parent,
			    "and its parent is what follows");
	}
}

static void
test_values(struct arena *arena)
{
	struct entry *entry = entry_new(arena, "DC=a", 7);
	const struct entry_attribute *mail;
	static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g",
	    "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r" };
	size_t i;

	tap_ok(entry_new(arena, "nonsense", 1) == NULL,
	    "what has no DN is no entry");
	entry_add(arena, entry, "mail", "x@a", 3);
	for (i = 0; i < 18; i++)
		entry_add(arena, entry, names[i], names[i], 1);
	entry_add(arena, entry, "MAIL", "y@a", 3);
	entry_add(arena, entry, "Mail", "z@a", 3);
	entry_add(arena, entry, "objectClass", "top", 3);
	entry_add(arena, entry, "objectclass", "PosternDomain", 13);
	mail = entry_get(entry, "mAIL");
	tap_int(mail != NULL ? (int64_t)mail->count : -1, 3,
	    "values of one attribute come together, whatever the case");
	tap_is(mail->values[2].text, "z@a", "in the order in which they came");
	tap_is(entry_first(entry, "r"), "r", "the last of many is found");
	tap_is(entry_first(entry, "s"), NULL, "what is not there is not found");
	tap_ok(entry_has_class(entry, "posternDomain"),
	    "classes compare without case");
	tap_ok(!entry_has_class(entry, "posternMailbox"),
	    "a class that it has not is not found");
	tap_is(entry->dn, "DC=a", "the DN stays as written");
	tap_is(entry->key, "dc=a", "the key is normalised");
}

int
main(void)
{
	struct arena *arena = arena_new(0);

	test_dns(arena);
	test_values(arena);
	arena_free(arena);
	return tap_done();
}
