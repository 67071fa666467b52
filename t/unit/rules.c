/* SPDX-License-Identifier: ISC */
/* rules.c - the rules that need no counter: status, direction, lists. A
 * directory and a request in, a verdict out. */
#include "policyd/rules.h"

#include "t/unit/tap.h"
#include "t/unit/world.h"

/* Who writes to whom */
#define LOGIN "sasl_username=anna@ours.example encryption_protocol=TLSv1.3 "
#define NETWORK "client_address=10.1.2.3 "
#define OUT "recipient=carl@far.example "
#define INSIDE "recipient=berta@second.example "
#define ANNA "sender=anna@ours.example "
#define CARL "sender=carl@far.example "
#define OUTBOUND LOGIN ANNA OUT
#define INTERNAL LOGIN ANNA INSIDE
#define INBOUND CARL "recipient=anna@ours.example "

#define NOTHING { .global = NULL }
#define STATUS(word) "posternStatus: " word "\n"

struct world {
	const char *global, *ours, *anna, *second;
};

/* want: "action rule entry's-name", "permit", or "permit allowed" */
struct row {
	const char *name;
	struct world world;
	const char *request;
	const char *want;
};

static const struct row status_rows[] = {
	{ "an active tenant sends", { .ours = STATUS("active") }, OUTBOUND,
	    "permit" },
	{ "what a suspended tenant sends out is deferred",
	    { .ours = STATUS("suspended") }, OUTBOUND,
	    "defer status ours.example" },
	{ "what a suspended tenant sends inside is deferred",
	    { .ours = STATUS("suspended") }, INTERNAL,
	    "defer status ours.example" },
	{ "inbound mail of a suspended tenant goes on",
	    { .ours = STATUS("suspended") }, INBOUND, "permit" },
	{ "internal mail to a suspended tenant goes on",
	    { .second = STATUS("suspended") }, INTERNAL, "permit" },
	{ "what a disabled tenant sends out is rejected",
	    { .ours = STATUS("disabled") }, OUTBOUND,
	    "reject status ours.example" },
	{ "what a disabled tenant sends inside is rejected",
	    { .ours = STATUS("disabled") }, INTERNAL,
	    "reject status ours.example" },
	{ "inbound mail to a disabled tenant is rejected",
	    { .ours = STATUS("disabled") }, INBOUND,
	    "reject status ours.example" },
	{ "internal mail to a disabled tenant is rejected",
	    { .second = STATUS("disabled") }, INTERNAL,
	    "reject status second.example" },
	{ "what a suspended mailbox sends is deferred",
	    { .anna = STATUS("suspended") }, OUTBOUND,
	    "defer status anna@ours.example" },
	{ "what is addressed to a disabled mailbox is rejected",
	    { .anna = STATUS("disabled") }, INBOUND,
	    "reject status anna@ours.example" },
	{ "an active mailbox of a suspended tenant sends nothing",
	    { .ours = STATUS("suspended"), .anna = STATUS("active") },
	    OUTBOUND, "defer status ours.example" },
	{ "the sender's suspension and the recipient's end: the harsher",
	    { .ours = STATUS("suspended"), .second = STATUS("disabled") },
	    INTERNAL, "reject status second.example" },
	{ "a status is inherited", { .global = STATUS("suspended") },
	    OUTBOUND, "defer status global" },
};

static const struct row direction_rows[] = {
	/* what is built in */
	{ "a stranger uses one of our domains as sender: rejected", NOTHING,
	    ANNA INSIDE, "reject direction:own-sender built-in" },
	{ "a login sends as a foreign domain: rejected", NOTHING,
	    LOGIN CARL OUT, "reject direction:foreign-sender built-in" },
	{ "also inside", NOTHING, LOGIN CARL INSIDE,
	    "reject direction:foreign-sender built-in" },
	{ "a login sends as another mailbox: permitted", NOTHING,
	    LOGIN "sender=bob@ours.example " OUT, "permit" },
	{ "a login over plaintext: permitted", NOTHING,
	    "sasl_username=anna@ours.example " ANNA OUT, "permit" },
	{ "trusted by network alone: permitted", NOTHING, NETWORK ANNA OUT,
	    "permit" },
	{ "no reverse name: permitted", NOTHING,
	    "reverse_client_name=unknown " INBOUND, "permit" },
	{ "a bad HELO: permitted", NOTHING, "helo_name=pc " INBOUND,
	    "permit" },
	{ "a null sender comes in: permitted", NOTHING,
	    "recipient=anna@ours.example", "permit" },
	{ "relaying: rejected", NOTHING, CARL OUT,
	    "reject direction:any built-in" },

	/* own-sender */
	{ "a trusted client may use our domains",
	    { .ours = RULE("any own-sender reject") }, OUTBOUND, "permit" },
	{ "a subdomain of ours is not ours", NOTHING,
	    "sender=x@sub.ours.example " INSIDE, "permit" },
	{ "a client that the sender's tenant allowed may use its domain",
	    { .ours = ALLOW("client 192.0.2.0/24") }, ANNA INSIDE,
	    "permit" },
	{ "one that the recipient's tenant allowed may not",
	    { .second = ALLOW("client 192.0.2.0/24") }, ANNA INSIDE,
	    "reject direction:own-sender built-in" },
	{ "an allowed sender does not lift own-sender",
	    { .ours = ALLOW("sender anna@ours.example") }, ANNA INSIDE,
	    "reject direction:own-sender built-in" },
	{ "a HELO that the sender's tenant allowed does not either",
	    { .ours = ALLOW("helo mx.stranger.test") }, ANNA INSIDE,
	    "reject direction:own-sender built-in" },

	/* foreign-sender */
	{ "a subdomain of the owner's is not foreign", NOTHING,
	    LOGIN "sender=x@sub.ours.example " OUT, "permit" },
	{ "what only ends like it is foreign", NOTHING,
	    LOGIN "sender=x@notours.example " OUT,
	    "reject direction:foreign-sender built-in" },
	{ "another tenant's domain is foreign", NOTHING,
	    LOGIN "sender=berta@second.example " OUT,
	    "reject direction:foreign-sender built-in" },
	{ "the null sender is not foreign", NOTHING, LOGIN OUT, "permit" },
	{ "a sender without a domain is foreign", NOTHING,
	    LOGIN "sender=root " OUT,
	    "reject direction:foreign-sender built-in" },

	/* other-mailbox */
	{ "another mailbox may be refused",
	    { .ours = RULE("outbound other-mailbox reject") },
	    LOGIN "sender=bob@ours.example " OUT,
	    "reject direction:other-mailbox ours.example" },
	{ "the login itself is not another mailbox",
	    { .ours = RULE("outbound other-mailbox reject") }, OUTBOUND,
	    "permit" },
	{ "nor with a plus-extension",
	    { .ours = RULE("outbound other-mailbox reject") },
	    LOGIN "sender=anna+x@ours.example " OUT, "permit" },
	{ "nor is a login that no entry has",
	    { .ours = RULE("outbound other-mailbox reject") },
	    "sasl_username=bob@ours.example sender=bob+x@ours.example " OUT,
	    "permit" },
	{ "nor an alias on the login's entry",
	    { .ours = RULE("outbound other-mailbox reject") },
	    LOGIN "sender=smith@ours.example " OUT, "permit" },
	{ "nor the null sender",
	    { .ours = RULE("outbound other-mailbox reject") }, LOGIN OUT,
	    "permit" },
	{ "without a login there is no other mailbox",
	    { .ours = RULE("outbound other-mailbox reject") },
	    NETWORK "sender=bob@ours.example " OUT, "permit" },

	/* no-tls, no-login */
	{ "a login over plaintext may be refused",
	    { .ours = RULE("outbound no-tls reject") },
	    "sasl_username=anna@ours.example " ANNA OUT,
	    "reject direction:no-tls ours.example" },
	{ "a login over TLS is not", { .ours = RULE("outbound no-tls reject") },
	    OUTBOUND, "permit" },
	{ "no-tls is about logins",
	    { .ours = RULE("outbound no-tls reject") }, NETWORK ANNA OUT,
	    "permit" },
	{ "a network alone may be refused",
	    { .ours = RULE("outbound no-login reject") }, NETWORK ANNA OUT,
	    "reject direction:no-login ours.example" },
	{ "a login is not a network alone",
	    { .ours = RULE("outbound no-login reject") }, OUTBOUND,
	    "permit" },
	{ "a certificate is not a network alone",
	    { .ours = RULE("outbound no-login reject") },
	    NETWORK "ccert_fingerprint=AA:BB " ANNA OUT, "permit" },

	/* no-rdns, bad-helo */
	{ "no reverse name may be refused",
	    { .ours = RULE("inbound no-rdns reject") },
	    "reverse_client_name=unknown " INBOUND,
	    "reject direction:no-rdns ours.example" },
	{ "a reverse name that is not confirmed is one",
	    { .ours = RULE("inbound no-rdns reject") },
	    "client_name=unknown " INBOUND, "permit" },
	{ "a HELO without a dot may be refused",
	    { .ours = RULE("inbound bad-helo reject") },
	    "helo_name=localhost " INBOUND,
	    "reject direction:bad-helo ours.example" },
	{ "a full name is no bad HELO",
	    { .ours = RULE("inbound bad-helo reject") }, INBOUND, "permit" },
	{ "a bare address is a bad HELO",
	    { .ours = RULE("inbound bad-helo reject") },
	    "helo_name=192.0.2.1 " INBOUND,
	    "reject direction:bad-helo ours.example" },
	{ "the client's own address in brackets is not",
	    { .ours = RULE("inbound bad-helo reject") },
	    "helo_name=[192.0.2.1] " INBOUND, "permit" },
	{ "nor its IPv6 address",
	    { .ours = RULE("inbound bad-helo reject") },
	    "helo_name=[IPv6:2001:db8::1] client_address=2001:db8:0::1 "
	    INBOUND, "permit" },
	{ "another address in brackets is a bad HELO",
	    { .ours = RULE("inbound bad-helo reject") },
	    "helo_name=[192.0.2.2] " INBOUND,
	    "reject direction:bad-helo ours.example" },
	{ "a name that cannot be one is a bad HELO",
	    { .ours = RULE("inbound bad-helo reject") },
	    "helo_name=-a-.b.example " INBOUND,
	    "reject direction:bad-helo ours.example" },
	{ "no HELO at all is a bad one",
	    { .ours = RULE("inbound bad-helo reject") },
	    "helo_name= " INBOUND,
	    "reject direction:bad-helo ours.example" },

	/* null-sender, any */
	{ "a null sender may be refused",
	    { .ours = RULE("inbound null-sender defer") },
	    "recipient=anna@ours.example",
	    "defer direction:null-sender ours.example" },
	{ "a sender is no null sender",
	    { .ours = RULE("inbound null-sender defer") }, INBOUND,
	    "permit" },
	{ "any is everything", { .ours = RULE("inbound any hold") }, INBOUND,
	    "hold direction:any ours.example" },
	{ "outbound any is internal mail, too",
	    { .ours = RULE("outbound any warn") }, INTERNAL,
	    "warn direction:any ours.example" },
	{ "inbound any is not", { .ours = RULE("inbound any warn") },
	    INTERNAL, "permit" },
	{ "internal mail obeys no direction rules of its recipient",
	    { .second = RULE("any any reject") }, INTERNAL, "permit" },

	/* each action */
	{ "permit", { .ours = RULE("inbound any permit") }, INBOUND,
	    "permit" },
	{ "reject", { .ours = RULE("inbound any reject") }, INBOUND,
	    "reject direction:any ours.example" },
	{ "defer", { .ours = RULE("inbound any defer") }, INBOUND,
	    "defer direction:any ours.example" },
	{ "hold", { .ours = RULE("inbound any hold") }, INBOUND,
	    "hold direction:any ours.example" },
	{ "warn", { .ours = RULE("inbound any warn") }, INBOUND,
	    "warn direction:any ours.example" },
	{ "filter", { .ours = RULE("inbound any filter smtp:[::1]:10025") },
	    INBOUND, "filter direction:any ours.example" },
	{ "redirect", { .ours = RULE("inbound any redirect a@b.example") },
	    INBOUND, "redirect direction:any ours.example" },
	{ "prepend", { .ours = RULE("inbound any prepend X-A: b") }, INBOUND,
	    "prepend direction:any ours.example" },
	{ "of several conditions the harshest verdict is given",
	    { .ours = RULE("inbound any hold") RULE("inbound no-rdns defer")
	    RULE("inbound bad-helo warn") },
	    "reverse_client_name=unknown helo_name=pc " INBOUND,
	    "defer direction:no-rdns ours.example" },
	{ "who lifts own-sender for a direction lifts it",
	    { .second = RULE("inbound own-sender warn") }, ANNA INSIDE,
	    "warn direction:own-sender second.example" },
};

static const struct row list_rows[] = {
	{ "a block line rejects", { .ours = BLOCK("sender @far.example") },
	    INBOUND, "reject block:sender ours.example" },
	{ "a blocked client", { .ours = BLOCK("client 192.0.2.1") }, INBOUND,
	    "reject block:client ours.example" },
	{ "a blocked HELO", { .ours = BLOCK("helo mx.*") }, INBOUND,
	    "reject block:helo ours.example" },
	{ "a recipient that is blocked from being written to",
	    { .ours = BLOCK("recipient @far.example outbound") }, OUTBOUND,
	    "reject block:recipient ours.example" },
	{ "an allow line lifts a block",
	    { .global = BLOCK("sender @far.example"),
	    .ours = ALLOW("sender @far.example") }, INBOUND,
	    "permit allowed" },
	{ "an allow line does not lift a status",
	    { .ours = STATUS("disabled") ALLOW("sender @far.example") },
	    INBOUND, "reject status ours.example" },
	{ "an allow line does not lift a direction rule",
	    { .ours = RULE("inbound no-rdns reject")
	    ALLOW("sender @far.example") },
	    "reverse_client_name=unknown " INBOUND,
	    "reject direction:no-rdns ours.example" },
	{ "internal mail obeys the recipient tenant's blocks, too",
	    { .second = BLOCK("sender anna@ours.example") }, INTERNAL,
	    "reject block:sender second.example" },
	{ "the sender's allow does not lift the recipient's block",
	    { .ours = ALLOW("recipient @second.example"),
	    .second = BLOCK("sender anna@ours.example") }, INTERNAL,
	    "reject block:sender second.example" },
	{ "the recipient's allow does not lift the sender's block",
	    { .ours = BLOCK("recipient @second.example"),
	    .second = ALLOW("sender @ours.example") }, INTERNAL,
	    "reject block:recipient ours.example" },
	{ "the recipient's allow lifts its own block",
	    { .second = BLOCK("sender @ours.example")
	    ALLOW("sender anna@ours.example") }, INTERNAL, "permit" },
	{ "a status comes before a block",
	    { .ours = STATUS("disabled") BLOCK("sender @far.example") },
	    INBOUND, "reject status ours.example" },
	{ "a direction rule comes before a block",
	    { .ours = RULE("inbound any defer")
	    BLOCK("sender @far.example") }, INBOUND,
	    "defer direction:any ours.example" },
	{ "a verdict that lets pass does not end it",
	    { .ours = RULE("inbound any hold")
	    BLOCK("sender @far.example") }, INBOUND,
	    "reject block:sender ours.example" },
};

static const struct {
	const char *name;
	struct world world;
	const char *request;
	const char *want;
} replies[] = {
	{ "a refusal names the tenant", { .ours = STATUS("suspended") },
	    OUTBOUND, "451 4.7.1 ours.example: sending is suspended" },
	{ "a refusal names the condition", NOTHING, LOGIN CARL OUT,
	    "550 5.7.1 ours.example: this login may not send from that "
	    "domain (foreign-sender)" },
	{ "a relay is told so", NOTHING, CARL OUT,
	    "550 5.7.1 relaying denied: neither sender nor recipient is "
	    "ours" },
	{ "a block names its kind", { .ours = BLOCK("helo mx.*") }, INBOUND,
	    "550 5.7.1 ours.example: blocked by policy (helo)" },
	{ "a filter is named as it was written",
	    { .ours = RULE("inbound any filter smtp:[::1]:10025") }, INBOUND,
	    "FILTER smtp:[::1]:10025" },
	{ "a header is given as it was written",
	    { .ours = RULE("inbound any prepend X-Way: in") }, INBOUND,
	    "PREPEND X-Way: in" },
	{ "a redirection goes where it was written",
	    { .ours = RULE("inbound any redirect a@b.example") }, INBOUND,
	    "REDIRECT a@b.example" },
};

static struct snapshot *
world_of(const struct world *world)
{
	char ldif[4096];

#define OR_NONE(text) ((text) != NULL ? (text) : "")
	snprintf(ldif, sizeof(ldif), TEMPLATE("global", "%s")
	    TENANT("ours.example", "%s") TENANT("second.example", "%s")
	    MAILBOX("anna", "ours.example", "mail: anna@ours.example\n"
	    "mail: smith@ours.example\n", "%s"), OR_NONE(world->global),
	    OR_NONE(world->ours), OR_NONE(world->second),
	    OR_NONE(world->anna));
	return world_snapshot(ldif);
}

static const char *
entry_name(const struct facts *facts, const char *dn)
{
	const struct chain *chains[] = { &facts->chain,
		&facts->recipient_chain };
	size_t i, j;

	for (i = 0; i < 2; i++)
		for (j = 0; j < chains[i]->count; j++)
			if (strcmp(chains[i]->layers[j]->dn, dn) == 0)
				return chains[i]->layers[j]->name;
	return "built-in";
}

static void
test_rows(struct arena *arena, const struct row *row, size_t count)
{
	struct decision decision;
	struct snapshot *snapshot;
	const struct facts *facts;
	const char *got;

	for (; count > 0; count--, row++) {
		snapshot = world_of(&row->world);
		facts = world_facts(arena, snapshot, row->request);
		decision = (struct decision){ 0 };
		rules_decide(facts, &decision);
		got = decision.verdict.action == ACTION_PERMIT
		    ? decision.is_allowed ? "permit allowed" : "permit"
		    : arena_printf(arena, "%s %s %s",
		    action_words[decision.verdict.action],
		    decision.verdict.rule,
		    entry_name(facts, decision.verdict.dn));
		tap_is(got, row->want, row->name);
		snapshot_release(snapshot);
	}
}

static void
test_replies(struct arena *arena)
{
	char reply[VERDICT_REPLY];
	struct decision decision;
	struct snapshot *snapshot;
	size_t i;

	for (i = 0; i < ROWS(replies); i++) {
		snapshot = world_of(&replies[i].world);
		decision = (struct decision){ 0 };
		rules_decide(world_facts(arena, snapshot, replies[i].request),
		    &decision);
		verdict_reply(&decision.verdict, reply);
		tap_is(reply, replies[i].want, replies[i].name);
		snapshot_release(snapshot);
	}
}

int
main(void)
{
	struct arena *arena = arena_new(0);

	test_rows(arena, status_rows, ROWS(status_rows));
	test_rows(arena, direction_rows, ROWS(direction_rows));
	test_rows(arena, list_rows, ROWS(list_rows));
	test_replies(arena);
	arena_free(arena);
	return tap_done();
}
