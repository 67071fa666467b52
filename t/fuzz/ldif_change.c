/* SPDX-License-Identifier: ISC */
/* t/fuzz/ldif_change.c - any bytes as LDIF of changes, tried on a few entries:
 * changes, findings or a reason, and never a crash. */
#include "common/tree.h"

#include <stdint.h>

#include "t/unit/ldif_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
drop(void *arg, const struct entry *entry)
{
	(void)arg;
	(void)entry;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char start[] = "dn: dc=a\ndc: a\n\n"
	    "dn: cn=b,dc=a\ncn: b\nposternTemplate: cn=t,dc=a\n\n"
	    "dn: cn=c+sn=d,cn=b,dc=a\ncn: c\nsn: d\nl: 1\n";
	struct findings *findings = findings_new();
	struct tree *tree = tree_new(NULL);
	struct arena *arena = arena_new(0);
	struct ldif_changes changes;
	const struct change *change;
	const char *why;

	ldif_read(ldif_file(start, strlen(start)), tree_take, tree, findings,
	    &why);
	if (ldif_change_read(ldif_file((const char *)data, size), arena,
	    &changes, findings, &why) == 0)
		for (change = changes.first; change != NULL;
		    change = change->next)
			tree_apply(tree, change, &why);
	tree_give(tree, drop, NULL);
	tree_free(tree);
	arena_free(arena);
	findings_free(findings);
	return 0;
}
