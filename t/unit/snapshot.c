/* SPDX-License-Identifier: ISC */
/* t/unit/snapshot.c - whose is a domain, an address, a chain. */
#include "common/snapshot.h"

#include "t/unit/ldif_text.h"
#include "t/unit/tap.h"

#define TENANT(dn, domains) "dn: " dn "\nobjectClass: posternDomain\n" domains
#define D(domain) "associatedDomain: " domain "\n"
#define MAILBOX(dn, mails) "dn: " dn "\nobjectClass: posternMailbox\n" mails
#define M(mail) "mail: " mail "\n"
#define MADE(time) "createTimestamp: " time "\n"
#define TEMPLATE(dn) "dn: " dn "\nobjectClass: posternTemplate\n"
#define KEY(dn) "dn: " dn "\nobjectClass: posternDkimKey\n"
#define FROM(dn) "posternTemplate: " dn "\n"

static const char *
id_of(const struct snapshot *s, const char *domain)
{
	const struct tenant *tenant = snapshot_tenant_of(s, domain);

	return tenant != NULL ? tenant->id : NULL;
}

/* Which tenant has which domain, and what is said about it */
static const struct {
	const char *name, *ldif, *domain, *id, *finding;
	size_t tenants;
} domains[] = {
	{ "a domain is its tenant's", TENANT("dc=a", D("a.example"))
	    "\n" TENANT("dc=b", D("b.example")), "b.example", "b", NULL, 2 },
	{ "a second domain, too", TENANT("dc=a", D("a.example")
	    D("alias.example")), "alias.example", "a", NULL, 1 },
	{ "a subdomain is not ours", TENANT("dc=a", D("a.example")),
	    "x.a.example", NULL, NULL, 1 },
	{ "in LDIF the first claim holds", TENANT("dc=b", D("x.example")) "\n"
	    TENANT("dc=a", D("x.example")), "x.example", "b",
	    "dc=a: associatedDomain: x.example: dc=b has it already", 2 },
	{ "the older createTimestamp holds",
	    TENANT("dc=a", D("x.example") MADE("20250101000000Z")) "\n"
	    TENANT("dc=b", D("x.example") MADE("20240101000000Z")),
	    "x.example", "b", "dc=a: associatedDomain: x.example: dc=b", 2 },
	{ "of the same age, the smaller DN holds",
	    TENANT("dc=b", D("x.example") MADE("20240101000000Z")) "\n"
	    TENANT("dc=a", D("x.example") MADE("20240101000000Z")),
	    "x.example", "a", "dc=b: associatedDomain: x.example: dc=a", 2 },
	{ "what has a createTimestamp is older than what has none",
	    TENANT("dc=b", D("x.example")) "\n"
	    TENANT("dc=a", D("x.example") MADE("20240101000000Z")),
	    "x.example", "a", "dc=b: associatedDomain: x.example: dc=a", 2 },
	{ "a tenant twice by the id is refused whole",
	    TENANT("dc=a,ou=1", D("a.example")) "\n"
	    TENANT("dc=A,ou=2", D("b.example")), "b.example", NULL,
	    "dc=A,ou=2: refused: the tenant id a is taken by dc=a,ou=1", 1 },
	{ "the same domain twice on one entry is once",
	    TENANT("dc=a", D("a.example") D("A.example")), "a.example", "a",
	    NULL, 1 },
	{ "policy without a kind is reported",
	    "dn: uid=u\nobjectClass: posternPolicy\n", "a.example", NULL,
	    "posternPolicy: no effect without", 0 },
	{ "a key below no tenant is reported", KEY("cn=k,dc=x"), "a.example",
	    NULL, "cn=k,dc=x: no effect: a key stands below its tenant", 0 },
	{ "so is one below a refused tenant", TENANT("dc=a,ou=1", D("a.example"))
	    "\n" TENANT("dc=a,ou=2", D("b.example")) "\n"
	    KEY("cn=k,dc=a,ou=2"), "a.example", "a",
	    "cn=k,dc=a,ou=2: no effect: its tenant dc=a,ou=2 is refused", 1 },
};

static void
check_finding(const struct snapshot *s, const char *finding)
{
	const struct findings *f = snapshot_findings(s);
	size_t i;

	if (finding == NULL ? tap_ok(findings_count(f) == 0,
	    "and nothing is found") : tap_ok(is_found(f, finding),
	    "and the finding says so"))
		return;
	for (i = 0; i < findings_count(f); i++)
		printf("#  got: %s\n", finding_text(findings_at(f, i)));
}

static void
test_domains(void)
{
	struct snapshot *s;
	size_t i;

	for (i = 0; i < sizeof(domains) / sizeof(domains[0]); i++) {
		s = snapshot_of(domains[i].ldif, NULL, parse_status);
		tap_is(id_of(s, domains[i].domain), domains[i].id,
		    domains[i].name);
		tap_int((int64_t)snapshot_tenants(s),
		    (int64_t)domains[i].tenants, "and so many are listed");
		check_finding(s, domains[i].finding);
		snapshot_release(s);
	}
}

#define A_AND_B TENANT("dc=a", D("a.example") D("aa.example")) "\n" \
    TENANT("dc=b", D("b.example")) "\n"

/* Whose layer an address has */
static const struct {
	const char *name, *ldif, *address, *dn, *finding;
} mailboxes[] = {
	{ "a mailbox below its tenant", A_AND_B
	    MAILBOX("uid=u,dc=a", M("u@a.example")), "u@a.example",
	    "uid=u,dc=a", NULL },
	{ "deeper below it", A_AND_B
	    MAILBOX("uid=u,ou=x,ou=y,dc=a", M("u@aa.example")),
	    "u@aa.example", "uid=u,ou=x,ou=y,dc=a", NULL },
	{ "one elsewhere is its domain's tenant's", A_AND_B
	    MAILBOX("uid=u,ou=people", M("u@b.example")), "u@b.example",
	    "uid=u,ou=people", NULL },
	{ "below a tenant it speaks for no other", A_AND_B
	    MAILBOX("uid=u,dc=a", M("u@b.example") M("u@a.example")),
	    "u@b.example", NULL, "uid=u,dc=a: mail: u@b.example: no effect: "
	    "not its tenant a has this domain" },
	{ "but for its own still", A_AND_B
	    MAILBOX("uid=u,dc=a", M("u@b.example") M("u@a.example")),
	    "u@a.example", "uid=u,dc=a", "not its tenant a" },
	{ "a foreign domain is reported", A_AND_B
	    MAILBOX("uid=u,ou=people", M("u@c.example")), "u@c.example", NULL,
	    "mail: u@c.example: no effect: no tenant has this domain" },
	{ "one elsewhere speaks for one tenant only", A_AND_B
	    MAILBOX("uid=u,ou=people", M("u@a.example") M("u@b.example")),
	    "u@b.example", NULL, "not its tenant a has this domain" },
	{ "of two claims the first holds", A_AND_B
	    MAILBOX("uid=v,dc=a", M("u@a.example")) "\n"
	    MAILBOX("uid=u,dc=a", M("u@a.example")), "u@a.example",
	    "uid=v,dc=a",
	    "uid=u,dc=a: mail: u@a.example: uid=v,dc=a has it already" },
	{ "a mailbox below a refused tenant has no effect", A_AND_B
	    TENANT("dc=a,ou=2", D("c.example")) "\n"
	    MAILBOX("uid=u,dc=a,ou=2", M("u@a.example")), "u@a.example", NULL,
	    "uid=u,dc=a,ou=2: no effect: its tenant dc=a,ou=2 is refused" },
	{ "a domain that its tenant lost is not its own",
	    TENANT("dc=b", D("x.example")) "\n"
	    TENANT("dc=a", D("x.example")) "\n"
	    MAILBOX("uid=u,dc=a", M("u@x.example")), "u@x.example", NULL,
	    "not its tenant a has this domain" },
};

static void
test_mailboxes(void)
{
	const struct layer *layer;
	struct snapshot *s;
	size_t i;

	for (i = 0; i < sizeof(mailboxes) / sizeof(mailboxes[0]); i++) {
		s = snapshot_of(mailboxes[i].ldif, NULL, parse_status);
		layer = snapshot_mailbox(s, mailboxes[i].address);
		tap_is(layer != NULL ? layer->dn : NULL, mailboxes[i].dn,
		    mailboxes[i].name);
		check_finding(s, mailboxes[i].finding);
		snapshot_release(s);
	}
}

static void
test_listing(void)
{
	struct snapshot *s = snapshot_of(
	    TENANT("dc=b", D("b.example")) "\n"
	    TENANT("dc=c", D("c.example")) "\n"
	    TENANT("dc=a", D("a.example") D("b.example") D("d.example")
	D("D.example")) "\n"
	    MAILBOX("uid=2,dc=b", M("z@b.example")) "\n"
	    MAILBOX("uid=1,dc=b", M("y@b.example")) "\n"
	    MAILBOX("uid=1,dc=c", M("c@c.example")), NULL, parse_status);
	const struct tenant *a = snapshot_tenant_by_id(s, "a");
	const struct tenant *b = snapshot_tenant_by_id(s, "b");

	tap_is(snapshot_tenant_at(s, 0)->id, "a", "tenants in order of id");
	tap_is(snapshot_tenant_at(s, 2)->id, "c", "to the last");
	tap_ok(snapshot_tenant_by_id(s, "d") == NULL, "no such id is NULL");
	tap_int((int64_t)a->domain_count, 2, "a lost domain is not listed, nor one twice");
	tap_is(a->domains[1], "d.example", "and the others are, in order");
	tap_is(snapshot_mailbox_at(s, b, 0)->name, "y@b.example",
	    "mailboxes in order of name");
	tap_is(snapshot_mailbox_at(s, b, 1)->name, "z@b.example", "both");
	tap_ok(snapshot_mailbox_at(s, b, 2) == NULL,
	    "and not the next tenant's");
	tap_ok(snapshot_mailbox_at(s, a, 0) == NULL,
	    "a tenant without mailboxes has none");
	snapshot_release(s);
}

static void
test_keys(void)
{
	struct snapshot *s = snapshot_of(
	    KEY("cn=1,ou=keys,dc=b,dc=a") "\n" KEY("cn=3,dc=a") "\n"
	    KEY("cn=2,dc=a") "posternStatus: s\n\n"
	    TENANT("dc=a", D("a.example")) "\n"
	    TENANT("dc=b,dc=a", D("b.example")), NULL, parse_status);
	struct snapshot *next = snapshot_of(
	    KEY("cn=2,dc=a") "posternStatus: bad\n\n"
	    TENANT("dc=a", D("a.example")), s, parse_status);
	const struct tenant *a = snapshot_tenant_by_id(s, "a");
	const struct tenant *b = snapshot_tenant_by_id(s, "b");

	tap_is(snapshot_key_at(s, a, 0)->name, "2", "keys in order of DN");
	tap_is(snapshot_key_at(s, a, 1)->name, "3", "both");
	tap_is(snapshot_key_at(s, a, 0)->policy, "s",
	    "read by the daemon's parser");
	tap_ok(snapshot_key_at(s, a, 2) == NULL, "and no more");
	tap_is(snapshot_key_at(s, b, 0)->name, "1",
	    "of two tenants above, the nearest has it");
	a = snapshot_tenant_by_id(next, "a");
	tap_is(snapshot_key_at(next, a, 0)->policy, "s",
	    "the last good form of a bad one serves");
	snapshot_release(s);
	snapshot_release(next);
}

/* The chain of one tenant and mailbox, as names */
static const char *
chain_text(const struct snapshot *s, const char *id, const char *mail)
{
	static char text[512];
	struct chain chain;
	size_t i, used = 0;

	chain_of(s, id ? snapshot_tenant_by_id(s, id) : NULL,
	    mail ? snapshot_mailbox(s, mail) : NULL, &chain);
	text[0] = '\0';
	for (i = 0; i < chain.count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
		    "%s%s", i > 0 ? " " : "", chain.layers[i]->name);
	return text;
}

static void
test_chain(void)
{
	struct snapshot *s = snapshot_of(
	    TEMPLATE("cn=global") "\n" TEMPLATE("cn=silver") "\n"
	    TEMPLATE("cn=gold") FROM("cn=Silver") "\n"
	    TENANT("dc=a", D("a.example") FROM("cn=gold")) "\n"
	    TENANT("dc=b", D("b.example") FROM("cn=global")) "\n"
	    TENANT("dc=c", D("c.example")) "\n"
	    MAILBOX("uid=u,dc=a", M("u@a.example")), NULL, parse_status);

	tap_is(chain_text(s, "a", "u@a.example"),
	    "u@a.example a gold silver global",
	    "mailbox, tenant, its template, that one's, global");
	tap_is(chain_text(s, "b", NULL), "b global",
	    "who refers to global has it once");
	tap_is(chain_text(s, "c", NULL), "c global",
	    "who refers to nothing has it, too");
	tap_is(chain_text(s, NULL, NULL), "global", "no tenant: global alone");
	check_finding(s, NULL);
	snapshot_release(s);
	s = snapshot_of(TENANT("dc=c", D("c.example")), NULL, parse_status);
	tap_is(chain_text(s, "c", NULL), "c", "without global it ends before");
	snapshot_release(s);
}

static void
test_removed(void)
{
	struct snapshot *s = snapshot_of(A_AND_B, NULL, parse_status);
	struct snapshot *next = snapshot_of(TENANT("dc=b", D("b.example")) "\n"
	    TENANT("dc=c", D("c.example")), s, parse_status);

	tap_int((int64_t)snapshot_removed(s, next), 1,
	    "one tenant is removed, another new");
	tap_ok(snapshot_tenant_of(s, "b.example")->layer ==
	    snapshot_tenant_of(next, "b.example")->layer,
	    "an entry that did not change shares its layer");
	tap_ok(snapshot_is_last_hold(s), "held by the test alone");
	snapshot_hold(s);
	tap_ok(!snapshot_is_last_hold(s), "and then by two");
	snapshot_release(s);
	snapshot_release(s);
	tap_is(id_of(next, "b.example"), "b",
	    "the new one stands without the old one");
	snapshot_release(next);
}

int
main(void)
{
	test_domains();
	test_mailboxes();
	test_listing();
	test_keys();
	test_chain();
	test_removed();
	return tap_done();
}
