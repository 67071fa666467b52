/* SPDX-License-Identifier: ISC */
/* t/unit/template.c - which templates make a chain, and where it must end. */
#include "common/template.h"

#include "t/unit/ldif_text.h"
#include "t/unit/tap.h"

#define TEMPLATE(name) "dn: cn=" name "\nobjectClass: posternTemplate\n"
#define FROM(name) "posternTemplate: cn=" name "\n"
#define TENANT(name, from) "dn: dc=" name "\nobjectClass: posternDomain\n" \
    "associatedDomain: " name ".example\n" FROM(from)

static const char *
chain_text(const struct snapshot *s, const char *id)
{
	static char text[512];
	struct chain chain;
	size_t i, used = 0;

	chain_of(s, snapshot_tenant_by_id(s, id), NULL, &chain);
	for (i = 0; i < chain.count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
		    "%s%s", i > 0 ? " " : "", chain.layers[i]->name);
	return text;
}

/* before is read first, where it is not NULL, then now */
static const struct {
	const char *name, *before, *now, *chain, *finding;
} rows[] = {
	{ "a loop of two is cut where it would close", NULL,
	    TEMPLATE("x") FROM("y") "\n" TEMPLATE("y") FROM("x") "\n"
	    TEMPLATE("global") "\n" TENANT("a", "y"), "a y x global",
	    "cn=x: posternTemplate: cn=y: a loop: x -> y -> x" },
	{ "a template of itself is a loop", NULL,
	    TEMPLATE("x") FROM("x") "\n" TENANT("a", "x"), "a x",
	    "a loop: x -> x" },
	{ "a way into a loop is not part of it", NULL,
	    TEMPLATE("w") FROM("x") "\n" TEMPLATE("x") FROM("y") "\n"
	    TEMPLATE("y") FROM("x") "\n" TENANT("a", "w"), "a w x y",
	    "a loop: x -> y -> x" },
	{ "global's own template has no effect", NULL,
	    TEMPLATE("global") FROM("x") "\n" TEMPLATE("x") "\n"
	    TENANT("a", "global"), "a global",
	    "cn=global: posternTemplate: cn=x: no effect" },
	{ "of two named global the first is it", NULL,
	    TEMPLATE("global,ou=1") "\n" TEMPLATE("global,ou=2") "\n"
	    TEMPLATE("x") "\n" TENANT("a", "x"), "a x global",
	    "cn=global,ou=2: cn: global: cn=global,ou=1 is global" },
	{ "a template that never was leaves global", NULL,
	    TEMPLATE("global") "\n" TENANT("a", "x"), "a global",
	    "dc=a: posternTemplate: cn=x: no such entry; inherited from "
	    "global" },
	{ "a tenant is no template", NULL,
	    TENANT("a", "x") "\n" TENANT("b", "x,dc=m") "\n"
	    "dn: cn=x,dc=m\nobjectClass: posternDomain\n"
	    "associatedDomain: x.example\n", "b",
	    "dc=b: posternTemplate: cn=x,dc=m: no such entry" },
	{ "one that vanishes serves on",
	    TEMPLATE("x") "\n" TENANT("a", "x"), TENANT("a", "x"), "a x",
	    "dc=a: posternTemplate: cn=x: no such entry; its last form serves"
	},
	{ "so do two, one above the other",
	    TEMPLATE("x") FROM("y") "\n" TEMPLATE("y") "\n" TENANT("a", "x"),
	    TENANT("a", "x"), "a x y",
	    "cn=x: posternTemplate: cn=y: no such entry; its last form" },
	{ "a reference to what never was does not replace a good one",
	    TEMPLATE("x") "\n" TENANT("a", "x"),
	    TEMPLATE("x") "\n" TENANT("a", "typo"), "a x",
	    "dc=a: the last good form of this entry serves" },
	{ "nor one of a template",
	    TEMPLATE("x") FROM("y") "\n" TEMPLATE("y") "\n" TENANT("a", "x"),
	    TEMPLATE("x") FROM("typo") "\n" TEMPLATE("y") "\n"
	    TENANT("a", "x"), "a x y",
	    "cn=x: posternTemplate: cn=typo: no such entry" },
};

static void
test_rows(void)
{
	struct snapshot *before, *now;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		before = rows[i].before == NULL ? NULL
		    : snapshot_of(rows[i].before, NULL, parse_status);
		now = snapshot_of(rows[i].now, before, parse_status);
		snapshot_release(before);
		tap_is(chain_text(now, rows[i].chain[0] == 'b' ? "b" : "a"),
		    rows[i].chain, rows[i].name);
		tap_ok(is_found(snapshot_findings(now), rows[i].finding),
		    "and the finding says so");
		snapshot_release(now);
	}
}

static void
test_depth(void)
{
	char ldif[8192], name[64];
	struct snapshot *s;
	struct chain chain;
	size_t depth, used;

	for (depth = TEMPLATE_DEPTH_MAX; depth <= 20; depth += 7) {
		used = (size_t)sprintf(ldif, TEMPLATE("global") "\n"
		    TENANT("a", "t1"));
		for (size_t i = 1; i <= depth; i++)
			used += (size_t)sprintf(ldif + used, "\n"
			    TEMPLATE("t%zu") FROM("%s%.0zu"), i,
			    i < depth ? "t" : "global", i < depth ? i + 1 : 0);
		s = snapshot_of(ldif, NULL, parse_status);
		chain_of(s, snapshot_tenant_by_id(s, "a"), NULL, &chain);
		snprintf(name, sizeof(name), "%zu templates: all that fit",
		    depth);
		tap_int((int64_t)chain.count, TEMPLATE_DEPTH_MAX + 2, name);
		tap_is(chain.layers[chain.count - 1]->name, "global",
		    "and global at the end");
		tap_ok(is_found(snapshot_findings(s), "templates deep") ==
		    (depth > TEMPLATE_DEPTH_MAX), "too deep is reported");
		snapshot_release(s);
	}
}

static void
test_return(void)
{
	struct snapshot *first, *gone, *still, *bad;
	struct chain chain;

	first = snapshot_of(TEMPLATE("x") "posternStatus: active\n\n"
	    TENANT("a", "x"), NULL, parse_status);
	gone = snapshot_of(TENANT("a", "x"), first, parse_status);
	still = snapshot_of(TENANT("a", "x"), gone, parse_status);
	tap_is(chain_text(still, "a"), "a x",
	    "a vanished template is remembered for as long as it is used");
	bad = snapshot_of(TEMPLATE("x") "posternStatus: bad\n\n"
	    TENANT("a", "x"), still, parse_status);
	chain_of(bad, snapshot_tenant_by_id(bad, "a"), NULL, &chain);
	tap_is(chain.layers[1]->policy, "active", "when it returns in a bad form, its last good one holds");
	tap_ok(!is_found(snapshot_findings(bad), "no such entry"),
	    "and is there again");
	snapshot_release(first);
	snapshot_release(gone);
	snapshot_release(still);
	snapshot_release(bad);
}

int
main(void)
{
	test_rows();
	test_depth();
	test_return();
	return tap_done();
}
