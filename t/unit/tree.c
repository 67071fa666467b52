/* SPDX-License-Identifier: ISC */
/* t/unit/tree.c - what changes make of entries, and which of them a server
 * would refuse. */
#include "common/tree.h"

#include "t/unit/ldif_text.h"
#include "t/unit/tap.h"

/* Entries as one text: dn|name=value; in the order given */
static char seen[4096];

static void
note(void *arg, const struct entry *entry)
{
	const struct entry_attribute *a;
	size_t i, j, used = strlen(seen);

	(void)arg;
#define SAY(...) used += (size_t)snprintf(seen + used, sizeof(seen) - used, \
    __VA_ARGS__)
	SAY("%s", entry->dn);
	for (i = 0; i < entry->count; i++) {
		a = &entry->attributes[i];
		for (j = 0; j < a->count; j++)
			SAY("|%s=%s", a->name, a->values[j].text);
	}
	SAY(";");
}

static const char start[] = "dn: dc=a\ndc: a\n\n"
    "dn: ou=b,dc=a\nou: b\nl: One\nl: Two\n\n"
    "dn: cn=c,ou=b,dc=a\ncn: c\n\n";
#define A "dc=a|dc=a;"
#define B "ou=b,dc=a|ou=b|l=One|l=Two;"
#define C "cn=c,ou=b,dc=a|cn=c;"
#define MODIFY "dn: OU=B, dc=a\nchangetype: modify\n"
#define RENAME "dn: ou=b,dc=a\nchangetype: modrdn\n"

static const struct {
	const char *name, *change, *entries, *why;	/* NULL: applied */
} rows[] = {
	{ "an entry is added", "dn: cn=d,dc=a\nsn: d\n",
	    A B C "cn=d,dc=a|sn=d;", NULL },
	{ "not where one is", "dn: OU=b,DC=a\nou: b\n", NULL,
	    "this entry is there already" },
	{ "a leaf is deleted", "dn: cn=c,ou=b,dc=a\nchangetype: delete\n",
	    A B, NULL },
	{ "what others stand below is not",
	    "dn: ou=b,dc=a\nchangetype: delete\n", NULL,
	    "others stand below it" },
	{ "nor what is not there", "dn: cn=x,dc=a\nchangetype: delete\n",
	    NULL, "there is no such entry" },
	{ "deleted, and added again", "dn: cn=c,ou=b,dc=a\n"
	    "changetype: delete\n\ndn: cn=C,ou=b,dc=a\ncn: C\n",
	    A B "cn=C,ou=b,dc=a|cn=C;", NULL },
	{ "a value is added", MODIFY "add: l\nl: Three\n",
	    A "ou=b,dc=a|ou=b|l=One|l=Two|l=Three;" C, NULL },
	{ "not twice, whatever its case and blanks",
	    MODIFY "add: l\nl:   oNE \n", NULL,
	    "add: l: it has this value already: oNE " },
	{ "a value is deleted", MODIFY "delete: L\nL: ONE\n",
	    A "ou=b,dc=a|ou=b|l=Two;" C, NULL },
	{ "not one that is not there", MODIFY "delete: l\nl: Three\n", NULL,
	    "delete: l: it has no such value: Three" },
	{ "all values are deleted", MODIFY "delete: l\n",
	    A "ou=b,dc=a|ou=b;" C, NULL },
	{ "the last value takes the attribute along",
	    MODIFY "delete: l\nl: Two\nl: One\n-\nadd: l\nl: x\n",
	    A "ou=b,dc=a|ou=b|l=x;" C, NULL },
	{ "an attribute that is not there cannot be deleted",
	    MODIFY "delete: m\n", NULL, "delete: m: it has none" },
	{ "values are replaced", MODIFY "replace: l\nl: x\n",
	    A "ou=b,dc=a|ou=b|l=x;" C, NULL },
	{ "by none, too", MODIFY "replace: l\n", A "ou=b,dc=a|ou=b;" C, NULL },
	{ "also what is not there", MODIFY "replace: m\n", A B C, NULL },
	{ "not by the same twice", MODIFY "replace: l\nl: x\nl: X\n", NULL,
	    "add: l: it has this value already: X" },
	{ "a modify applies whole or not at all",
	    MODIFY "replace: l\nl: x\n-\ndelete: m\n", NULL,
	    "delete: m: it has none" },
	{ "DNs compare as such", MODIFY "add: posternTemplate\n"
	    "posternTemplate: cn=x,dc=a\n-\ndelete: posternTemplate\n"
	    "posternTemplate: CN=x, DC=a\n", A B C, NULL },
	{ "a renamed entry takes along what stands below",
	    RENAME "newrdn: ou=X\ndeleteoldrdn: 1\n",
	    A "ou=X,dc=a|l=One|l=Two|ou=X;" "cn=c,ou=X,dc=a|cn=c;", NULL },
	{ "and keeps its old name where that is wanted",
	    RENAME "newrdn: ou=x\ndeleteoldrdn: 0\n",
	    A "ou=x,dc=a|ou=b|ou=x|l=One|l=Two;" "cn=c,ou=x,dc=a|cn=c;", NULL },
	{ "only in its spelling", RENAME "newrdn: ou=B\ndeleteoldrdn: 1\n",
	    A "ou=B,dc=a|l=One|l=Two|ou=B;" C, NULL },
	{ "to another place", "dn: cn=c,ou=b,dc=a\nchangetype: modrdn\n"
	    "newrdn: cn=c\ndeleteoldrdn: 1\nnewsuperior: dc=a\n",
	    A B "cn=c,dc=a|cn=c;", NULL },
	{ "not to where one is", "dn: cn=c,ou=b,dc=a\nchangetype: modrdn\n"
	    "newrdn: ou=b\ndeleteoldrdn: 1\nnewsuperior: dc=a\n", NULL,
	    "an entry with the new DN is there already" },
	{ "not below itself", RENAME "newrdn: ou=b\ndeleteoldrdn: 1\n"
	    "newsuperior: cn=c,ou=b,dc=a\n", NULL,
	    "it cannot be moved below itself" },
	{ "not to two RDNs", RENAME "newrdn: ou=x,ou=y\ndeleteoldrdn: 1\n",
	    NULL, "newrdn: not one RDN" },
	{ "nor below what is no DN", RENAME "newrdn: ou=x\ndeleteoldrdn: 1\n"
	    "newsuperior: x\n", NULL, "newsuperior: not a DN" },
	{ "what was renamed is not at its old place",
	    RENAME "newrdn: ou=x\ndeleteoldrdn: 1\n\n"
	    "dn: cn=c,ou=b,dc=a\nchangetype: delete\n", NULL,
	    "there is no such entry" },
};

/* All changes of a text; why the last was refused, or NULL */
static const char *
apply(struct tree *tree, struct arena *arena, const char *text,
    enum tree_result *result)
{
	struct findings *findings = findings_new();
	struct ldif_changes changes;
	const struct change *change;
	const char *why = NULL;

	if (ldif_change_read(ldif_file(text, strlen(text)), arena, &changes,
	    findings, &why) != 0 || findings_count(findings) > 0)
		abort();
	*result = TREE_DONE;
	for (change = changes.first; change != NULL && *result == TREE_DONE;
	    change = change->next)
		*result = tree_apply(tree, change, &why);
	findings_free(findings);
	return *result != TREE_DONE ? arena_strdup(arena, why) : NULL;
}

static void
fill(void *take_arg, const char *text)
{
	struct findings *findings = findings_new();
	const char *why;

	if (ldif_read(ldif_file(text, strlen(text)), tree_take, take_arg,
	    findings, &why) != 0)
		abort();
	findings_free(findings);
}

static void
test_rows(void)
{
	struct arena *arena = arena_new(0);
	enum tree_result result;
	struct tree *tree;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		tree = tree_new(NULL);
		fill(tree, start);
		tap_is(apply(tree, arena, rows[i].change, &result),
		    rows[i].why, rows[i].name);
		seen[0] = '\0';
		tree_give(tree, note, NULL);
		if (rows[i].entries != NULL)
			tap_is(seen, rows[i].entries, "and that is left");
		else if (strncmp(rows[i].name, "what was renamed", 16) != 0)
			tap_is(seen, A B C, "and nothing has changed");
		tree_free(tree);
	}
	arena_free(arena);
}

/* A server that has these beside what the tree took */
static const char rest_text[] = "dn: ou=p,dc=a\nou: p\n\n"
    "dn: uid=q,ou=p,dc=a\nl: q\n";
static int fetches;
static bool is_down;

static int
fetch(void *arg, struct tree *tree, const char *dn, enum tree_scope scope,
    const char **why)
{
	(void)arg;
	(void)dn;
	(void)scope;	/* more than was asked for does no harm */
	*why = "down";
	fetches++;
	if (is_down)
		return -1;
	fill(tree, rest_text);
	return 0;
}

static const struct {
	const char *name, *change, *why;
	bool is_down;
	enum tree_result result;
} rest_rows[] = {
	{ "what a server has beside is found", "dn: uid=q,ou=p,dc=a\n"
	    "changetype: delete\n", NULL, false, TREE_DONE },
	{ "and is in the way", "dn: ou=p,dc=a\nchangetype: delete\n",
	    "others stand below it", false, TREE_REFUSED },
	{ "until it has gone", "dn: uid=q,ou=p,dc=a\nchangetype: delete\n\n"
	    "dn: ou=p,dc=a\nchangetype: delete\n", NULL, false, TREE_DONE },
	{ "what has gone does not come back", "dn: uid=q,ou=p,dc=a\n"
	    "changetype: delete\n\ndn: uid=q,ou=p,dc=a\nchangetype: delete\n",
	    "there is no such entry", false, TREE_REFUSED },
	{ "a renamed one takes along what was not read", "dn: ou=p,dc=a\n"
	    "changetype: modrdn\nnewrdn: ou=r\ndeleteoldrdn: 1\n\n"
	    "dn: uid=q,ou=r,dc=a\nchangetype: delete\n", NULL, false,
	    TREE_DONE },
	{ "nothing is added below nothing", "dn: cn=x,ou=none,dc=a\ncn: x\n",
	    "the entry above it is not there", false, TREE_REFUSED },
	{ "attributes that are not read may be there", "dn: ou=p,dc=a\n"
	    "changetype: modify\ndelete: description\n", NULL, false,
	    TREE_DONE },
	{ "those that are read may not", "dn: ou=p,dc=a\n"
	    "changetype: modify\ndelete: mail\n", "delete: mail: it has none",
	    false, TREE_REFUSED },
	{ "no answer is not no entry", "dn: ou=p,dc=a\nchangetype: delete\n",
	    "down", true, TREE_UNKNOWN },
};

static void
test_rest(void)
{
	static const char *const known[] = { "mail", NULL };
	const struct tree_rest rest = { .fetch = fetch, .attributes = known };
	struct arena *arena = arena_new(0);
	enum tree_result result;
	struct tree *tree;
	size_t i;

	for (i = 0; i < sizeof(rest_rows) / sizeof(rest_rows[0]); i++) {
		tree = tree_new(&rest);
		fill(tree, start);
		is_down = rest_rows[i].is_down;
		tap_is(apply(tree, arena, rest_rows[i].change, &result),
		    rest_rows[i].why, rest_rows[i].name);
		tap_int(result, rest_rows[i].result, "so it ends");
		tree_free(tree);
	}
	tree = tree_new(&rest);
	fill(tree, start);
	fetches = 0;
	apply(tree, arena, "dn: ou=b,dc=a\nchangetype: modify\ndelete: l\n",
	    &result);
	tap_int(fetches, 0, "what was read is not asked for again");
	tree_free(tree);
	arena_free(arena);
}

int
main(void)
{
	test_rows();
	test_rest();
	return tap_done();
}
