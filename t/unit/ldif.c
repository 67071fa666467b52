/* SPDX-License-Identifier: ISC */
/* t/unit/ldif.c - what is read from LDIF, and what is refused, and how. */
#include "common/ldif.h"

#include "t/unit/ldif_text.h"
#include "t/unit/tap.h"

/* Entries as one text: dn|name=value|name=value;  ! marks a damaged one */
static char seen[8192];

static void
note(void *arg, const struct entry *entry)
{
	const struct entry_attribute *a;
	size_t i, j, used = strlen(seen);

	(void)arg;
#define SAY(...) used += (size_t)snprintf(seen + used, sizeof(seen) - used, \
    __VA_ARGS__)
	SAY("%s%s", entry->is_damaged ? "!" : "", entry->dn);
	for (i = 0; i < entry->count; i++) {
		a = &entry->attributes[i];
		for (j = 0; j < a->count; j++)
			SAY("|%s=%s", a->name, a->values[j].text);
	}
	SAY(";");
}

static const struct {
	const char *name, *text, *entries, *finding;
} rows[] = {
	{ "an empty file has no entries", "", "", NULL },
	{ "comments and empty lines alone, too", "# a\n\n\n#b\n c\n", "",
	    NULL },
	{ "version, then an entry", "version: 1\n\ndn: dc=a\ndc: a\n",
	    "dc=a|dc=a;", NULL },
	{ "version may stand in the first record", "version: 1\ndn: dc=a\n"
	    "dc: a\n", "dc=a|dc=a;", NULL },
	{ "another version is told", "version: 2\ndn: dc=a\ndc: a\n",
	    "dc=a|dc=a;", "line 1: this is read as version 1" },
	{ "no newline at the end", "dn: dc=a\ndc: a", "dc=a|dc=a;", NULL },
	{ "CRLF all through", "dn: dc=a\r\ndc: a\r\n\r\ndn: dc=b\r\ndc: b\r\n",
	    "dc=a|dc=a;dc=b|dc=b;", NULL },
	{ "a line that goes on", "dn: dc\n =a\ndc: lo\n ng\n er\n",
	    "dc=a|dc=longer;", NULL },
	{ "a line that goes on with CRLF", "dn: dc=a\r\ndc: lo\r\n ng\r\n",
	    "dc=a|dc=long;", NULL },
	{ "a comment that goes on, inside", "dn: dc=a\n# no\n dc: b\ndc: a\n",
	    "dc=a|dc=a;", NULL },
	{ "base64, also of the DN", "dn:: ZGM9YQ==\ndc:: w6Q=\n",
	    "dc=a|dc=\303\244;", NULL },
	{ "base64 over two lines", "dn: dc=a\ndc:: aGV\n sbG8=\n",
	    "dc=a|dc=hello;", NULL },
	{ "an option of the name is cut off", "dn: dc=a\ndc;lang-de: a\n",
	    "dc=a|dc=a;", NULL },
	{ "an empty value is one", "dn: dc=a\ndc:\n", "dc=a|dc=;", NULL },
	{ "bad base64 is left out, the entry damaged",
	    "dn: dc=a\nmail:: %%%\ndc: a\n", "!dc=a|dc=a;",
	    "dc=a: mail: line 1: not base64" },
	{ "missing base64, too", "dn: dc=a\nmail::\ndc: a\n", "!dc=a|dc=a;",
	    "mail: line 1: not base64" },
	{ "a URL is not followed", "dn: dc=a\nmail:< file:///etc/hosts\n",
	    "!dc=a;", "dc=a: mail: line 1: a value behind a URL" },
	{ "include is not followed", "include: file:///etc/hosts\n\n"
	    "dn: dc=a\ndc: a\n", "dc=a|dc=a;",
	    "include: line 1: not followed" },
	{ "a line without a colon", "dn: dc=a\nnonsense\ndc: a\n",
	    "!dc=a|dc=a;", "line 1: neither an attribute" },
	{ "a name that is none", "dn: dc=a\nd c: a\ndc: b\n", "!dc=a|dc=b;",
	    "line 1: not an attribute's name" },
	{ "changes are refused, and damage what they change",
	    "dn: dc=a\nchangetype: modify\nreplace: dc\ndc: b\n-\n", "!dc=a;",
	    "dc=a: changetype: line 1: LDIF of changes: this file wants whole "
	    "entries" },
	{ "an added entry is a change, too",
	    "dn: dc=a\nchangetype: add\ndc: a\n\ndn: dc=b\ndc: b\n",
	    "!dc=a;dc=b|dc=b;", "LDIF of changes" },
	{ "a record without a DN is left out", "dc: a\nmail: b\n\ndn: dc=b\n",
	    "dc=b;", "dc: line 1: the record does not begin with dn:" },
	{ "a DN that is none", "\n\ndn: nonsense\ndc: a\n", "",
	    "nonsense: line 3: not a DN" },
	{ "a DN with a NUL in it", "dn:: ZGM9YQBi\ndc: a\n", "",
	    "dc=a: line 1: not a DN" },
	{ "a DN in bad base64", "dn:: %\ndc: a\n", "",
	    "dn: line 1: not base64" },
	{ "the same DN twice: the first holds",
	    "dn: dc=a\ndc: 1\n\ndn: dc=b\n\ndn: DC = A\ndc: 2\n",
	    "dc=a|dc=1;dc=b;",
	    "DC = A: line 6: this DN again; the entry at line 1 holds" },
	{ "two entries without an empty line between",
	    "dn: dc=a\ndc: a\ndn: dc=b\ndc: b\n", "dc=a|dc=a;dc=b|dc=b;",
	    "without an empty line" },
	{ "a line that begins with a digit is not skipped",
	    "1\ndn: dc=a\ndc: a\n", "", "line 1: neither an attribute" },
};

static void
test_rows(void)
{
	struct findings *findings;
	const char *why;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		findings = findings_new();
		seen[0] = '\0';
		if (ldif_read(ldif_file(rows[i].text, strlen(rows[i].text)),
		    note, NULL, findings, &why) != 0)
			strcpy(seen, why);
		tap_is(seen, rows[i].entries, rows[i].name);
		if (rows[i].finding == NULL)
			tap_int((int64_t)findings_count(findings), 0,
			    "and nothing is found");
		else if (!tap_ok(is_found(findings, rows[i].finding),
		    "and the finding says so") && findings_count(findings) > 0)
			printf("#  got: %s\n",
			    finding_text(findings_at(findings, 0)));
		findings_free(findings);
	}
}

static void
test_failures(void)
{
	struct findings *findings = findings_new();
	const char *why = "";

	tap_int(ldif_read("/nonexistent/x.ldif", note, NULL, findings, &why),
	    -1, "a file that is not there cannot be read");
	tap_is(why, "/nonexistent/x.ldif: No such file or directory",
	    "and the reason is the system's");
	tap_int(ldif_read("/", note, NULL, findings, &why), -1,
	    "a directory cannot be read");
	tap_is(why, "/: not a file", "and the reason says so");
	tap_int(ldif_read(ldif_file("dn: dc=a\n\0dc: a\n", 16), note, NULL,
	    findings, &why), -1, "a NUL ends the reading, which is not whole");
	tap_ok(strstr(why, "it holds a NUL") != NULL, "and the reason says so");
	findings_free(findings);
}

int
main(void)
{
	test_rows();
	test_failures();
	return tap_done();
}
