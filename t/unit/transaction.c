/* SPDX-License-Identifier: ISC */
/* transaction.c - is an SMTP transaction remembered for as long as it lasts,
 * and forgotten when it is over or room is needed? */
#include "policyd/transaction.h"

#include "policyd/counter_key.h"
#include "t/unit/tap.h"

#define MINUTE INT64_C(60000)
#define T0     (500000 * 60 * MINUTE)

static struct transactions *all;

static const struct attrs *
attrs(const char *instance, const char *recipient)
{
	static struct attrs one;

	one = (struct attrs){ .server_address = "192.0.2.25",
		.instance = instance, .protocol_state = "RCPT",
		.policy_context = "", .recipient = recipient };
	return &one;
}

static struct transaction *
find(const char *instance, int64_t now_ms)
{
	const struct attrs asked = { .server_address = "192.0.2.25",
		.instance = instance };

	return transaction_of(all, &asked, now_ms);
}

static struct counter_key
key(const char *name)
{
	return counter_key_of(&name, 1);
}

static const struct verdict *
answered(const struct transaction *one, const struct attrs *asked)
{
	struct counter_key question = transaction_question(asked);

	return transaction_answered(one, &question);
}

static void
remember(struct transaction *one, const struct attrs *asked,
    const struct verdict *verdict)
{
	struct counter_key question = transaction_question(asked);

	transaction_remember(all, one, &question, verdict);
}

/* A transaction of which one recipient passed */
static void
pass(const char *instance, int64_t now_ms)
{
	static const struct verdict permit;
	struct transaction *one = find(instance, now_ms);

	one->recipients++;
	remember(one, attrs(instance, "a@b"), &permit);
}

static void
test_identity(void)
{
	struct attrs other = *attrs("1.2", "");
	struct transaction *one = find("1.2", T0);

	one->recipients = 7;
	tap_int((int64_t)find("1.2", T0)->recipients, 7,
	    "a transaction is found again by its instance");
	tap_int((int64_t)find("1.3", T0)->recipients, 0,
	    "another instance is another transaction");
	other.server_address = "192.0.2.26";
	tap_int((int64_t)transaction_of(all, &other, T0)->recipients, 0,
	    "the same instance at another server's address, too");
	tap_ok(find("", T0) == NULL,
	    "a request without an instance has none");
	tap_int((int64_t)transactions_count(all), 3, "they are counted");
}

static void
test_answers(void)
{
	struct transaction *one = find("1.2", T0);
	struct verdict warn = { .action = ACTION_WARN, .rule = "limit:a",
		.dn = "dc=x", .text = "some text", .used = 3, .count = 2,
		.limit = &(struct limit){ .name = "a" } };
	const struct verdict *given;
	struct attrs asked = *attrs("1.2", "a@b.example");

	tap_ok(answered(one, &asked) == NULL,
	    "what was not asked has no answer");
	remember(one, &asked, &warn);
	given = answered(one, &asked);
	tap_ok(given != NULL && given->action == ACTION_WARN &&
	    strcmp(given->text, "some text") == 0 && given->used == 3,
	    "what passed is answered again as before");
	tap_ok(given != NULL && given->text != warn.text,
	    "with texts of its own");
	tap_ok(given != NULL && given->limit == NULL,
	    "but is no second reason for an alert");
	asked.recipient = "c@b.example";
	tap_ok(answered(one, &asked) == NULL,
	    "another recipient is another question");
	asked = *attrs("1.2", "a@b.example");
	asked.protocol_state = "END-OF-MESSAGE";
	tap_ok(answered(one, &asked) == NULL,
	    "another state is another question");
	asked = *attrs("1.2", "a@b.example");
	asked.policy_context = "mx";
	tap_ok(answered(one, &asked) == NULL,
	    "another policy context is another question");
}

static void
test_passed(void)
{
	struct transaction *one = find("1.2", T0);
	struct limit limit = { .name = "hourly", .count = 5 };
	struct counter_key a = key("a"), b = key("b"), c = key("c");
	struct passed *passed;

	tap_ok(transaction_passed(one, &a) == NULL,
	    "a counter that was not met is unknown");
	passed = transaction_pass(one, &a, "ours.example", &limit);
	passed->recipients = 4;
	transaction_pass(one, &b, "ours.example", &limit);
	transaction_pass(one, &c, "second.example", &limit);
	tap_ok(transaction_pass(one, &a, "ours.example", &limit)->recipients
	    == 4 && transaction_passed(one, &a)->recipients == 4,
	    "a counter that was met is found again");
	tap_ok(transaction_passed(one, &c) != NULL && strcmp(
	    transaction_passed(one, &c)->tenant, "second.example") == 0,
	    "and knows its tenant");
	limit.count = 6;
	tap_int((int64_t)transaction_passed(one, &a)->limit.count, 5,
	    "a limit stays what it was when the first recipient passed");
	tap_ok(transaction_passed(one, &a)->limit.name != limit.name,
	    "its name outlives the directory's");
}

static void
test_pending(void)
{
	struct transaction *one = find("2.1", T0);
	struct verdict prepend = { .action = ACTION_PREPEND, .rule = "one",
		.dn = "", .text = "X: a" };
	struct verdict hold = { .action = ACTION_HOLD, .rule = "two",
		.dn = "", .text = "" };

	tap_int(one->pending.action, ACTION_PERMIT, "nothing is held back");
	transaction_hold_back(one, &prepend);
	tap_is(one->pending.rule, "one", "what is held back is kept");
	transaction_hold_back(one, &hold);
	tap_is(one->pending.rule, "two", "the harsher takes its place");
	transaction_hold_back(one, &prepend);
	tap_is(one->pending.rule, "two", "the milder does not");
}

static void
test_tenants(void)
{
	struct transaction *one = find("3.1", T0);

	transaction_inbound(one, "ours.example");
	transaction_inbound(one, "ours.example");
	tap_ok(strcmp(one->tenant, "ours.example") == 0 &&
	    !one->has_several_tenants, "one tenant twice is one tenant");
	transaction_inbound(one, "second.example");
	tap_ok(one->has_several_tenants, "another one makes them several");
	transaction_inbound(one, "ours.example");
	tap_ok(one->has_several_tenants, "and several they stay");
}

static void
test_forgetting(void)
{
	transactions_free(all);
	all = transactions_new();
	pass("1.1", T0);
	pass("1.2", T0 + 10 * MINUTE);
	tap_int((int64_t)find("1.1", T0 + 20 * MINUTE)->recipients, 1,
	    "a transaction is known for twenty minutes");
	find("1.3", T0 + 31 * MINUTE);
	tap_int((int64_t)transactions_count(all), 2,
	    "one that was idle for longer is forgotten");
	tap_int((int64_t)find("1.1", T0 + 32 * MINUTE)->recipients, 1,
	    "one that was used since is not");

	transaction_over(all, find("1.1", T0 + 32 * MINUTE));
	tap_ok(answered(find("1.1", T0 + 36 * MINUTE),
	    attrs("1.1", "a@b")) != NULL,
	    "one that is over can still be asked again");
	transaction_over(all, find("1.1", T0 + 36 * MINUTE));
	tap_ok(answered(find("1.1", T0 + 38 * MINUTE),
	    attrs("1.1", "a@b")) == NULL,
	    "but only for some minutes");

	find("2.1", T0 + 38 * MINUTE);
	transaction_over(all, find("2.1", T0 + 38 * MINUTE));
	tap_int((int64_t)transactions_count(all), 2,
	    "one of which nothing passed is forgotten at once");
}

/* However many there are, memory is bounded; those that are over go first */
static void
test_bounds(void)
{
	char instance[32];
	size_t most = 0;
	int i;

	transactions_free(all);
	all = transactions_new();
	pass("first", T0);
	pass("over", T0);
	transaction_over(all, find("over", T0));
	for (i = 0; i < 32766; i++) {
		snprintf(instance, sizeof(instance), "3.%d", i);
		pass(instance, T0);
	}
	tap_int((int64_t)transactions_count(all), 32768, "there is room");
	pass("last", T0);
	tap_int((int64_t)transactions_count(all), 32768,
	    "and then there is none");
	tap_int((int64_t)find("first", T0)->recipients, 1,
	    "what is over gives way first");
	for (i = 0; i < 60000; i++) {
		snprintf(instance, sizeof(instance), "4.%d", i);
		pass(instance, T0);
		if (transactions_count(all) > most)
			most = transactions_count(all);
	}
	tap_int((int64_t)most, 32768, "there are never more");
	tap_int((int64_t)find("first", T0)->recipients, 0,
	    "then the oldest gives way");
}

static void
test_many_recipients(void)
{
	static const struct verdict permit;
	struct transaction *one = find("5.1", T0);
	struct limit limit = { .name = "hourly" };
	struct counter_key counter;
	char recipient[32];
	int i, passed = 0;

	for (i = 0; i < 5000; i++) {
		snprintf(recipient, sizeof(recipient), "%d@b.example", i);
		remember(one, attrs("5.1", recipient), &permit);
	}
	tap_ok(answered(one, attrs("5.1", "4095@b.example"))
	    != NULL, "4096 answers of a transaction are remembered");
	tap_ok(answered(one, attrs("5.1", "4096@b.example"))
	    == NULL, "and no more");
	for (i = 0; i < 5000; i++) {
		snprintf(recipient, sizeof(recipient), "%d", i);
		counter = key(recipient);
		passed += transaction_pass(one, &counter, "ours.example",
		    &limit) != NULL;
	}
	tap_int(passed, 4096, "and of so many counters what they have seen");
}

int
main(void)
{
	all = transactions_new();
	test_identity();
	test_answers();
	test_passed();
	test_pending();
	test_tenants();
	test_forgetting();
	test_bounds();
	test_many_recipients();
	transactions_free(all);
	transactions_free(NULL);
	return tap_done();
}
