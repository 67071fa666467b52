/* SPDX-License-Identifier: ISC */
/* effective.c - is each value in force the nearest, and does each come from
 * where it is said to come from? */
#include "policyd/effective.h"

#include "t/unit/tap.h"
#include "t/unit/world.h"

/* Who asks: a mailbox of ours.example, ours.example, or nobody's own mail */
enum asker { ANNA, OURS, NOBODY };

/* On each level a value; what a row leaves out is not said there */
struct world {
	const char *global, *outer, *template, *tenant, *mailbox;
};

static struct snapshot *
world_of(const struct world *world)
{
	char ldif[4096];

#define OR_NONE(text) ((text) != NULL ? (text) : "")
	snprintf(ldif, sizeof(ldif),
	    TEMPLATE("global", "%s") TEMPLATE("outer", "%s")
	    TEMPLATE("near", "posternTemplate: cn=outer,dc=postern\n%s")
	    TENANT("ours.example", "posternTemplate: cn=near,dc=postern\n%s")
	    MAILBOX("anna", "ours.example", "mail: anna@ours.example\n", "%s"),
	    OR_NONE(world->global), OR_NONE(world->outer),
	    OR_NONE(world->template), OR_NONE(world->tenant),
	    OR_NONE(world->mailbox));
	return world_snapshot(ldif);
}

static void
chain_for(const struct snapshot *snapshot, enum asker who, struct chain *chain)
{
	const struct tenant *ours = snapshot_tenant_by_id(snapshot,
	    "ours.example");

	chain_of(snapshot, who == NOBODY ? NULL : ours, who == ANNA
	    ? snapshot_mailbox(snapshot, "anna@ours.example") : NULL, chain);
}

static const char *
from_name(const struct layer *from)
{
	return from == NULL ? "built-in" : from->name;
}

#define NOTHING { .global = NULL }
#define STATUS(word) "posternStatus: " word "\n"
#define DELAY(time) "posternGreylistDelay: " time "\n"

static const struct {
	const char *name;
	struct world world;
	enum asker who;
	enum policy_value which;
	int64_t want;
	const char *from;
} values[] = {
	{ "what nobody says is built in", NOTHING, ANNA,
	    POLICY_GREYLIST_DELAY, 300000, "built-in" },
	{ "global is before what is built in", { .global = DELAY("1m") },
	    ANNA, POLICY_GREYLIST_DELAY, 60000, "global" },
	{ "a template's template is before global",
	    { .global = DELAY("1m"), .outer = DELAY("2m") }, ANNA,
	    POLICY_GREYLIST_DELAY, 120000, "outer" },
	{ "the tenant's template is before its template",
	    { .global = DELAY("1m"), .outer = DELAY("2m"),
	    .template = DELAY("3m") }, ANNA, POLICY_GREYLIST_DELAY, 180000,
	    "near" },
	{ "the tenant is before its template",
	    { .global = DELAY("1m"), .template = DELAY("3m"),
	    .tenant = DELAY("4m") }, ANNA, POLICY_GREYLIST_DELAY, 240000,
	    "ours.example" },
	{ "the mailbox is before its tenant",
	    { .tenant = DELAY("4m"), .mailbox = DELAY("6m") }, ANNA,
	    POLICY_GREYLIST_DELAY, 360000, "anna@ours.example" },
	{ "another mailbox of the tenant has the tenant's",
	    { .tenant = DELAY("4m"), .mailbox = DELAY("6m") }, OURS,
	    POLICY_GREYLIST_DELAY, 240000, "ours.example" },
	{ "nobody's own mail has global's",
	    { .global = DELAY("1m"), .tenant = DELAY("4m") }, NOBODY,
	    POLICY_GREYLIST_DELAY, 60000, "global" },
	{ "built in: active", NOTHING, OURS, POLICY_STATUS, STATUS_ACTIVE,
	    "built-in" },
	{ "built in: no greylisting", NOTHING, OURS, POLICY_GREYLIST,
	    GREYLIST_OFF, "built-in" },
	{ "built in: a window of two days", NOTHING, OURS,
	    POLICY_GREYLIST_WINDOW, 172800000, "built-in" },
	{ "built in: a pass of 35 days", NOTHING, OURS,
	    POLICY_GREYLIST_PASS, INT64_C(3024000000), "built-in" },
	{ "built in: promoted after three passes", NOTHING, OURS,
	    POLICY_GREYLIST_PROMOTE, 3, "built-in" },
	{ "built in: no greylist threshold", NOTHING, OURS,
	    POLICY_GREYLIST_THRESHOLD, POLICY_UNSET, "built-in" },
	{ "built in: no quarantine threshold", NOTHING, OURS,
	    POLICY_QUARANTINE_THRESHOLD, POLICY_UNSET, "built-in" },
	{ "built in: no reject threshold", NOTHING, OURS,
	    POLICY_REJECT_THRESHOLD, POLICY_UNSET, "built-in" },
	{ "an active mailbox does not lift its tenant's suspension",
	    { .tenant = STATUS("suspended"), .mailbox = STATUS("active") },
	    ANNA, POLICY_STATUS, STATUS_SUSPENDED, "ours.example" },
	{ "nor its tenant's template's",
	    { .template = STATUS("disabled"), .mailbox = STATUS("active") },
	    ANNA, POLICY_STATUS, STATUS_DISABLED, "near" },
	{ "a mailbox may be stricter than its tenant",
	    { .tenant = STATUS("active"), .mailbox = STATUS("disabled") },
	    ANNA, POLICY_STATUS, STATUS_DISABLED, "anna@ours.example" },
	{ "disabled is stricter than suspended",
	    { .tenant = STATUS("disabled"), .mailbox = STATUS("suspended") },
	    ANNA, POLICY_STATUS, STATUS_DISABLED, "ours.example" },
	{ "an active tenant lifts its template's suspension",
	    { .template = STATUS("suspended"), .tenant = STATUS("active") },
	    ANNA, POLICY_STATUS, STATUS_ACTIVE, "ours.example" },
};

#define A1(count) LIMIT("a outbound domain messages " count "/1h")
#define M1(count) LIMIT("a outbound mailbox messages " count "/1h")

/* want: "name count from" of all in force */
static const struct {
	const char *name;
	struct world world;
	enum asker who;
	const char *want;
} limits[] = {
	{ "no limit is built in", NOTHING, ANNA, "" },
	{ "limits of different names are all in force",
	    { .global = A1("1"), .tenant = LIMIT("b any client bytes 2/1h"),
	    .mailbox = LIMIT("c any mailbox bytes 3/1h") }, ANNA,
	    "c 3 anna@ours.example; b 2 ours.example; a 1 global" },
	{ "of one name the nearer is in force",
	    { .global = A1("1"), .template = A1("2"), .tenant = A1("3") },
	    OURS, "a 3 ours.example" },
	{ "off takes an inherited limit away",
	    { .global = A1("1"), .tenant = LIMIT("a off") }, OURS, "" },
	{ "off on a template is lifted by the tenant",
	    { .template = LIMIT("a off"), .tenant = A1("3") }, OURS,
	    "a 3 ours.example" },
	{ "a mailbox changes a mailbox limit",
	    { .tenant = M1("1"), .mailbox = M1("2") }, ANNA,
	    "a 2 anna@ours.example" },
	{ "a mailbox turns a mailbox limit off",
	    { .tenant = M1("1"), .mailbox = LIMIT("a off") }, ANNA, "" },
	{ "a mailbox cannot change a domain limit",
	    { .tenant = A1("1"), .mailbox = M1("2") }, ANNA,
	    "a 1 ours.example" },
	{ "a mailbox cannot turn a domain limit off",
	    { .tenant = A1("1"), .mailbox = LIMIT("a off") }, ANNA,
	    "a 1 ours.example" },
	{ "nor one that its tenant inherits",
	    { .global = A1("1"), .mailbox = LIMIT("a off") }, ANNA,
	    "a 1 global" },
	{ "a domain limit that the tenant turned off is no obstacle",
	    { .global = A1("1"), .tenant = LIMIT("a off"),
	    .mailbox = M1("2") }, ANNA, "a 2 anna@ours.example" },
	{ "nor is one that the tenant replaced",
	    { .global = A1("1"), .tenant = M1("2"), .mailbox = M1("3") },
	    ANNA, "a 3 anna@ours.example" },
	{ "nobody's own mail has global's limits",
	    { .global = A1("1"), .tenant = A1("2") }, NOBODY, "a 1 global" },
};

/* One limit (among others): does it count that mail? */
static const struct {
	const char *name;
	const char *limit, *other;
	enum direction mail;
	bool want;
} applies[] = {
	{ "an inbound limit counts inbound mail",
	    LIMIT("a inbound domain messages 1/1h"), "", DIR_INBOUND, true },
	{ "an inbound limit does not count internal mail",
	    LIMIT("a inbound domain messages 1/1h"), "", DIR_INTERNAL,
	    false },
	{ "an outbound limit counts outbound mail",
	    LIMIT("a outbound domain messages 1/1h"), "", DIR_OUTBOUND,
	    true },
	{ "an outbound limit counts internal mail",
	    LIMIT("a outbound domain messages 1/1h"), "", DIR_INTERNAL,
	    true },
	{ "unless internal is named for that subject and unit",
	    LIMIT("a outbound domain messages 1/1h"),
	    LIMIT("b internal domain messages 9/1h"), DIR_INTERNAL, false },
	{ "then it still counts outbound mail",
	    LIMIT("a outbound domain messages 1/1h"),
	    LIMIT("b internal domain messages 9/1h"), DIR_OUTBOUND, true },
	{ "internal named for another subject is no reason",
	    LIMIT("a outbound domain messages 1/1h"),
	    LIMIT("b internal mailbox messages 9/1h"), DIR_INTERNAL, true },
	{ "internal named for another unit is no reason",
	    LIMIT("a outbound domain messages 1/1h"),
	    LIMIT("b internal domain bytes 9/1h"), DIR_INTERNAL, true },
	{ "an internal limit counts internal mail",
	    LIMIT("a internal domain messages 1/1h"), "", DIR_INTERNAL,
	    true },
	{ "an internal limit does not count outbound mail",
	    LIMIT("a internal domain messages 1/1h"), "", DIR_OUTBOUND,
	    false },
	{ "a limit of any direction counts relayed mail",
	    LIMIT("a any domain messages 1/1h"), "", DIR_RELAY, true },
	{ "a limit of any direction counts internal mail, named or not",
	    LIMIT("a any domain messages 1/1h"),
	    LIMIT("b internal domain messages 9/1h"), DIR_INTERNAL, true },
};

/* want: "direction condition action from" of the rule that decides */
static const struct {
	const char *name;
	struct world world;
	enum asker who;
	enum direction mail;
	enum condition condition;
	const char *want;
} rules[] = {
	{ "built-in rules come last", NOTHING, OURS, DIR_INBOUND,
	    COND_OWN_SENDER, "inbound reject built-in" },
	{ "a built-in outbound rule is for internal mail, too", NOTHING,
	    OURS, DIR_INTERNAL, COND_FOREIGN_SENDER,
	    "outbound reject built-in" },
	{ "what no rule names is permitted", NOTHING, OURS, DIR_OUTBOUND,
	    COND_NO_RDNS, "none" },
	{ "the tenant replaces a built-in rule",
	    { .tenant = RULE("inbound own-sender permit") }, OURS,
	    DIR_INBOUND, COND_OWN_SENDER, "inbound permit ours.example" },
	{ "the nearer entry decides",
	    { .global = RULE("inbound no-rdns reject"),
	    .template = RULE("inbound no-rdns warn") }, OURS, DIR_INBOUND,
	    COND_NO_RDNS, "inbound warn near" },
	{ "a mailbox may have its own rule",
	    { .tenant = RULE("outbound no-tls reject"),
	    .mailbox = RULE("outbound no-tls permit") }, ANNA, DIR_OUTBOUND,
	    COND_NO_TLS, "outbound permit anna@ours.example" },
	{ "on one entry the exact direction beats any",
	    { .tenant = RULE("any no-tls reject")
	    RULE("outbound no-tls warn") }, OURS, DIR_OUTBOUND, COND_NO_TLS,
	    "outbound warn ours.example" },
	{ "on one entry internal beats outbound for internal mail",
	    { .tenant = RULE("outbound no-tls reject")
	    RULE("internal no-tls warn") }, OURS, DIR_INTERNAL, COND_NO_TLS,
	    "internal warn ours.example" },
	{ "on one entry outbound beats any for internal mail",
	    { .tenant = RULE("any no-tls reject")
	    RULE("outbound no-tls warn") }, OURS, DIR_INTERNAL, COND_NO_TLS,
	    "outbound warn ours.example" },
	{ "a rule for another direction is passed over",
	    { .tenant = RULE("inbound no-tls reject"),
	    .global = RULE("outbound no-tls warn") }, OURS, DIR_OUTBOUND,
	    COND_NO_TLS, "outbound warn global" },
	{ "a rule for any direction adds a condition to relayed mail",
	    { .global = RULE("any no-rdns reject") }, NOBODY, DIR_RELAY,
	    COND_NO_RDNS, "any reject global" },
	{ "any does not soften what is named further out",
	    { .tenant = RULE("any no-tls permit"),
	    .global = RULE("outbound no-tls reject") }, OURS, DIR_OUTBOUND,
	    COND_NO_TLS, "outbound reject global" },
	{ "nor what is built in by its name",
	    { .tenant = RULE("any own-sender permit") }, OURS, DIR_INBOUND,
	    COND_OWN_SENDER, "inbound reject built-in" },
	{ "but it may be stricter",
	    { .tenant = RULE("any no-tls reject"),
	    .global = RULE("outbound no-tls warn") }, OURS, DIR_OUTBOUND,
	    COND_NO_TLS, "any reject ours.example" },
	{ "any any does not open the relay",
	    { .global = RULE("any any permit") }, NOBODY, DIR_RELAY, COND_ANY,
	    "relay reject built-in" },
	{ "relay any does",
	    { .global = RULE("relay any permit") }, NOBODY, DIR_RELAY,
	    COND_ANY, "relay permit global" },
};

static const char *
limits_text(struct arena *arena, const struct chain *chain)
{
	struct effective_limit *all;
	size_t i, n = effective_limits(arena, chain, &all);
	const char *text = "";

	for (i = 0; i < n; i++)
		text = arena_printf(arena, "%s%s%s %llu %s", text,
		    i > 0 ? "; " : "", all[i].limit->name,
		    (unsigned long long)all[i].limit->count,
		    from_name(all[i].from));
	return text;
}

static const char *
rule_text(struct arena *arena, struct effective_rule found)
{
	if (found.rule == NULL)
		return "none";
	return arena_printf(arena, "%s %s %s",
	    direction_words[found.rule->direction],
	    action_words[found.rule->action], from_name(found.from));
}

static void
test_values(void)
{
	const struct layer *from;
	struct snapshot *snapshot;
	struct chain chain;
	int64_t value;
	size_t i;

	for (i = 0; i < ROWS(values); i++) {
		snapshot = world_of(&values[i].world);
		chain_for(snapshot, values[i].who, &chain);
		value = effective_value(&chain, values[i].which, &from);
		tap_ok(value == values[i].want && strcmp(from_name(from),
		    values[i].from) == 0, values[i].name);
		snapshot_release(snapshot);
	}
}

static void
test_limits(struct arena *arena)
{
	struct effective_limit *all;
	struct snapshot *snapshot;
	struct chain chain;
	size_t i, n;

	for (i = 0; i < ROWS(limits); i++) {
		snapshot = world_of(&limits[i].world);
		chain_for(snapshot, limits[i].who, &chain);
		tap_is(limits_text(arena, &chain), limits[i].want,
		    limits[i].name);
		snapshot_release(snapshot);
	}
	for (i = 0; i < ROWS(applies); i++) {
		snapshot = world_of(&(struct world){
		    .tenant = applies[i].limit, .global = applies[i].other });
		chain_for(snapshot, OURS, &chain);
		n = effective_limits(arena, &chain, &all);
		tap_int(limit_applies(all, n, all[0].limit, applies[i].mail),
		    applies[i].want, applies[i].name);
		snapshot_release(snapshot);
	}
}

static void
test_rules(struct arena *arena)
{
	struct snapshot *snapshot;
	struct chain chain;
	size_t i;

	for (i = 0; i < ROWS(rules); i++) {
		snapshot = world_of(&rules[i].world);
		chain_for(snapshot, rules[i].who, &chain);
		tap_is(rule_text(arena, effective_rule(&chain, rules[i].mail,
		    rules[i].condition)), rules[i].want, rules[i].name);
		snapshot_release(snapshot);
	}
}

static void
test_alert(void)
{
	struct snapshot *snapshot = world_of(&(struct world){
	    .global = "posternAlert: root@host.example\n",
	    .tenant = "posternAlert: admin@ours.example\n" });
	const struct layer *from = NULL;
	struct chain chain;

	chain_for(snapshot, ANNA, &chain);
	tap_is(effective_alert(&chain, &from), "admin@ours.example",
	    "the nearest posternAlert is told");
	tap_is(from_name(from), "ours.example", "and known by its entry");
	chain_for(snapshot, NOBODY, &chain);
	tap_is(effective_alert(&chain, NULL), "root@host.example",
	    "of nobody's own mail global's is told");
	snapshot_release(snapshot);
	snapshot = world_of(&(struct world){ .global = NULL });
	chain_for(snapshot, ANNA, &chain);
	tap_is(effective_alert(&chain, NULL), NULL,
	    "nobody is told where nobody is named");
	snapshot_release(snapshot);
}

int
main(void)
{
	struct arena *arena = arena_new(0);

	test_values();
	test_limits(arena);
	test_rules(arena);
	test_alert();
	arena_free(arena);
	return tap_done();
}
