/* SPDX-License-Identifier: ISC */
/* request.c - request after request over a real directory and the counters of
 * memory:, as Postfix would ask: what is charged, when, and once? */
#include "policyd/request.h"

#include "t/unit/service_world.h"
#include "t/unit/tap.h"

#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)

#define LOGIN "sasl_username=anna@ours.example sender=anna@ours.example "
#define BOB "sasl_username=bob@ours.example sender=bob@ours.example "
#define CARL "sender=carl@far.example "
#define NETWORK "client_address=10.1.2.3 "
#define TX(id) "instance=" id " "
#define TO(address) "recipient=" address " "
#define OUT(id, address) LOGIN TX(id) TO(address)
#define IN(id, address) CARL TX(id) TO(address)
#define DATA(id) "protocol_state=DATA " TX(id)
#define END(id) "protocol_state=END-OF-MESSAGE " TX(id)
#define OURS(lines) TEMPLATE("global", "") TENANT("ours.example", lines) \
	TENANT("second.example", "")

static char answer[512];
static int answers;

static void
answered(void *arg, const char *action)
{
	(void)arg;
	answers++;
	snprintf(answer, sizeof(answer), "%s", action != NULL ? action
	    : "(close)");
}

static struct request *
start(const char *attributes)
{
	struct arena *arena = arena_new(0);
	const char *bytes = world_request(arena, attributes);
	struct request *waiting;

	answers = 0;
	*answer = '\0';
	waiting = request_start(&service, bytes, strlen(bytes), answered,
	    NULL);
	arena_free(arena);
	return waiting;
}

/* The answer starts so, and there is one */
static void
ask(const char *attributes, const char *want, const char *name)
{
	start(attributes);
	if (!tap_ok(answers == 1 && strncmp(answer, want, strlen(want)) == 0,
	    name))
		printf("#  got: %s\n# want: %s\n", answer, want);
}

/* The same, where only the last of several is worth a line */
static void
let_pass(const char *attributes)
{
	start(attributes);
	if (strcmp(answer, "DUNNO") != 0)
		tap_ok(false, attributes);
}

static void
test_states(void)
{
	static const char *const others[] = { "CONNECT", "EHLO", "HELO",
		"MAIL", "VRFY", "ETRN", "rcpt", "BDAT", "" };
	char request[100], name[100];
	size_t i;

	service_begin(OURS("posternStatus: disabled\n"));
	ask(OUT("1", "x@far.example"), "550 5.7.1", "RCPT is decided");
	for (i = 0; i < ROWS(others); i++) {
		snprintf(request, sizeof(request), "protocol_state=%s "
		    "sasl_username=anna@ours.example", others[i]);
		snprintf(name, sizeof(name), "about \"%s\" we have no opinion",
		    others[i]);
		ask(request, "DUNNO", name);
	}
	tap_ok(!service.has_seen_data && !service.has_seen_end,
	    "nobody has asked at DATA or END-OF-MESSAGE");
	ask(DATA("1"), "DUNNO", "at DATA nothing is pending");
	ask(END("1"), "DUNNO", "at END-OF-MESSAGE nothing is charged");
	tap_ok(service.has_seen_data && service.has_seen_end,
	    "now somebody has");
	ask("request=junk", "(close)", "a malformed request has no answer");
	ask(LOGIN TO("x@far.example"), "550 5.7.1",
	    "a request without an instance is decided, too");
	service_end();
}

static void
test_messages(void)
{
	service_begin(OURS(LIMIT("m outbound domain messages 2/1h")));
	let_pass(OUT("1", "a@far.example"));
	let_pass(OUT("1", "b@far.example"));
	let_pass(OUT("1", "c@far.example"));
	ask(OUT("2", "a@far.example"), "DUNNO",
	    "a message of three recipients is charged once");
	ask(OUT("3", "a@far.example"), "451 4.7.1 ours.example: limit m "
	    "(2 messages per 1h) reached, try again in ",
	    "a third message is deferred");
	ask(OUT("2", "b@far.example"), "DUNNO",
	    "another recipient of the second is not");
	service_later(2 * HOUR);
	ask(OUT("3", "a@far.example"), "DUNNO",
	    "a refusal is decided afresh when it is asked again");
	service_end();

	service_begin(OURS(LIMIT("m outbound recipient messages 1/1h")));
	let_pass(OUT("1", "a@far.example"));
	let_pass(OUT("1", "b@far.example"));
	ask(OUT("2", "b@far.example"), "451",
	    "each recipient's own counter is charged the message");
	service_end();
}

static void
test_recipients(void)
{
	service_begin(OURS(LIMIT("r outbound mailbox recipients 2/1h")));
	let_pass(OUT("1", "a@far.example"));
	ask(OUT("1", "a@far.example"), "DUNNO",
	    "a repeated request passes again");
	ask(OUT("1", "b@far.example"), "DUNNO",
	    "and was not charged a second time");
	ask(OUT("1", "c@far.example"), "451", "a third recipient is deferred");
	ask(OUT("1", "b@far.example"), "DUNNO",
	    "what passed passes again, whatever was reached since");
	ask(BOB TX("2") TO("a@far.example"), "DUNNO",
	    "another mailbox has a counter of its own");
	service_end();

	service_begin(OURS(LIMIT("r outbound mailbox recipients 2/1h")));
	let_pass(OUT("1", "a@far.example"));
	ask("policy_context=two " OUT("1", "a@far.example"), "DUNNO",
	    "asked from another place with a context of its own");
	ask(OUT("1", "b@far.example"), "451",
	    "it is another question, and charged");
	service_end();

	service_begin(OURS(LIMIT("r outbound mailbox recipients 2/1h")));
	let_pass(OUT("1", "a@far.example"));
	let_pass("server_address=192.0.2.25 " OUT("1", "a@far.example"));
	ask(OUT("1", "b@far.example"), "451",
	    "the same instance at another address is another message");
	service_end();
}

static void
test_all_or_none(void)
{
	service_begin(OURS(LIMIT("a outbound mailbox recipients 1/1h")
	    LIMIT("b outbound domain recipients 2/1h")));
	let_pass(OUT("1", "a@far.example"));
	ask(OUT("2", "a@far.example"), "451 4.7.1 ours.example: limit a",
	    "one limit of two refuses");
	ask(BOB TX("3") TO("a@far.example"), "DUNNO",
	    "and the other was not charged for it");
	ask("sasl_username=dora@ours.example sender=dora@ours.example "
	    TX("4") TO("a@far.example"), "451 4.7.1 ours.example: limit b",
	    "until it is reached by what passed");
	service_end();

	service_begin(OURS(LIMIT("w outbound mailbox recipients 1/1h warn")
	    LIMIT("b outbound domain recipients 2/1h")));
	let_pass(OUT("1", "a@far.example"));
	ask(OUT("2", "a@far.example"), "WARN ours.example: limit w",
	    "a warning lets pass");
	ask(OUT("3", "a@far.example"), "451 4.7.1 ours.example: limit b",
	    "and what passed with it was charged elsewhere");
	service_end();
}

static void
test_caps(void)
{
	service_begin(OURS(
	    LIMIT("cap outbound mailbox recipients 2/message reject")
	    LIMIT("in inbound domain recipients 1/message")
	    LIMIT("size outbound mailbox bytes 5k/message reject")));
	let_pass(OUT("1", "a@far.example"));
	let_pass(OUT("1", "b@far.example"));
	ask(OUT("1", "c@far.example"), "550 5.7.1 ours.example: limit cap "
	    "(2 recipients per message) reached",
	    "a third recipient of one message is rejected");
	ask(OUT("2", "c@far.example"), "DUNNO",
	    "in the next message it is not");
	let_pass(IN("3", "a@ours.example"));
	ask(IN("3", "b@ours.example"), "451 4.7.1 ours.example: limit in",
	    "inbound mail has caps, too");
	ask("size=6000 " OUT("4", "a@far.example"), "550 5.7.1 "
	    "ours.example: limit size (5000 bytes per message) reached",
	    "a message that says it is too large is rejected");
	let_pass(OUT("5", "a@far.example"));
	ask(END("5") LOGIN "size=6000 recipient_count=1 ", "550 5.7.1",
	    "one that did not say so is rejected at its end");
	service_end();
}

static void
test_bytes(void)
{
	service_begin(OURS(LIMIT("b outbound domain bytes 10k/1h")));
	let_pass("size=4000 " OUT("1", "a@far.example"));
	let_pass("size=4000 " OUT("1", "b@far.example"));
	let_pass(END("1") LOGIN "size=6000 recipient_count=2 ");
	ask(END("1") LOGIN "size=6000 recipient_count=2 ", "DUNNO",
	    "a repeated end is not charged twice");
	ask("size=4000 " OUT("2", "a@far.example"), "DUNNO",
	    "the SIZE claimed at RCPT and the difference at the end: 6000");
	ask("size=1 " OUT("3", "a@far.example"), "451 4.7.1 ours.example: "
	    "limit b", "then the last 4000, and nothing more");
	service_later(2 * HOUR);
	let_pass("size=5000 " OUT("4", "a@far.example"));
	let_pass("size=4000 " OUT("5", "a@far.example"));
	ask(END("4") LOGIN "size=7000 recipient_count=1 ", "451",
	    "an end that exceeds the limit is deferred");
	let_pass("size=1000 " OUT("6", "a@far.example"));
	ask("size=1000 " OUT("7", "a@far.example"), "451",
	    "and charged nothing: only the claims were");
	service_later(2 * HOUR);
	let_pass("size=9000 " OUT("8", "a@far.example"));
	ask(END("8") LOGIN "size=5000 recipient_count=1 ", "DUNNO",
	    "who claimed too much pays what was claimed");
	ask("size=11000 " OUT("9", "a@far.example"), "550",
	    "what alone exceeds the limit is rejected");
	service_end();
}

static void
test_charge_at_end(void)
{
	service_begin(OURS(LIMIT("m outbound domain messages 2/1h")
	    LIMIT("r outbound mailbox recipients 4/1h")
	    LIMIT("i inbound domain recipients 1/1h")));
	service_conf->charge_at = CHARGE_AT_END_OF_MESSAGE;
	let_pass(OUT("1", "a@far.example"));
	let_pass(OUT("2", "a@far.example"));
	ask(OUT("3", "a@far.example"), "DUNNO", "RCPT charges nothing");
	let_pass(OUT("1", "b@far.example"));
	let_pass(OUT("1", "c@far.example"));
	let_pass(OUT("1", "d@far.example"));
	ask(OUT("1", "d@far.example"), "DUNNO",
	    "a repeated RCPT counts nothing twice");
	ask(OUT("1", "e@far.example"), "451 4.7.1 ours.example: limit r",
	    "but counts in what its message has passed");
	let_pass(END("1") LOGIN "recipient_count=4 ");
	let_pass(END("1") LOGIN "recipient_count=4 ");
	ask(OUT("2", "b@far.example"), "451 4.7.1 ours.example: limit r",
	    "the end charges the recipients");
	ask(BOB TX("4") TO("a@far.example"), "DUNNO",
	    "and one message, however often it is asked");
	let_pass(END("4") BOB "recipient_count=1 ");
	ask(BOB TX("5") TO("a@far.example"),
	    "451 4.7.1 ours.example: limit m", "then another");
	ask(END("2") LOGIN "recipient_count=1 ", "451",
	    "an end may refuse what two looks let pass");
	let_pass(IN("6", "a@ours.example"));
	ask(IN("7", "a@ours.example"), "451 4.7.1 ours.example: limit i",
	    "inbound mail is charged at RCPT all the same");
	service_end();
}

static void
test_lost(void)
{
	service_begin(OURS(LIMIT("r outbound mailbox recipients 9/1h")
	    LIMIT("i inbound domain recipients 1/1h")));
	service_conf->charge_at = CHARGE_AT_END_OF_MESSAGE;
	ask(END("1") LOGIN "recipient_count=8 ", "DUNNO",
	    "a lost transaction is charged at its end");
	ask(END("1") LOGIN "recipient_count=8 ", "DUNNO", "once");
	let_pass(OUT("2", "a@far.example"));
	ask(OUT("2", "b@far.example"), "451",
	    "by its number of recipients");
	ask(END("3") LOGIN "recipient_count=2 ", "451",
	    "it may be refused for them");
	ask(END("4") CARL TO("a@ours.example") "recipient_count=1 ", "DUNNO",
	    "a lost inbound transaction is charged nothing");
	ask(IN("5", "a@ours.example"), "DUNNO", "nothing at all");
	ask(END("6") CARL "recipient_count=5 ", "DUNNO",
	    "nor with several recipients");
	service_end();

	service_begin(OURS(LIMIT("r outbound mailbox recipients 2/1h")));
	let_pass(END("1") LOGIN "recipient_count=8 ");
	ask(OUT("2", "a@far.example"), "DUNNO",
	    "where RCPT charges, a lost transaction was charged there");
	service_end();
}

/* A backup MX in trusted_networks delivers a bounce: at the end the request
 * looks outbound, but its recipients were inbound, and charged */
static void
test_mixed_end(void)
{
	service_begin(OURS(LIMIT("i inbound domain recipients 5/1h")
	    LIMIT("m inbound domain messages 2/1h")));
	service_conf->charge_at = CHARGE_AT_END_OF_MESSAGE;
	let_pass(NETWORK TX("1") TO("a@ours.example"));
	let_pass(NETWORK TX("1") TO("b@ours.example"));
	let_pass(END("1") NETWORK "recipient_count=2 ");
	let_pass(NETWORK TX("2") TO("a@ours.example"));
	let_pass(NETWORK TX("2") TO("b@ours.example"));
	ask(NETWORK TX("2") TO("c@ours.example"), "DUNNO",
	    "inbound recipients of a null sender from a trusted network "
	    "are charged once");
	ask(NETWORK TX("3") TO("a@ours.example"), "451",
	    "but they are charged");
	service_end();
}

#define TWO(ours, second) TEMPLATE("global", "") \
	TENANT("ours.example", ours) TENANT("second.example", second)

static void
test_isolation(void)
{
	service_begin(TWO(RULE("inbound any hold"), ""));
	ask(IN("1", "a@ours.example"), "DUNNO",
	    "an inbound hold is not given at RCPT");
	ask(IN("1", "b@ours.example"), "DUNNO",
	    "a second recipient of the same tenant goes along");
	ask(IN("1", "a@second.example"), "452 4.5.3 second.example: ",
	    "one of another tenant comes back on its own");
	ask(DATA("1") CARL "recipient_count=2 ", "HOLD ours.example: ",
	    "it is given at DATA");
	ask(DATA("1") CARL "recipient_count=2 ", "HOLD ours.example: ",
	    "and again when it is asked again");
	ask(IN("2", "a@second.example"), "DUNNO",
	    "the tenant without a hold comes first");
	ask(IN("2", "a@ours.example"), "452 4.5.3 ours.example: ",
	    "then the one with it comes back on its own");
	ask(DATA("2") CARL TO("a@second.example"), "DUNNO",
	    "and its neighbour's mail is not held");
	service_end();

	service_begin(TWO("", ""));
	let_pass(IN("1", "a@ours.example"));
	ask(IN("1", "a@second.example"), "DUNNO",
	    "two tenants without such verdicts share a message");
	service_end();

	service_begin(TWO(RULE("inbound any warn"), ""));
	ask(IN("1", "a@ours.example"), "WARN", "a warning is given at RCPT");
	ask(IN("1", "a@second.example"), "DUNNO",
	    "and separates nobody");
	service_end();

	service_begin(TWO(RULE("inbound any filter smtp:scan"),
	    RULE("inbound any redirect x@second.example")));
	let_pass(IN("1", "a@ours.example"));
	ask(IN("1", "a@second.example"), "452 4.5.3",
	    "a filter and a redirection are separated");
	ask(DATA("1") CARL TO("a@ours.example"), "FILTER smtp:scan",
	    "the filter is given at DATA");
	let_pass(IN("2", "a@second.example"));
	ask(DATA("2") CARL TO("a@second.example"),
	    "REDIRECT x@second.example", "so is the redirection");
	ask(LOGIN TX("3") TO("a@second.example"), "DUNNO",
	    "internal mail has no inbound rules");
	service_end();

	service_begin(TWO(LIMIT("h inbound domain messages 1/1h hold"), ""));
	let_pass(IN("1", "a@ours.example"));
	let_pass(IN("2", "a@second.example"));
	ask(IN("2", "a@ours.example"), "452 4.5.3 ours.example: limit h",
	    "a limit that would hold separates, too");
	ask(IN("3", "a@ours.example"), "DUNNO", "on its own it passes");
	ask(DATA("3") CARL TO("a@ours.example"), "HOLD ours.example: limit h",
	    "and is held");
	service_end();

	service_begin(TWO(LIMIT("h inbound recipient messages 1/1h hold"),
	    ""));
	let_pass(IN("1", "a@ours.example"));
	let_pass(IN("2", "b@ours.example"));
	let_pass(IN("2", "a@second.example"));
	ask(IN("2", "a@ours.example"), "452 4.5.3 ours.example: limit h",
	    "also where its own tenant came first");
	service_end();

	service_begin(TWO(RULE("outbound any hold"), ""));
	ask(OUT("1", "a@far.example"), "HOLD ours.example",
	    "an outbound hold is given at RCPT");
	ask(OUT("1", "a@second.example"), "HOLD ours.example",
	    "to internal recipients, too");
	service_end();
}

static void
test_prepend(void)
{
	service_begin(TWO(RULE("any any prepend X-Way: ours"), ""));
	ask(OUT("1", "a@far.example"), "PREPEND X-Way: ours",
	    "an outbound header is given at the first RCPT");
	ask(OUT("1", "b@far.example"), "DUNNO", "and once");
	ask(OUT("1", "a@far.example"), "PREPEND X-Way: ours",
	    "but who asks again, as the answer was lost, gets it again");
	ask(OUT("2", "a@far.example"), "PREPEND X-Way: ours",
	    "the next message gets its own");
	let_pass(IN("3", "a@ours.example"));
	let_pass(IN("3", "b@ours.example"));
	ask(DATA("3") CARL "recipient_count=2 ", "PREPEND X-Way: ours",
	    "an inbound header is given at DATA");
	service_end();
}

/* One tenant's byte limit must not refuse the message to another */
static void
test_several_at_end(void)
{
	service_begin(TWO(LIMIT("b inbound domain bytes 5k/1h"), ""));
	let_pass("size=1000 " IN("1", "a@ours.example"));
	let_pass("size=1000 " IN("1", "a@second.example"));
	ask(END("1") CARL "size=6000 recipient_count=2 ", "WARN ours.example: "
	    "limit b", "a message of two tenants is not refused at its end");
	ask("size=1 " IN("2", "a@ours.example"), "451",
	    "but its bytes were charged");
	service_end();

	service_begin(TWO(LIMIT("b inbound domain bytes 5k/1h"), ""));
	let_pass("size=1000 " IN("1", "a@ours.example"));
	let_pass("size=1000 " IN("1", "b@ours.example"));
	let_pass("size=1000 " IN("2", "b@ours.example"));
	ask(END("1") CARL "size=4500 recipient_count=2 ",
	    "451 4.7.1 ours.example: limit b",
	    "a message of one tenant is, and names it");
	ask(END("1") CARL "size=5001 recipient_count=2 ",
	    "550 5.7.1 ours.example: limit b",
	    "it is rejected where the whole of it can never fit");
	service_end();
}

static void
test_nobody(void)
{
	service_begin(TEMPLATE("global",
	    LIMIT("m outbound mailbox messages 1/1h"))
	    TENANT("ours.example", ""));
	ask(NETWORK TX("1") TO("a@far.example"), "DUNNO",
	    "a null sender from a trusted network is nobody's own mail");
	ask(NETWORK TX("2") TO("a@far.example"), "451 4.7.1 limit m",
	    "it has global's limits");
	ask("client_address=10.1.2.4 " TX("3") TO("a@far.example"), "DUNNO",
	    "its mailbox is the client");
	ask(OUT("4", "a@far.example"), "DUNNO",
	    "a tenant's counter is another");
	ask(CARL TX("5") TO("a@far.example"), "550 5.7.1 relaying denied",
	    "a stranger's is relaying");
	service_end();
}

static void
test_greylist(void)
{
	service_begin(OURS("posternGreylist: on\n"
	    LIMIT("i inbound domain messages 1/1h")));
	ask(IN("1", "a@ours.example"), "DEFER_IF_PERMIT 4.2.0 ours.example: "
	    "greylisted, try again in 5m", "a stranger is told to come back");
	service_later(4 * MINUTE);
	ask(IN("2", "a@ours.example"), "DEFER_IF_PERMIT 4.2.0",
	    "too early is too early");
	service_later(MINUTE);
	ask(IN("3", "a@ours.example"), "DUNNO", "then it passes, and what "
	    "was greylisted was not charged");
	ask(IN("4", "a@ours.example"), "451 4.7.1 ours.example: limit i",
	    "what passed was");
	ask(IN("5", "a@second.example"), "DUNNO",
	    "where nobody wants greylisting there is none");
	service_end();
}

static void
test_no_directory(void)
{
	service_begin(NULL);
	ask(OUT("1", "a@far.example"), "DUNNO",
	    "without a directory mail is let pass");
	ask(END("1") LOGIN "recipient_count=1 ", "DUNNO", "to its end");
	ask(DATA("1") LOGIN "recipient_count=1 ", "DUNNO", "and at DATA");
	service_conf->on_no_directory = NO_DIRECTORY_DEFER;
	ask(OUT("2", "a@far.example"), "451 4.7.1 the directory was not read",
	    "or deferred, where the configuration says so");
	service_end();
}

static void
test_unknown_counters(void)
{
	static const struct {
		const char *name;
		enum counter_failure on;
		const char *request, *want;
	} rows[] = {
		{ "local: what cannot be counted passes", FAILURE_LOCAL,
		    OUT("1", "a@far.example"), "DUNNO" },
		{ "permit: what cannot be counted passes", FAILURE_PERMIT,
		    OUT("2", "a@far.example"), "DUNNO" },
		{ "defer: what cannot be counted is deferred", FAILURE_DEFER,
		    OUT("3", "a@far.example"), "451 4.7.1 counters" },
		{ "defer: what needs no counter passes", FAILURE_DEFER,
		    IN("4", "a@second.example"), "DUNNO" },
		{ "defer: greylisting alone lets pass", FAILURE_DEFER,
		    IN("5", "a@third.example"), "DUNNO" },
		{ "permit: greylisting lets pass", FAILURE_PERMIT,
		    IN("6", "a@third.example"), "DUNNO" },
		{ "defer: caps on one message need no counter", FAILURE_DEFER,
		    IN("7", "a@ours.example"), "550 5.7.1 ours.example: "
		    "limit cap" },
		{ "defer: a block needs no counter", FAILURE_DEFER,
		    "sender=x@bad.example " TX("8") TO("a@second.example"),
		    "550 5.7.1 second.example: blocked" },
	};
	size_t i;

	service_begin(TENANT("ours.example",
	    LIMIT("m outbound domain messages 9/1h")
	    LIMIT("cap inbound domain recipients 0/message reject"))
	    TENANT("second.example", BLOCK("sender @bad.example"))
	    TENANT("third.example", "posternGreylist: on\n"));
	service_use_fake(false);
	for (i = 0; i < ROWS(rows); i++) {
		service_conf->on_counter_failure = (int)rows[i].on;
		ask(rows[i].request, rows[i].want, rows[i].name);
	}
	service_end();
}

static void
test_late_counters(void)
{
	struct request *waiting;

	service_begin(OURS(LIMIT("m outbound domain messages 9/1h")));
	service_use_fake(true);
	waiting = start(OUT("1", "a@far.example"));
	tap_ok(waiting != NULL && answers == 0,
	    "a request waits for the counters");
	fake_answer(fake.waiting);
	tap_ok(answers == 1 && strcmp(answer, "DUNNO") == 0,
	    "and is answered once when they answer");
	tap_ok(start(OUT("1", "a@far.example")) == NULL && answers == 1,
	    "repeated, it need not ask them");

	waiting = start(OUT("2", "a@far.example"));
	request_forget(waiting);
	fake_answer(fake.waiting);
	tap_int(answers, 0, "a request that nobody waits for answers nobody");
	tap_ok(start(OUT("2", "a@far.example")) == NULL && answers == 1,
	    "but what it charged is remembered");

	service_conf->charge_at = CHARGE_AT_END_OF_MESSAGE;
	start(OUT("3", "a@far.example"));
	fake_answer(fake.waiting);
	waiting = start(END("3") LOGIN "recipient_count=1 ");
	tap_ok(waiting != NULL, "the end waits, too");
	service_later(2 * HOUR);
	let_pass(IN("4", "a@ours.example"));
	answers = 0;
	fake_answer(fake.waiting);
	tap_ok(answers == 1 && strcmp(answer, "DUNNO") == 0,
	    "a transaction that is forgotten meanwhile does no harm");
	service_end();
}

/* Postfix asks again on a new connection while the first still waits */
static void
test_repeated_meanwhile(void)
{
	struct counter_question *first;

	service_begin(OURS(LIMIT("m outbound domain messages 9/1h")));
	service_use_fake(true);
	start(OUT("1", "a@far.example"));
	tap_ok(start(OUT("1", "a@far.example")) != NULL && fake.asked == 1,
	    "a request repeated meanwhile asks no counter");
	start(OUT("1", "a@far.example"));
	fake_answer(fake.waiting);
	tap_ok(answers == 3 && strcmp(answer, "DUNNO") == 0 &&
	    fake.asked == 1, "all get the one answer that was charged");

	start(OUT("2", "a@far.example"));
	tap_ok(start(OUT("2", "b@far.example")) != NULL && fake.asked == 2,
	    "another recipient of the same message waits for its turn");
	fake_answer(fake.waiting);
	tap_ok(answers == 2 && fake.asked == 2,
	    "and its message was charged already");

	start(OUT("3", "a@far.example"));
	start(OUT("3", "a@far.example"));
	start(OUT("3", "a@far.example"));
	fake.waiting->limits->is_exceeded = true;
	fake_answer(fake.waiting);
	tap_ok(answers == 1 && strncmp(answer, "451 ", 4) == 0 &&
	    fake.asked == 4, "a refusal is decided afresh, one at a time");
	fake_answer(fake.waiting);
	tap_ok(answers == 3 && strcmp(answer, "DUNNO") == 0 &&
	    fake.asked == 4, "until one passes");

	start(OUT("4", "a@far.example"));
	request_forget(start(OUT("4", "a@far.example")));
	fake_answer(fake.waiting);
	tap_int(answers, 1, "who waits no longer is told nothing");

	service_conf->charge_at = CHARGE_AT_END_OF_MESSAGE;
	start(OUT("7", "a@far.example"));
	fake_answer(fake.waiting);
	start(END("7") LOGIN "recipient_count=1 ");
	start(END("7") LOGIN "recipient_count=1 ");
	fake_answer(fake.waiting);
	tap_ok(answers == 2 && strcmp(answer, "DUNNO") == 0 &&
	    fake.asked == 7, "a repeated end is charged once, too");
	service_conf->charge_at = CHARGE_AT_RCPT;

	start(OUT("5", "a@far.example"));
	first = fake.waiting;
	start(OUT("6", "a@far.example"));
	tap_int(fake.asked, 9, "other messages wait for nobody");
	fake_answer(fake.waiting);
	fake_answer(first);
	service_end();
}

/* The configuration may be read anew while a request waits */
static void
test_reload(void)
{
	struct conf *old = malloc(sizeof(*old));
	struct counter_limit *limit;

	service_begin(OURS(LIMIT("m outbound domain messages 9/1h")
	    "posternAlert: admin@ours.example\n"));
	service_use_fake(true);
	*old = *service_conf;
	service.conf = old;
	start(OUT("1", "a@far.example"));
	start(OUT("1", "a@far.example"));
	service.conf = service_conf;
	memset(old, 0xff, sizeof(*old));
	free(old);
	limit = fake.waiting->limits;
	limit->is_exceeded = true;
	fake_answer(fake.waiting);
	tap_ok(answers == 1 && strncmp(answer, "451 ", 4) == 0,
	    "a request that waited has the configuration of its answer");
	fake_answer(fake.waiting);
	tap_int(answers, 2, "and so has one that waited for it");
	service_end();
}

int
main(void)
{
	tap_log();
	test_states();
	test_messages();
	test_recipients();
	test_all_or_none();
	test_caps();
	test_bytes();
	test_charge_at_end();
	test_lost();
	test_mixed_end();
	test_isolation();
	test_prepend();
	test_several_at_end();
	test_nobody();
	test_greylist();
	test_no_directory();
	test_unknown_counters();
	test_late_counters();
	test_repeated_meanwhile();
	test_reload();
	alert_free();
	loop_free();
	return tap_done();
}
