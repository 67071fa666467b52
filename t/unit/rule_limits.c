/* SPDX-License-Identifier: ISC */
/* rule_limits.c - which limits apply to a request, whose counter each is, what
 * it costs, and what is said when one is reached? Nothing is counted here:
 * the answers of the counters are made up. */
#include "policyd/rule_limits.h"

#include "t/unit/tap.h"
#include "t/unit/world.h"

#define LOGIN "sasl_username=anna@ours.example "
#define ANNA "sender=anna@ours.example "
#define OUTBOUND LOGIN ANNA "size=5000 recipient=carl@far.example "
#define INTERNAL LOGIN ANNA "size=5000 recipient=berta@second.example "
#define INBOUND "sender=carl@far.example size=5000 " \
	"recipient=anna@ours.example "

#define WORLD(lines) TEMPLATE("global", "") TENANT("ours.example", lines) \
	TENANT("second.example", "") \
	MAILBOX("anna", "ours.example", \
	"mail: anna@ours.example\nmail: smith@ours.example\n", "")

static struct arena *arena;

/* "name cost" of each case that asks the counters, "name cost!" of others */
static const char *
cases_text(const struct limit_cases *cases)
{
	const char *text = "";
	size_t i;

	for (i = 0; i < cases->count; i++)
		text = arena_printf(arena, "%s%s%s %llu%s", text,
		    i > 0 ? ", " : "", cases->list[i].limit->name,
		    (unsigned long long)cases->list[i].cost,
		    cases->list[i].asked != NULL ? "" : "!");
	return text;
}

/* What a first recipient costs under each of these limits */
static const struct {
	const char *name;
	const char *lines;
	const char *request;
	const char *want;
} firsts[] = {
	{ "no limit, nothing to ask", "", OUTBOUND, "" },
	{ "a message costs one", LIMIT("a outbound domain messages 9/1h"),
	    OUTBOUND, "a 1" },
	{ "a recipient costs one",
	    LIMIT("a outbound domain recipients 9/1h"), OUTBOUND, "a 1" },
	{ "bytes cost the SIZE that was claimed",
	    LIMIT("a outbound domain bytes 9k/1h"), OUTBOUND, "a 5000" },
	{ "nothing claimed, nothing asked",
	    LIMIT("a outbound domain bytes 9k/1h"),
	    LOGIN ANNA "recipient=carl@far.example", "a 0!" },
	{ "a cap on one message needs no counter",
	    LIMIT("a outbound mailbox recipients 9/message"), OUTBOUND,
	    "a 1!" },
	{ "all that apply are asked at once",
	    LIMIT("a outbound domain messages 9/1h")
	    LIMIT("b outbound mailbox recipients 9/1h")
	    LIMIT("c any client bytes 9k/1h")
	    LIMIT("d inbound sender messages 9/1h"), OUTBOUND,
	    "a 1, b 1, c 5000" },
	{ "an outbound limit counts internal mail",
	    LIMIT("a outbound domain messages 9/1h"), INTERNAL, "a 1" },
	{ "but where internal is named, that does",
	    LIMIT("a outbound domain messages 9/1h")
	    LIMIT("b internal domain messages 99/1h"), INTERNAL, "b 1" },
	{ "inbound mail is counted by inbound limits",
	    LIMIT("a outbound domain messages 9/1h")
	    LIMIT("b inbound domain messages 9/1h"), INBOUND, "b 1" },
};

/* Do two requests share the counter of the one limit? */
static const struct {
	const char *name;
	const char *limit;
	const char *one, *other;
	bool want;
} shares[] = {
	{ "domain: all logins of a tenant share one counter",
	    LIMIT("a outbound domain messages 9/1h"), OUTBOUND,
	    "sasl_username=bob@ours.example recipient=carl@far.example",
	    true },
	{ "mailbox: each login has its own",
	    LIMIT("a outbound mailbox messages 9/1h"), OUTBOUND,
	    "sasl_username=bob@ours.example recipient=carl@far.example",
	    false },
	{ "mailbox: the sender does not matter, the login does",
	    LIMIT("a outbound mailbox messages 9/1h"), OUTBOUND,
	    LOGIN "sender=bob@ours.example recipient=carl@far.example",
	    true },
	{ "mailbox: the login's case and extension do not matter",
	    LIMIT("a outbound mailbox messages 9/1h"), OUTBOUND,
	    "sasl_username=Anna+x@OURS.example recipient=carl@far.example",
	    true },
	{ "mailbox: all addresses of one entry share one counter",
	    LIMIT("a outbound mailbox messages 9/1h"), OUTBOUND,
	    "sasl_username=smith@ours.example recipient=carl@far.example",
	    true },
	{ "mailbox, inbound: the recipient's",
	    LIMIT("a inbound mailbox messages 9/1h"), INBOUND,
	    "sender=x@far.example recipient=bob@ours.example", false },
	{ "client: one IPv4 address is one client",
	    LIMIT("a inbound client messages 9/1h"), INBOUND,
	    "client_address=192.0.2.1 sender=x@far.example "
	    "recipient=bob@ours.example", true },
	{ "client: its neighbour is another",
	    LIMIT("a inbound client messages 9/1h"), INBOUND,
	    "client_address=192.0.2.2 " INBOUND, false },
	{ "client: an IPv6 /64 is one client",
	    LIMIT("a inbound client messages 9/1h"),
	    "client_address=2001:db8::1 " INBOUND,
	    "client_address=2001:db8::2 " INBOUND, true },
	{ "client: another /64 is another",
	    LIMIT("a inbound client messages 9/1h"),
	    "client_address=2001:db8::1 " INBOUND,
	    "client_address=2001:db8:0:1::1 " INBOUND, false },
	{ "sender: one address has one counter",
	    LIMIT("a inbound sender messages 9/1h"), INBOUND,
	    "sender=Carl@FAR.example recipient=bob@ours.example", true },
	{ "sender: another address another",
	    LIMIT("a inbound sender messages 9/1h"), INBOUND,
	    "sender=dora@far.example recipient=anna@ours.example", false },
	{ "sender: what a stranger's extension means we do not know",
	    LIMIT("a inbound sender messages 9/1h"), INBOUND,
	    "sender=carl+x@far.example recipient=anna@ours.example", false },
	{ "sender: our own extensions are one mailbox",
	    LIMIT("a outbound sender messages 9/1h"), OUTBOUND,
	    LOGIN "sender=anna+x@ours.example recipient=carl@far.example",
	    true },
	{ "recipient: one address has one counter",
	    LIMIT("a outbound recipient messages 9/1h"), OUTBOUND,
	    "sasl_username=bob@ours.example recipient=carl@far.example",
	    true },
	{ "recipient: another address another",
	    LIMIT("a outbound recipient messages 9/1h"), OUTBOUND,
	    LOGIN ANNA "recipient=dora@far.example", false },
	{ "recipient: our own extensions are one mailbox",
	    LIMIT("a inbound recipient messages 9/1h"), INBOUND,
	    "sender=x@far.example recipient=anna+x@ours.example", true },
	{ "an outbound limit counts internal mail on the same counter",
	    LIMIT("a outbound domain messages 9/1h"), OUTBOUND, INTERNAL,
	    true },
};

/* Does a limit keep its counter when it is edited? */
static const struct {
	const char *name;
	const char *before, *after;
	bool want;
} edits[] = {
	{ "another COUNT keeps the counter", "a outbound domain messages 9/1h",
	    "a outbound domain messages 10/1h", true },
	{ "another ACTION keeps it", "a outbound domain messages 9/1h",
	    "a outbound domain messages 9/1h reject", true },
	{ "the WINDOW in other words keeps it",
	    "a outbound domain messages 9/1h",
	    "a outbound domain messages 9/60m", true },
	{ "another WINDOW does not", "a outbound domain messages 9/1h",
	    "a outbound domain messages 9/2h", false },
	{ "another name does not", "a outbound domain messages 9/1h",
	    "b outbound domain messages 9/1h", false },
	{ "another direction does not", "a outbound domain messages 9/1h",
	    "a any domain messages 9/1h", false },
	{ "another subject does not", "a outbound domain messages 9/1h",
	    "a outbound mailbox messages 9/1h", false },
	{ "another unit does not", "a outbound domain messages 9/1h",
	    "a outbound domain recipients 9/1h", false },
};

static struct limit_cases
cases_at_rcpt(const struct facts *facts, const struct transaction *one,
    enum limit_phase phase)
{
	struct limit_cases cases;

	limits_at_rcpt(facts, one, phase, false, &cases);
	return cases;
}

static struct counter_key
key_of(const char *limit, const char *request)
{
	char ldif[2048];
	struct snapshot *snapshot;
	struct limit_cases cases;

	snprintf(ldif, sizeof(ldif), WORLD("%s"), limit);
	snapshot = world_snapshot(ldif);
	cases = cases_at_rcpt(world_facts(arena, snapshot, request), NULL,
	    PHASE_CHARGE);
	snapshot_release(snapshot);
	if (cases.count != 1)
		abort();
	return cases.list[0].key;
}

static void
test_tables(void)
{
	struct counter_key one, other;
	struct snapshot *snapshot;
	struct limit_cases cases;
	char ldif[2048];
	size_t i;

	for (i = 0; i < ROWS(firsts); i++) {
		snprintf(ldif, sizeof(ldif), WORLD("%s"), firsts[i].lines);
		snapshot = world_snapshot(ldif);
		cases = cases_at_rcpt(world_facts(arena, snapshot,
		    firsts[i].request), NULL, PHASE_CHARGE);
		tap_is(cases_text(&cases), firsts[i].want, firsts[i].name);
		snapshot_release(snapshot);
	}
	for (i = 0; i < ROWS(shares); i++) {
		one = key_of(shares[i].limit, shares[i].one);
		other = key_of(shares[i].limit, shares[i].other);
		tap_int(memcmp(&one, &other, sizeof(one)) == 0,
		    shares[i].want, shares[i].name);
	}
	for (i = 0; i < ROWS(edits); i++) {
		one = key_of(arena_printf(arena, LIMIT("%s"),
		    edits[i].before), OUTBOUND);
		other = key_of(arena_printf(arena, LIMIT("%s"),
		    edits[i].after), OUTBOUND);
		tap_int(memcmp(&one, &other, sizeof(one)) == 0,
		    edits[i].want, edits[i].name);
	}
}

static void
test_tenants(void)
{
	struct snapshot *snapshot = world_snapshot(TEMPLATE("global",
	    LIMIT("a any client messages 9/1h")) TENANT("ours.example", "")
	    TENANT("second.example", ""));
	struct limit_cases one, other;

	one = cases_at_rcpt(world_facts(arena, snapshot,
	    "recipient=x@ours.example"), NULL, PHASE_CHARGE);
	other = cases_at_rcpt(world_facts(arena, snapshot,
	    "recipient=x@second.example"), NULL, PHASE_CHARGE);
	tap_ok(memcmp(&one.list[0].key, &other.list[0].key,
	    sizeof(one.list[0].key)) != 0,
	    "every counter, also of a client, is per tenant");
	tap_ok(!one.list[0].asked->is_kept,
	    "a client's counter may be evicted");
	snapshot_release(snapshot);
	snapshot = world_snapshot(WORLD(
	    LIMIT("a any domain messages 9/1h")
	    LIMIT("b any mailbox messages 9/1h warn")));
	one = cases_at_rcpt(world_facts(arena, snapshot, OUTBOUND), NULL,
	    PHASE_CHARGE);
	tap_ok(one.list[0].asked->is_kept && one.list[1].asked->is_kept,
	    "a tenant's and a mailbox's may not");
	tap_ok(one.list[0].asked->refuses && !one.list[1].asked->refuses,
	    "a warning refuses nothing");
	snapshot_release(snapshot);
}

/* The same transaction, recipient after recipient, to its end */
#define EACH_UNIT LIMIT("m outbound domain messages 9/1h") \
	LIMIT("r outbound domain recipients 9/1h") \
	LIMIT("b outbound domain bytes 9k/1h") \
	LIMIT("cap outbound domain recipients 2/message") \
	LIMIT("size outbound domain bytes 6k/message reject") \
	LIMIT("to outbound recipient messages 9/1h")

static void
test_transaction(enum limit_phase phase, const char *const want[4])
{
	static const char *const names[2][4] = {
		{ "the first recipient is charged the message and its bytes",
		  "the next only itself, and its own counter a message",
		  "a third is one too many for the cap",
		  "the end charges the bytes that were not claimed" },
		{ "the first recipient looks at everything",
		  "the next looks at everything again",
		  "a third is one too many for the cap, again",
		  "the end charges everything" } };
	struct snapshot *snapshot = world_snapshot(WORLD(EACH_UNIT));
	struct transactions *all = transactions_new();
	struct facts *facts = world_facts(arena, snapshot,
	    OUTBOUND "instance=1.1");
	struct transaction *one = transaction_of(all, facts->attrs,
	    WORLD_NOW);
	struct decision decision = { 0 };
	struct limit_cases cases;

	cases = cases_at_rcpt(facts, one, phase);
	tap_is(cases_text(&cases), want[0], names[phase][0]);
	limits_settle(facts, &cases, one);
	facts = world_facts(arena, snapshot, LOGIN ANNA "size=5000 "
	    "instance=1.1 recipient=dora@far.example");
	cases = cases_at_rcpt(facts, one, phase);
	tap_is(cases_text(&cases), want[1], names[phase][1]);
	limits_settle(facts, &cases, one);
	facts = world_facts(arena, snapshot, OUTBOUND "instance=1.1");
	cases = cases_at_rcpt(facts, one, phase);
	limits_decide_caps(facts, &cases, &decision);
	tap_is(decision.verdict.rule, want[2], names[phase][2]);
	facts = world_facts(arena, snapshot, LOGIN ANNA "size=5500 "
	    "instance=1.1 recipient_count=2 protocol_state=END-OF-MESSAGE");
	limits_at_end(facts, one, "ours.example", true, &cases);
	tap_is(cases_text(&cases), want[3], names[phase][3]);
	limits_at_end(facts, one, "second.example", true, &cases);
	tap_is(cases_text(&cases), "",
	    "another tenant of the transaction is charged nothing of it");
	transactions_free(all);
	snapshot_release(snapshot);
}

/* What RCPT only looked at must not be forgotten by the next look */
static void
test_look(void)
{
	struct snapshot *snapshot = world_snapshot(WORLD(
	    LIMIT("r outbound domain recipients 3/1h")));
	struct transactions *all = transactions_new();
	struct facts *facts = world_facts(arena, snapshot,
	    OUTBOUND "instance=1.1");
	struct transaction *one = transaction_of(all, facts->attrs,
	    WORLD_NOW);
	struct decision decision = { 0 };
	struct limit_cases cases;
	int i;

	for (i = 0; i < 3; i++) {
		cases = cases_at_rcpt(facts, one, PHASE_LOOK);
		limits_settle(facts, &cases, one);
	}
	cases = cases_at_rcpt(facts, one, PHASE_LOOK);
	tap_int((int64_t)cases.list[0].asked->count, 0,
	    "what passed in this transaction counts in the next look");
	cases.list[0].asked->is_exceeded = true;
	limits_decide(facts, &cases, &decision);
	tap_int(decision.verdict.action, ACTION_DEFER,
	    "one recipient too many may come back: deferred, not rejected");
	tap_int((int64_t)decision.verdict.used, 4, "the log tells them all");
	transactions_free(all);
	snapshot_release(snapshot);
}

/* One answer of the counters */
static const struct {
	const char *name;
	const char *limit;
	bool is_exceeded;
	int64_t wait_ms;
	const char *want;
} answers[] = {
	{ "below its limit a request passes",
	    "hourly outbound mailbox recipients 50/1h", false, 0, "DUNNO" },
	{ "a limit reached defers, and says when to come back",
	    "hourly outbound mailbox recipients 50/1h", true, 12 * 60000,
	    "451 4.7.1 ours.example: limit hourly (50 recipients per 1h) "
	    "reached, try again in 12m" },
	{ "or rejects", "daily outbound domain messages 6000/1d reject", true,
	    40000, "550 5.7.1 ours.example: limit daily (6000 messages per "
	    "1d) reached, try again in 40s" },
	{ "or holds", "a outbound domain messages 6/1d hold", true, 40000,
	    "HOLD ours.example: limit a (6 messages per 1d) reached, try "
	    "again in 40s" },
	{ "or warns", "a outbound domain messages 6/1d warn", true, 40000,
	    "WARN ours.example: limit a (6 messages per 1d) reached, try "
	    "again in 40s" },
	{ "what alone exceeds COUNT is rejected: it will never fit",
	    "a outbound domain bytes 1k/1h", true, 0,
	    "550 5.7.1 ours.example: limit a (1000 bytes per 1h) reached" },
	{ "a cap on one message that is held to",
	    "a outbound domain bytes 5k/message", false, 0, "DUNNO" },
	{ "a cap on one message that is not",
	    "a outbound domain bytes 4k/message hold", false, 0,
	    "HOLD ours.example: limit a (4000 bytes per message) reached" },
};

static void
test_answers(void)
{
	char ldif[2048], reply[VERDICT_REPLY];
	struct snapshot *snapshot;
	struct decision decision;
	struct limit_cases cases;
	const struct facts *facts;
	size_t i;

	for (i = 0; i < ROWS(answers); i++) {
		snprintf(ldif, sizeof(ldif), WORLD(LIMIT("%s")),
		    answers[i].limit);
		snapshot = world_snapshot(ldif);
		facts = world_facts(arena, snapshot, OUTBOUND);
		cases = cases_at_rcpt(facts, NULL, PHASE_CHARGE);
		decision = (struct decision){ 0 };
		limits_decide_caps(facts, &cases, &decision);
		if (cases.asked_count > 0) {
			cases.asked->is_exceeded = answers[i].is_exceeded;
			cases.asked->wait_ms = answers[i].wait_ms;
		}
		limits_decide(facts, &cases, &decision);
		verdict_reply(&decision.verdict, reply);
		tap_is(reply, answers[i].want, answers[i].name);
		snapshot_release(snapshot);
	}
}

static void
test_separate(void)
{
	struct snapshot *snapshot = world_snapshot(WORLD(
	    LIMIT("a inbound domain messages 9/1h hold")
	    LIMIT("b inbound client messages 9/1h warn")));
	const struct facts *facts = world_facts(arena, snapshot, INBOUND);
	struct decision decision = { 0 };
	struct limit_cases cases;

	limits_at_rcpt(facts, NULL, PHASE_CHARGE, true, &cases);
	tap_ok(cases.asked[0].refuses && !cases.asked[1].refuses,
	    "among other tenants a limit that would hold refuses");
	cases.asked[0].is_exceeded = true;
	limits_decide(facts, &cases, &decision);
	tap_int(decision.verdict.action, ACTION_SEPARATE,
	    "and asks for a message of its own");
	snapshot_release(snapshot);
}

static void
test_end_for_several(void)
{
	struct snapshot *snapshot = world_snapshot(WORLD(
	    LIMIT("a inbound domain bytes 5k/1h")
	    LIMIT("b inbound domain bytes 5k/message reject")));
	struct transactions *all = transactions_new();
	struct facts *facts = world_facts(arena, snapshot,
	    INBOUND "instance=1.1");
	struct transaction *one = transaction_of(all, facts->attrs,
	    WORLD_NOW);
	struct decision decision = { 0 };
	struct limit_cases cases = cases_at_rcpt(facts, one, PHASE_CHARGE);

	limits_settle(facts, &cases, one);
	facts->size_bytes = 6000;
	limits_at_end(facts, one, "ours.example", false, &cases);
	tap_is(cases_text(&cases), "a 1000, b 6000!",
	    "a message of several tenants is charged at its end, too");
	tap_ok(!cases.asked[0].refuses, "but not refused to all for one");
	cases.asked[0].is_exceeded = true;
	limits_decide_caps(facts, &cases, &decision);
	limits_decide(facts, &cases, &decision);
	tap_int(decision.verdict.action, ACTION_WARN,
	    "what one tenant's limit says is a warning");
	transactions_free(all);
	snapshot_release(snapshot);
}

static void
test_end_alone(void)
{
	struct snapshot *snapshot = world_snapshot(WORLD(EACH_UNIT));
	struct limit_cases cases;

	limits_at_end_alone(world_facts(arena, snapshot, LOGIN ANNA
	    "size=5500 recipient_count=7 protocol_state=END-OF-MESSAGE"),
	    &cases);
	tap_is(cases_text(&cases), "m 1, r 7, b 5500, cap 7!, size 5500!",
	    "a lost transaction is charged by its recipient_count");
	limits_at_end_alone(world_facts(arena, snapshot, OUTBOUND
	    "recipient_count=1 protocol_state=END-OF-MESSAGE"), &cases);
	tap_is(cases_text(&cases),
	    "m 1, r 1, b 5000, cap 1!, size 5000!, to 1",
	    "with a single recipient that one's counter is known");
	snapshot_release(snapshot);
}

int
main(void)
{
	static const char *const charged[] = {
	    "m 1, r 1, b 5000, cap 1!, size 5000!, to 1",
	    "m 0!, r 1, b 0!, cap 1!, size 0!, to 1", "limit:cap",
	    "b 500, size 5500!" };
	static const char *const looked[] = {
	    "m 1, r 1, b 5000, cap 1!, size 5000!, to 1",
	    "m 1, r 1, b 5000, cap 1!, size 5000!, to 1", "limit:cap",
	    "m 1, r 2, b 5500, size 5500!, to 1, to 1" };

	arena = arena_new(0);
	test_tables();
	test_tenants();
	test_transaction(PHASE_CHARGE, charged);
	test_transaction(PHASE_LOOK, looked);
	test_look();
	test_answers();
	test_separate();
	test_end_for_several();
	test_end_alone();
	arena_free(arena);
	return tap_done();
}
