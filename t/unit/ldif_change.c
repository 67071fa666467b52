/* SPDX-License-Identifier: ISC */
/* t/unit/ldif_change.c - what is read from LDIF of changes, and what is
 * refused, and how. */
#include "common/ldif_change.h"

#include "t/unit/ldif_text.h"
#include "t/unit/tap.h"

/* Changes as one text: KIND dn|...; */
static char seen[8192];

#define SAY(...) used += (size_t)snprintf(seen + used, sizeof(seen) - used, \
    __VA_ARGS__)

static size_t
note_steps(const struct change *change, size_t used)
{
	static const char *const kinds[] = { "+", "-", "=" };
	const struct change_step *step;
	size_t i, j;

	for (i = 0; i < change->step_count; i++) {
		step = &change->steps[i];
		SAY("|%s%s", kinds[step->kind], step->name);
		for (j = 0; j < step->count; j++)
			SAY(",%s", step->values[j].text);
	}
	return used;
}

static void
note(const struct change *change)
{
	static const char *const kinds[] = { "add", "delete", "modify",
		"rename" };
	const struct entry_attribute *a;
	size_t i, j, used = 0;

	seen[0] = '\0';
	for (; change != NULL; change = change->next) {
		SAY("%s %s", kinds[change->kind], change->entry->dn);
		for (i = 0; i < change->entry->count; i++) {
			a = &change->entry->attributes[i];
			for (j = 0; j < a->count; j++)
				SAY("|%s=%s", a->name, a->values[j].text);
		}
		used = note_steps(change, used);
		if (change->new_rdn != NULL)
			SAY("|%s%s%s", change->new_rdn,
			    change->deletes_old_rdn ? "!" : "",
			    change->new_superior != NULL
			    ? change->new_superior : "");
		SAY(";");
	}
}

#define DN "dn: dc=a\n"
#define MODIFY DN "changetype: modify\n"
#define RENAME DN "changetype: modrdn\n"
static const struct {
	const char *name, *text, *changes, *finding;
} rows[] = {
	{ "an empty file has no changes", "", "", NULL },
	{ "a version alone is none", "version: 1\n\n# x\n", "", NULL },
	{ "an entry is to be added", DN "dc: a\n", "add dc=a|dc=a;", NULL },
	{ "so it is with changetype", DN "changetype: add\ndc: a\nl;x-y: b\n",
	    "add dc=a|dc=a|l=b;", NULL },
	{ "a delete", DN "changetype: delete\n", "delete dc=a;", NULL },
	{ "a modify with all its kinds", MODIFY "add: l\nl: 1\nl: 2\n-\n"
	    "delete: m\n-\ndelete: n\nn: 3\n-\nreplace: o\n-\n"
	    "replace: p\np: 4\n-\n",
	    "modify dc=a|+l,1,2|-m|-n,3|=o|=p,4;", NULL },
	{ "the last line - may be missing", MODIFY "add: l\nl: 1\n",
	    "modify dc=a|+l,1;", NULL },
	{ "without changetype, as ldapmodify takes it",
	    DN "replace: l\nl: 1\n", "modify dc=a|=l,1;", NULL },
	{ "names compare without case, and without options",
	    MODIFY "ADD: mail;x\nMail: 1\n", "modify dc=a|+mail,1;", NULL },
	{ "a value in base64", MODIFY "add: l\nl:: aGk=\n",
	    "modify dc=a|+l,hi;", NULL },
	{ "a rename", RENAME "newrdn: dc=b\ndeleteoldrdn: 1\n",
	    "rename dc=a|dc=b!;", NULL },
	{ "one to another place", DN "changetype: moddn\nnewrdn: dc=b\n"
	    "deleteoldrdn: 0\nnewsuperior: dc=c\n",
	    "rename dc=a|dc=bdc=c;", NULL },
	{ "several, in order", DN "changetype: delete\n\n\ndn: dc=b\ndc: b\n",
	    "delete dc=a;add dc=b|dc=b;", NULL },
	{ "a fault leaves its record out, alone", DN "changetype: modfy\n\n"
	    "dn: dc=b\ndc: b\n", "add dc=b|dc=b;",
	    ":1: add, delete, modify or modrdn expected" },
	{ "no DN", "changetype: delete\n", "",
	    ":1: the record does not begin with dn:" },
	{ "a DN that is none", "dn: what\nchangetype: delete\n", "",
	    ":1: not a DN" },
	{ "the root is no entry of ours", "dn:\nchangetype: delete\n", "",
	    ":1: not a DN" },
	{ "a DN with a NUL", "dn:: ZGM9YQBi\nchangetype: delete\n", "",
	    ":1: not a DN" },
	{ "another version", "version: 2\n" DN "dc: a\n", "",
	    "only version 1" },
	{ "a control", DN "control: 1.2.3\nchangetype: delete\n", "",
	    "control" },
	{ "lines behind a delete", DN "changetype: delete\ndc: a\n", "",
	    "a delete has no more lines" },
	{ "an add of nothing", DN "changetype: add\n", "",
	    "an entry without attributes" },
	{ "add: without a value", MODIFY "add: l\n-\n", "",
	    "add: without a value" },
	{ "the same at the end", MODIFY "add: l\n", "",
	    "add: without a value" },
	{ "increment:", MODIFY "increment: l\nl: 1\n", "",
	    "add:, delete: or replace: expected" },
	{ "a forgotten line -", MODIFY "add: l\nl: 1\nadd: m\nm: 2\n", "",
	    "is a line \"-\" missing?" },
	{ "one too many", MODIFY "-\n", "", "ends nothing" },
	{ "a step for no attribute", MODIFY "delete:\n", "",
	    "an attribute's name expected" },
	{ "a rename without all", RENAME "newrdn: dc=b\n", "",
	    "newrdn: and deleteoldrdn: must be there" },
	{ "deleteoldrdn: yes", RENAME "newrdn: dc=b\ndeleteoldrdn: yes\n", "",
	    "0 or 1 expected" },
	{ "what a rename does not have", RENAME "newdn: dc=b\n", "",
	    "newrdn:, deleteoldrdn: or newsuperior: expected" },
	{ "a URL", MODIFY "add: l\nl:< file:///etc/passwd\n", "",
	    "not fetched" },
	{ "the line of the record", "\n\n# x\n" DN "nonsense\n", "",
	    ":3: neither an attribute" },
};

static void
test_rows(void)
{
	const char *path, *why;
	struct arena *arena;
	struct findings *findings;
	struct ldif_changes changes;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		arena = arena_new(0);
		findings = findings_new();
		path = ldif_file(rows[i].text, strlen(rows[i].text));
		if (ldif_change_read(path, arena, &changes, findings,
		    &why) != 0)
			abort();
		note(changes.first);
		tap_is(seen, rows[i].changes, rows[i].name);
		tap_ok(rows[i].finding == NULL
		    ? findings_count(findings) == 0
		    : findings_errors(findings) == 1 &&
		    is_found(findings, rows[i].finding),
		    rows[i].finding != NULL ? rows[i].finding : "no fault");
		findings_free(findings);
		arena_free(arena);
	}
}

static bool
is_explicit(const char *text)
{
	struct arena *arena = arena_new(0);
	struct findings *findings = findings_new();
	struct ldif_changes changes;
	const char *why;

	ldif_change_read(ldif_file(text, strlen(text)), arena, &changes,
	    findings, &why);
	findings_free(findings);
	arena_free(arena);
	return changes.is_explicit;
}

int
main(void)
{
	struct findings *findings = findings_new();
	struct arena *arena = arena_new(0);
	struct ldif_changes changes;
	const char *why = "";

	test_rows();
	tap_ok(!is_explicit(DN "dc: a\n"), "entries alone may be a directory");
	tap_ok(is_explicit(DN "dc: a\n\ndn: dc=b\nchangetype: delete\n"),
	    "with one change among them they are not");
	tap_ok(is_explicit(DN "changetype: modfy\n"), "nor with a bad one");
	tap_ok(is_explicit(DN "replace: l\n"), "nor with a bare step");
	tap_int(ldif_change_read("/nonexistent", arena, &changes, findings,
	    &why), -1, "a file that is not there");
	tap_is(why, "/nonexistent: No such file or directory", "and why");
	arena_free(arena);
	findings_free(findings);
	return tap_done();
}
