/* SPDX-License-Identifier: ISC */
/* rule_greylist.c - who is greylisted, what makes two mails the same stranger,
 * and what is said to it? How records live is counters_memory.c's test. */
#include "policyd/rule_greylist.h"

#include "t/unit/tap.h"
#include "t/unit/world.h"

#define ON "posternGreylist: on\n"
#define RECIPIENT "recipient=anna@ours.example "
#define FROM "sender=carl@far.example " RECIPIENT
#define LOGIN "sasl_username=anna@ours.example "

static const char *world = TEMPLATE("global", "")
    TENANT("ours.example", ON) TENANT("second.example", ON)
    TENANT("off.example", "") TENANT("score.example",
    "posternGreylist: score\n")
    MAILBOX("bob", "ours.example", "mail: bob@ours.example\n",
    "posternGreylist: off\n");

static const struct {
	const char *name;
	const char *request;
	bool is_allowed;
	bool want;
} asks[] = {
	{ "a stranger is greylisted", FROM, false, true },
	{ "a stranger with a null sender, too", RECIPIENT, false, true },
	{ "not where the tenant does not want it",
	    "sender=carl@far.example recipient=x@off.example", false, false },
	{ "not where the mailbox does not want it",
	    "sender=carl@far.example recipient=bob@ours.example", false,
	    false },
	{ "not where only a score would tell",
	    "sender=carl@far.example recipient=x@score.example", false,
	    false },
	{ "not where an allow line lifts it", FROM, true, false },
	{ "never a login", LOGIN FROM, false, false },
	{ "never a login without a tenant",
	    "sasl_username=x@far.example " FROM, false, false },
	{ "never a trusted network", "client_address=10.1.2.3 " FROM, false,
	    false },
	{ "never a trusted certificate", "ccert_fingerprint=AA:BB " FROM,
	    false, false },
	{ "never outbound mail",
	    LOGIN "sender=anna@ours.example recipient=carl@far.example",
	    false, false },
	{ "never relayed mail",
	    "sender=carl@far.example recipient=x@far.example", false, false },
};

/* Are the two mails of one record? */
static const struct {
	const char *name;
	const char *one, *other;
	bool want;
} records[] = {
	{ "the same mail again", FROM, FROM, true },
	{ "another recipient is another record", FROM,
	    "sender=carl@far.example recipient=x@ours.example", false },
	{ "a recipient's extension does not matter", FROM,
	    "sender=carl@far.example recipient=anna+x@ours.example", true },
	{ "another sender is another record", FROM,
	    "sender=dora@far.example " RECIPIENT, false },
	{ "a sender's extension does not matter", FROM,
	    "sender=carl+x@far.example " RECIPIENT, true },
	{ "another VERP number does not matter",
	    "sender=b-12@far.example " RECIPIENT,
	    "sender=b-7654@far.example " RECIPIENT, true },
	{ "another BATV tag does not matter",
	    "sender=prvs=1234abcdef=carl@far.example " RECIPIENT, FROM,
	    true },
	{ "another machine of the pool does not matter",
	    "client_address=192.0.2.1 client_name=a.pool.far.example " FROM,
	    "client_address=198.51.100.1 client_name=b.pool.far.example "
	    FROM, true },
	{ "another machine of the /24 does not matter",
	    "client_address=192.0.2.1 client_name=unknown " FROM,
	    "client_address=192.0.2.99 client_name=unknown " FROM, true },
	{ "another /24 does",
	    "client_address=192.0.2.1 client_name=unknown " FROM,
	    "client_address=198.51.100.1 client_name=unknown " FROM, false },
	{ "another machine of the /64 does not matter",
	    "client_address=2001:db8::1 client_name=unknown " FROM,
	    "client_address=2001:db8::2 client_name=unknown " FROM, true },
	{ "another /64 does",
	    "client_address=2001:db8::1 client_name=unknown " FROM,
	    "client_address=2001:db8:0:1::1 client_name=unknown " FROM,
	    false },
	{ "a name below a public suffix does not make a pool",
	    "client_address=192.0.2.1 client_name=a.com " FROM,
	    "client_address=198.51.100.1 client_name=b.com " FROM, false },
	{ "a name with the address does not make a pool",
	    "client_address=192.0.2.1 client_name=192-0-2-1.isp.far.example "
	    FROM, "client_address=198.51.100.1 "
	    "client_name=198-51-100-1.isp.far.example " FROM, false },
	{ "HELO does not matter", "helo_name=a.far.example " FROM,
	    "helo_name=b.far.example " FROM, true },
};

/* Do the two mails promote one another? */
static const struct {
	const char *name;
	const char *one, *other;
	bool want;
} promotions[] = {
	{ "promotion is for every sender of a domain", FROM,
	    "sender=dora@far.example " RECIPIENT, true },
	{ "and for every recipient of the tenant", FROM,
	    "sender=carl@far.example recipient=x@ours.example", true },
	{ "but not for another tenant", FROM,
	    "sender=carl@far.example recipient=x@second.example", false },
	{ "nor for another domain", FROM, "sender=carl@near.example "
	    RECIPIENT, false },
	{ "nor for another network, whatever the name",
	    "client_address=192.0.2.1 client_name=a.pool.far.example " FROM,
	    "client_address=198.51.100.1 client_name=a.pool.far.example "
	    FROM, false },
};

static struct snapshot *snapshot;
static struct arena *arena;

static struct counter_grey
grey_of(const char *request)
{
	struct decision decision = { 0 };
	struct counter_grey grey;

	if (!greylist_ask(world_facts(arena, snapshot, request), &decision,
	    &grey))
		abort();
	return grey;
}

static void
test_asks(void)
{
	struct counter_grey grey;
	struct decision decision;
	size_t i;

	for (i = 0; i < ROWS(asks); i++) {
		decision = (struct decision){
			.is_allowed = asks[i].is_allowed };
		tap_int(greylist_ask(world_facts(arena, snapshot,
		    asks[i].request), &decision, &grey), asks[i].want,
		    asks[i].name);
	}
}

static void
test_keys(void)
{
	struct counter_grey one, other;
	size_t i;

	for (i = 0; i < ROWS(records); i++) {
		one = grey_of(records[i].one);
		other = grey_of(records[i].other);
		tap_int(memcmp(&one.record, &other.record,
		    sizeof(one.record)) == 0, records[i].want,
		    records[i].name);
	}
	for (i = 0; i < ROWS(promotions); i++) {
		one = grey_of(promotions[i].one);
		other = grey_of(promotions[i].other);
		tap_int(memcmp(&one.promotion, &other.promotion,
		    sizeof(one.promotion)) == 0, promotions[i].want,
		    promotions[i].name);
	}
}

static void
test_settings(void)
{
	struct counter_grey grey = grey_of(FROM);

	tap_ok(grey.delay_ms == 300000 && grey.window_ms == 172800000 &&
	    grey.pass_ms == INT64_C(3024000000) && grey.promote == 3,
	    "5m, 2d, 35d and 3 are what nobody says otherwise");
	snapshot_release(snapshot);
	snapshot = world_snapshot(TENANT("ours.example", ON
	    "posternGreylistDelay: 1m\nposternGreylistWindow: 1h\n"
	    "posternGreylistPass: 1d\nposternGreylistPromote: 0\n"));
	grey = grey_of(FROM);
	tap_ok(grey.delay_ms == 60000 && grey.window_ms == 3600000 &&
	    grey.pass_ms == 86400000 && grey.promote == 0,
	    "the tenant may say otherwise");
}

static void
test_answers(void)
{
	const struct facts *facts = world_facts(arena, snapshot, FROM);
	struct counter_grey grey = { .answer = GREY_NEW, .wait_ms = 300000 };
	struct decision decision = { 0 };
	char reply[VERDICT_REPLY];

	greylist_decide(facts, &grey, &decision);
	verdict_reply(&decision.verdict, reply);
	tap_is(reply, "DEFER_IF_PERMIT 4.2.0 ours.example: greylisted, try "
	    "again in 5m", "a stranger is told when to come back");
	tap_is(decision.verdict.rule, "greylist:new", "the log says: new");
	decision = (struct decision){ 0 };
	grey = (struct counter_grey){ .answer = GREY_EARLY, .wait_ms = 1 };
	greylist_decide(facts, &grey, &decision);
	tap_is(decision.verdict.rule, "greylist:early",
	    "the log says: too early");
	decision = (struct decision){ 0 };
	grey = (struct counter_grey){ .answer = GREY_PASS };
	greylist_decide(facts, &grey, &decision);
	tap_int(decision.verdict.action, ACTION_PERMIT,
	    "who is known passes");
}

int
main(void)
{
	arena = arena_new(0);
	snapshot = world_snapshot(world);
	test_asks();
	test_keys();
	test_settings();
	test_answers();
	snapshot_release(snapshot);
	arena_free(arena);
	return tap_done();
}
