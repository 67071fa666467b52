/* SPDX-License-Identifier: ISC */
/* ends.c - who is at the ends of a request, which way does it go, and whose is
 * it? For ends.c and direction.c together: a request in, facts out. */
#include "policyd/ends.h"

#include "t/unit/tap.h"
#include "t/unit/world.h"

#define LOGIN "sasl_username=anna@ours.example "
#define FOREIGN "recipient=carl@far.example "
#define NEAR "recipient=berta@second.example "
#define NETWORK "client_address=10.1.2.3 "

static const char world[] =
    TEMPLATE("global", "")
    TENANT("ours.example", "associatedDomain: ours.test\n")
    TENANT("second.example", "")
    MAILBOX("anna", "ours.example",
    "mail: anna@ours.example\nmail: smith@ours.test\n", "")
    MAILBOX("berta", "second.example", "mail: berta@second.example\n", "");

static const char *const trusts[] = { "none", "login", "ccert", "network" };

/* want: "trust owner direction account mailbox" */
static const struct {
	const char *name;
	const char *request;
	const char *want;
} rows[] = {
	/* the four directions, each clause of the design's table */
	{ "a login writes to a foreign address: outbound",
	    LOGIN "sender=anna@ours.example " FOREIGN,
	    "login ours.example outbound ours.example anna@ours.example" },
	{ "a login with a null sender is outbound, too", LOGIN FOREIGN,
	    "login ours.example outbound ours.example anna@ours.example" },
	{ "a null sender from a trusted network is outbound, and nobody's",
	    NETWORK FOREIGN, "network - outbound - 10.1.2.3/32" },
	{ "a login without a tenant and a null sender is outbound, too",
	    "sasl_username=x@far.example " FOREIGN,
	    "login - outbound - 192.0.2.1/32" },
	{ "a login writes to one of ours: internal",
	    LOGIN "sender=anna@ours.example " NEAR,
	    "login ours.example internal ours.example anna@ours.example" },
	{ "a login writes to its own tenant: internal",
	    LOGIN "sender=anna@ours.example recipient=x@ours.test",
	    "login ours.example internal ours.example anna@ours.example" },
	{ "a login with a null sender to one of ours: internal",
	    LOGIN NEAR,
	    "login ours.example internal ours.example anna@ours.example" },
	{ "a stranger writes to one of ours: inbound",
	    "sender=carl@far.example " NEAR,
	    "none - inbound second.example berta@second.example" },
	{ "a stranger with a null sender: inbound", NEAR,
	    "none - inbound second.example berta@second.example" },
	{ "a stranger with a sender of ours: inbound",
	    "sender=anna@ours.example " NEAR,
	    "none - inbound second.example berta@second.example" },
	{ "a trusted network without an owner to one of ours: inbound",
	    NETWORK "sender=carl@far.example " NEAR,
	    "network - inbound second.example berta@second.example" },
	{ "a trusted network with a null sender to one of ours: inbound",
	    NETWORK NEAR,
	    "network - inbound second.example berta@second.example" },
	{ "a stranger writes to a foreign address: relay",
	    "sender=carl@far.example " FOREIGN, "none - relay - 192.0.2.1/32" },
	{ "a stranger with a sender of ours to a foreign address: relay",
	    "sender=anna@ours.example " FOREIGN,
	    "none - relay - 192.0.2.1/32" },
	{ "a stranger with a null sender to a foreign address: relay",
	    FOREIGN, "none - relay - 192.0.2.1/32" },
	{ "a trusted network with a foreign sender to a foreign address",
	    NETWORK "sender=carl@far.example " FOREIGN,
	    "network - relay - 10.1.2.3/32" },
	{ "a login without a tenant to a foreign address: relay",
	    "sasl_username=x@far.example sender=x@far.example " FOREIGN,
	    "login - relay - 192.0.2.1/32" },

	/* trusted */
	{ "a listed certificate is trusted",
	    "ccert_fingerprint=AA:BB sender=anna@ours.example " FOREIGN,
	    "ccert ours.example outbound ours.example anna@ours.example" },
	{ "a listed fingerprint in lower case is trusted",
	    "ccert_fingerprint=aa:bb sender=anna@ours.example " FOREIGN,
	    "ccert ours.example outbound ours.example anna@ours.example" },
	{ "the fingerprint of a listed key is trusted",
	    "ccert_pubkey_fingerprint=CC:DD sender=anna@ours.example " FOREIGN,
	    "ccert ours.example outbound ours.example anna@ours.example" },
	{ "a certificate that is not listed is not trusted",
	    "ccert_fingerprint=AA:BC sender=anna@ours.example " FOREIGN,
	    "none - relay - 192.0.2.1/32" },
	{ "a trusted network is trusted",
	    NETWORK "sender=anna@ours.example " FOREIGN,
	    "network ours.example outbound ours.example anna@ours.example" },
	{ "an IPv4-mapped address is in the IPv4 network",
	    "client_address=::ffff:10.1.2.3 sender=anna@ours.example " FOREIGN,
	    "network ours.example outbound ours.example anna@ours.example" },
	{ "an address beside the network is not trusted",
	    "client_address=11.1.2.3 sender=anna@ours.example " FOREIGN,
	    "none - relay - 11.1.2.3/32" },
	{ "a login comes before certificate and network",
	    LOGIN NETWORK "ccert_fingerprint=AA:BB "
	    "sender=berta@second.example " FOREIGN,
	    "login ours.example outbound ours.example anna@ours.example" },

	/* owner */
	{ "with a login only its domain counts, not the sender's",
	    LOGIN "sender=berta@second.example " FOREIGN,
	    "login ours.example outbound ours.example anna@ours.example" },
	{ "a login of no tenant does not fall back to the sender",
	    "sasl_username=x@far.example sender=anna@ours.example " FOREIGN,
	    "login - relay - 192.0.2.1/32" },
	{ "a bare login gets login_domain",
	    "sasl_username=anna sender=anna@ours.example " FOREIGN,
	    "login ours.example outbound ours.example anna@ours.example" },
	{ "a login's case does not matter",
	    "sasl_username=ANNA@Ours.Example sender=a@ours.example " FOREIGN,
	    "login ours.example outbound ours.example anna@ours.example" },
	{ "a login's extension does not matter",
	    "sasl_username=anna+x@ours.example sender=a@ours.example " FOREIGN,
	    "login ours.example outbound ours.example anna@ours.example" },
	{ "a subdomain of ours is not ours",
	    "sender=carl@far.example recipient=x@sub.ours.example",
	    "none - relay - 192.0.2.1/32" },
	{ "a sender in a subdomain has no owner",
	    NETWORK "sender=anna@sub.ours.example " FOREIGN,
	    "network - relay - 10.1.2.3/32" },
	{ "every domain of a tenant is its",
	    "sender=carl@far.example recipient=x@ours.test",
	    "none - inbound ours.example x@ours.test" },
	{ "a domain's case does not matter",
	    "sender=carl@far.example recipient=x@Ours.TEST",
	    "none - inbound ours.example x@ours.test" },

	/* the accountable mailbox */
	{ "a login that is no entry is a mailbox by itself",
	    "sasl_username=bob+x@ours.test sender=a@ours.example " FOREIGN,
	    "login ours.example outbound ours.example bob@ours.test" },
	{ "all addresses of one entry are one mailbox",
	    "sasl_username=smith@ours.test sender=a@ours.example " FOREIGN,
	    "login ours.example outbound ours.example anna@ours.example" },
	{ "inbound, all addresses of one entry are one mailbox",
	    "sender=carl@far.example recipient=Smith+x@ours.test",
	    "none - inbound ours.example anna@ours.example" },
	{ "without a login the mailbox is the sender's",
	    NETWORK "sender=smith+x@ours.test " FOREIGN,
	    "network ours.example outbound ours.example anna@ours.example" },

	/* odd ones */
	{ "an unknown client address is unknown",
	    "client_address=unknown " FOREIGN, "none - relay - unknown" },
	{ "an address without a domain is nobody's",
	    "sender=root recipient=postmaster", "none - relay - 192.0.2.1/32" },
	{ "an IPv6 client counts by its /64",
	    "client_address=2001:db8:1:2:3::4 " FOREIGN,
	    "none - relay - 2001:db8:1:2::/64" },
	{ "no recipient (several, at the end) of a login is outbound",
	    LOGIN "sender=anna@ours.example protocol_state=END-OF-MESSAGE",
	    "login ours.example outbound ours.example anna@ours.example" },
	{ "no recipient from a stranger is relay",
	    "sender=carl@far.example protocol_state=END-OF-MESSAGE",
	    "none - relay - 192.0.2.1/32" },
};

static const char *
show(struct arena *arena, const struct facts *facts)
{
	return arena_printf(arena, "%s %s %s %s %s", trusts[facts->trust],
	    facts->owner != NULL ? facts->owner->id : "-",
	    direction_words[facts->direction], facts->account_id,
	    facts->mailbox);
}

/* Which policy holds: the names of a chain's layers */
static const char *
chain_text(struct arena *arena, const struct chain *chain)
{
	const char *text = "";
	size_t i;

	for (i = 0; i < chain->count; i++)
		text = arena_printf(arena, "%s%s%s", text, i > 0 ? " " : "",
		    chain->layers[i]->name);
	return text;
}

static void
test_chains(struct arena *arena, const struct snapshot *snapshot)
{
	const struct facts *facts;

	facts = world_facts(arena, snapshot,
	    LOGIN "sender=anna@ours.example " NEAR);
	tap_is(chain_text(arena, &facts->chain),
	    "anna@ours.example ours.example global",
	    "internal mail obeys the login's mailbox, tenant and global");
	tap_is(chain_text(arena, &facts->recipient_chain),
	    "berta@second.example second.example global",
	    "and has the recipient's, too");
	facts = world_facts(arena, snapshot, "sender=c@far.example " NEAR);
	tap_is(chain_text(arena, &facts->chain),
	    "berta@second.example second.example global",
	    "inbound mail obeys the recipient's");
	tap_int((int64_t)facts->recipient_chain.count, 0,
	    "and no second one");
	facts = world_facts(arena, snapshot, NETWORK FOREIGN);
	tap_is(chain_text(arena, &facts->chain), "global",
	    "nobody's own mail obeys global");
	facts = world_facts(arena, snapshot, "sender=c@far.example " FOREIGN);
	tap_is(chain_text(arena, &facts->chain), "global",
	    "relayed mail obeys global");
}

static void
test_numbers(struct arena *arena, const struct snapshot *snapshot)
{
	const struct facts *facts = world_facts(arena, snapshot,
	    "size=123456 recipient_count=7");

	tap_int((int64_t)facts->size_bytes, 123456, "the size is read");
	tap_int((int64_t)facts->recipient_count, 7,
	    "the number of recipients is read");
	facts = world_facts(arena, snapshot, "");
	tap_int((int64_t)(facts->size_bytes + facts->recipient_count), 0,
	    "what is absent is nought");
}

/* DESIGN section 3's table, all of it */
static void
test_table(void)
{
	static const enum direction want[16] = {
		/* trusted, owner, null sender, recipient ours: 0000 ... */
		DIR_RELAY, DIR_INBOUND, DIR_RELAY, DIR_INBOUND,
		DIR_RELAY, DIR_INBOUND, DIR_RELAY, DIR_INBOUND,
		DIR_RELAY, DIR_INBOUND, DIR_OUTBOUND, DIR_INBOUND,
		DIR_OUTBOUND, DIR_INTERNAL, DIR_OUTBOUND, DIR_INTERNAL,
	};
	char name[100];
	int i;

	for (i = 0; i < 16; i++) {
		snprintf(name, sizeof(name), "%strusted, %s owner, %s sender, "
		    "%s recipient: %s", i & 8 ? "" : "not ",
		    i & 4 ? "an" : "no", i & 2 ? "null" : "a",
		    i & 1 ? "our" : "a foreign", direction_words[want[i]]);
		tap_int(direction_of(i & 8, i & 4, i & 2, i & 1), want[i],
		    name);
	}
}

int
main(void)
{
	struct arena *arena = arena_new(0);
	struct snapshot *snapshot = world_snapshot(world);
	size_t i;

	tap_int((int64_t)findings_count(snapshot_findings(snapshot)), 0,
	    "nothing is wrong with this world");
	for (i = 0; i < ROWS(rows); i++)
		tap_is(show(arena, world_facts(arena, snapshot,
		    rows[i].request)), rows[i].want, rows[i].name);
	test_table();
	test_chains(arena, snapshot);
	test_numbers(arena, snapshot);
	snapshot_release(snapshot);
	arena_free(arena);
	return tap_done();
}
