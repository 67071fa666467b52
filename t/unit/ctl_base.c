/* SPDX-License-Identifier: ISC */
/* ctl_base.c - do DNs lose what they have in common, and no more? */
#include "common/ctl_base.h"

#include "t/unit/tap.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static const struct {
	const char *name;
	const char *dns[4];	/* the first is shown */
	const char *base, *shown;
} rows[] = {
	{ "without a DN there is no base", { "" }, NULL, "" },
	{ "one DN keeps its first RDN", { "cn=a,dc=x,dc=y" }, "dc=x,dc=y",
	    "cn=a" },
	{ "siblings share their parent", { "cn=a,dc=x", "cn=b,dc=x" },
	    "dc=x", "cn=a" },
	{ "a child says how far down it is",
	    { "uid=u,cn=a,dc=x", "cn=b,dc=x" }, "dc=x", "uid=u,cn=a" },
	{ "the order does not matter", { "cn=b,dc=x", "uid=u,cn=a,dc=x" },
	    "dc=x", "cn=b" },
	{ "an entry and what is below it: both keep an RDN",
	    { "uid=u,dc=a,dc=x", "dc=a,dc=x" }, "dc=x", "uid=u,dc=a" },
	{ "case does not matter, and is kept", { "cn=A,DC=x", "cn=b,dc=X" },
	    "DC=x", "cn=A" },
	{ "nothing in common: whole DNs", { "cn=a,dc=x", "cn=b,dc=y" }, "",
	    "cn=a,dc=x" },
	{ "half an RDN is not in common", { "cn=a,dc=xy", "cn=b,dc=y" }, "",
	    "cn=a,dc=xy" },
	{ "an escaped comma ends no RDN", { "cn=a\\,dc=x", "cn=b,dc=x" }, "",
	    "cn=a\\,dc=x" },
	{ "an escaped backslash escapes no comma",
	    { "cn=a\\\\,dc=x", "cn=b,dc=x" }, "dc=x", "cn=a\\\\" },
	{ "a DN of one RDN stays whole", { "cn=a" }, "", "cn=a" },
	{ "values from nowhere do not count", { "cn=a,dc=x", "", "cn=b,dc=x" },
	    "dc=x", "cn=a" },
};

int
main(void)
{
	struct arena *arena = arena_new(0);
	struct ctl_base base;
	size_t i, j;

	for (i = 0; i < ROWS(rows); i++) {
		base.dn = NULL;
		for (j = 0; j < 4; j++)
			ctl_base_take(&base, rows[i].dns[j]);
		tap_is(base.dn, rows[i].base, rows[i].name);
		tap_is(ctl_base_below(&base, arena, rows[i].dns[0]),
		    rows[i].shown, "  and this is left");
	}
	arena_free(arena);
	return tap_done();
}
