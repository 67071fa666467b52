/* SPDX-License-Identifier: ISC */
/* counters_memory.c - the memory store: what is refused, kept, evicted, reset,
 * and greylisting step by step. The guarantee itself: limits_property.c. */
#include "policyd/counters.h"

#include <inttypes.h>

#include "common/loop.h"
#include "t/unit/tap.h"

#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define T0     (500000 * HOUR)
#define NEVER  UINT64_MAX

static struct counter_store *store;

static void
open_store(uint64_t max_records)
{
	struct counter_settings settings = { .uri = "memory:",
	    .max_records = max_records };
	const char *why;

	loop_now_set(T0);
	store = counters_open(&settings, &why);
}

static void
close_store(void)
{
	store->ops->close(store);
	store = NULL;
}

static struct counter_key
key(const char *name)
{
	struct counter_key key = { { 0 } };

	snprintf((char *)key.bytes, sizeof(key.bytes), "%s", name);
	return key;
}

static struct counter_limit
limit(const char *name, uint64_t count, uint64_t cost)
{
	return (struct counter_limit){
		.key = key(name),
		.limit_tag = counter_tag(name),
		.window_ms = HOUR,
		.count = count,
		.cost = cost,
		.refuses = true,
		.is_kept = true,
	};
}

static void
answered(struct counter_question *q)
{
	(void)q;
}

static struct counter_question
ask(const char *tenant, struct counter_limit *limits, size_t count)
{
	struct counter_question q = {
		.tenant = tenant,
		.limits = limits,
		.limit_count = count,
		.done = answered,
	};

	store->ops->ask(store, &q);
	return q;
}

static bool
charge(const char *tenant, const char *name, bool is_kept)
{
	struct counter_limit one = limit(name, NEVER, 1);

	one.is_kept = is_kept;
	return ask(tenant, &one, 1).is_charged;
}

static uint64_t
used(const char *tenant, const char *name)
{
	struct counter_limit one = limit(name, NEVER, 0);
	struct counter_question q = {
		.tenant = tenant,
		.limits = &one,
		.limit_count = 1,
		.is_peek = true,
		.done = answered,
	};

	store->ops->ask(store, &q);
	return one.used;
}

static void
was_reset(struct counter_reset *done)
{
	*(bool *)done->arg = !done->is_unknown;
}

static int64_t
reset_all(struct counter_reset one)
{
	bool is_done = false;

	one.done = was_reset;
	one.arg = &is_done;
	store->ops->reset(store, &one);
	return is_done ? one.forgotten : -1;
}

static int64_t
reset(const char *tenant, uint32_t tag)
{
	return reset_all((struct counter_reset){ .tenant = tenant,
	    .limit_tag = tag });
}

static bool
forget(const char *tenant, const struct counter_key *one)
{
	return reset_all((struct counter_reset){ .tenant = tenant,
	    .keys = one, .key_count = 1 }) == 1;
}

static bool
grey_is_new(const char *tenant, const char *name)
{
	struct counter_grey grey = {
		.record = key(name),
		.delay_ms = 5 * MINUTE,
		.window_ms = 2 * DAY,
		.pass_ms = 35 * DAY,
	};
	struct counter_question q = {
		.tenant = tenant,
		.grey = &grey,
		.done = answered,
	};

	store->ops->ask(store, &q);
	return grey.answer == GREY_NEW;
}

static void
test_open(void)
{
	struct counter_settings settings = { .uri = "memory:",
	    .max_records = 3 };
	const char *why = NULL;

	tap_int(counters_check_uri("memory:", &why), 0,
	    "memory: is a counter store");
	tap_int(counters_check_uri("memory:x", &why), -1,
	    "memory: takes nothing else");
	tap_is(why, "memory: stands alone", "and says so");
	tap_int(counters_check_uri("postgres://x", &why), -1,
	    "an unknown scheme is refused");
	tap_is(why, "no counter store has this scheme", "and says so, too");
	tap_ok(counters_open(&settings, &why) == NULL,
	    "a store of next to nothing is refused");
	tap_ok(counter_tag("hourly") != counter_tag("daily") &&
	    counter_tag("") != 0, "tags differ and are never 0");
}

static void
test_one_limit(void)
{
	struct counter_limit one = limit("one", 10, 4);

	open_store(1000);
	tap_ok(ask("a", &one, 1).is_charged && one.used == 0,
	    "the first request is charged");
	tap_ok(ask("a", &one, 1).is_charged && one.used == 4,
	    "the second sees the first");
	tap_ok(!one.is_exceeded && one.wait_ms == 0, "and waits for nothing");
	loop_now_set(T0 + 10 * MINUTE);
	tap_ok(!ask("a", &one, 1).is_charged && one.is_exceeded,
	    "what does not fit is refused");
	tap_int(one.wait_ms, HOUR + HOUR / 16 - 10 * MINUTE,
	    "with the time to come back");
	tap_ok(!ask("a", &one, 1).is_charged,
	    "and is refused again, however often it asks");
	tap_int(used("a", "one"), 8, "what is refused is not charged");
	one.cost = 2;
	tap_ok(ask("a", &one, 1).is_charged, "what still fits is charged");
	loop_now_set(T0 + 70 * MINUTE);
	one.cost = 11;
	tap_ok(!ask("a", &one, 1).is_charged && one.wait_ms == 0,
	    "what can never fit is refused without a time");
	close_store();
}

static void
test_several_limits(void)
{
	struct counter_limit limits[] = {
		limit("small", 2, 2), limit("large", 100, 1),
		limit("warns", 1, 3), limit("free", 100, 0),
	};

	limits[2].refuses = false;
	open_store(1000);
	tap_ok(ask("a", limits, 4).is_charged && limits[2].is_exceeded,
	    "a limit that only warns does not keep from charging");
	tap_int(used("a", "warns"), 3, "and is charged past its count");
	tap_int(used("a", "large"), 1, "and the others are charged");
	tap_int(store->ops->records(store), 3,
	    "a limit without a cost needs no record");
	tap_ok(!ask("a", limits, 4).is_charged && limits[0].is_exceeded &&
	    !limits[1].is_exceeded && limits[2].is_exceeded,
	    "one that refuses refuses for all, and each is told");
	tap_int(used("a", "large"), 1, "then none is charged");
	tap_int(used("a", "warns"), 3, "not even those that only warn");
	limits[1] = limit("unseen", 100, 1);
	ask("a", limits, 4);
	tap_int(store->ops->records(store), 3,
	    "what is refused leaves no record behind");
	close_store();
}

static void
test_twice_the_same(void)
{
	struct counter_limit limits[] = {
		limit("same", 10, 3), limit("same", 10, 4),
	};

	open_store(1000);
	tap_ok(ask("a", limits, 2).is_charged && used("a", "same") == 7,
	    "the same key twice in a question is charged twice");
	ask("a", limits, 2);
	tap_int(store->ops->records(store), 1, "and is one record");
	loop_now_set(T0 - 2 * HOUR);
	limits[1].window_ms = MINUTE;
	tap_ok(ask("a", limits, 2).is_charged,
	    "even ahead of the clock and with two windows");
	close_store();
}

static void
test_clock(void)
{
	struct counter_limit one = limit("one", 10, 10);

	open_store(1000);
	ask("a", &one, 1);
	loop_now_set(T0 - HOUR);
	tap_ok(!ask("a", &one, 1).is_charged,
	    "one window ahead of the clock still counts");
	loop_now_set(T0 - HOUR - 1);
	tap_ok(ask("a", &one, 1).is_charged,
	    "further ahead of the clock is dropped");
	tap_ok(!ask("a", &one, 1).is_charged, "and counting starts again");
	close_store();
}

static void
test_full_of_kept(void)
{
	struct counter_limit limits[] = {
		limit("1", NEVER, 1), limit("new", NEVER, 1),
	};
	struct counter_question q;

	open_store(4);
	tap_ok(charge("a", "1", true) && charge("a", "2", true) &&
	    charge("b", "3", true) && charge("b", "4", true),
	    "kept records may fill the store");
	q = ask("c", limits, 2);
	tap_ok(q.is_unknown && !q.is_charged,
	    "without room for a new one the answer is unknown");
	tap_int(used("a", "1"), 1, "and those that are there not charged");
	tap_ok(!charge("c", "client", false),
	    "one that may go finds no room either");
	tap_ok(!grey_is_new("c", "stranger"),
	    "without room greylisting lets pass");
	limits[0].count = 1;
	q = ask("a", limits, 1);
	tap_ok(!q.is_unknown && !q.is_charged && limits[0].is_exceeded,
	    "a refusal is known without room");
	loop_now_set(T0 + 2 * HOUR);
	q = ask("c", limits + 1, 1);
	tap_ok(q.is_charged, "what has expired makes room");
	tap_int(store->ops->records(store), 1, "and is gone");
	tap_int(store->ops->evicted(store), 0, "and was not evicted");
	close_store();
}

static void
test_eviction(void)
{
	struct counter_limit limits[] = {
		limit("c3", NEVER, 1), limit("c4", NEVER, 1),
	};

	open_store(8);		/* two of a tenant may be such that may go */
	charge("a", "c1", false);
	charge("a", "c2", false);
	charge("a", "c1", false);
	charge("a", "c3", false);
	tap_ok(used("a", "c1") == 2 && used("a", "c2") == 0 &&
	    used("a", "c3") == 1, "of a tenant's share the least recently "
	    "used record goes");
	charge("b", "c5", false);
	charge("a", "c1", false);
	for (int i = 0; i < 5; i++)
		charge("c", (char[]){ 'k', '0' + i, 0 }, true);
	tap_int(store->ops->records(store), 7,
	    "half of all may be one tenant's kept ones");
	charge("a", "k4", true);
	tap_int(store->ops->records(store), 8, "the store is full");
	charge("b", "k5", true);
	tap_ok(used("a", "c3") == 0 && used("b", "c5") == 1 &&
	    used("a", "c1") == 3, "of all the least recently used goes");
	charge("b", "k6", true);
	charge("b", "k7", true);
	tap_ok(used("b", "c5") == 0 && used("a", "c1") == 0,
	    "for kept records all others go");
	tap_int(used("c", "k0"), 1, "kept records stay");
	tap_int(store->ops->evicted(store), 4, "what went was counted");
	close_store();

	open_store(4);
	limits[0].is_kept = limits[1].is_kept = false;
	tap_ok(ask("a", limits, 2).is_unknown && used("a", "c3") == 0,
	    "no record goes for another of its own question");
	tap_ok(ask("a", limits, 1).is_charged && used("a", "c3") == 1,
	    "which harms nobody later");
	close_store();
}

static void
test_flood(void)
{
	char name[16];
	int lost = 0;

	open_store(400);
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "b%d", i);
		grey_is_new("b", name);
	}
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "a%d", i);
		grey_is_new("a", name);
	}
	tap_int(store->ops->records(store), 150,
	    "a tenant's strangers fill its share and no more");
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "b%d", i);
		lost += grey_is_new("b", name);
	}
	tap_int(lost, 0, "another tenant's strangers are not forgotten");
	close_store();
}

static void
test_sweep(void)
{
	char name[16];

	open_store(10000);
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "%d", i);
		charge("a", name, true);
	}
	tap_int(store->ops->records(store), 5000, "live records stay");
	loop_now_set(T0 + HOUR + HOUR / 16 - 1);
	for (int i = 0; i < 1000; i++)
		charge("b", "other", true);
	tap_int(store->ops->records(store), 5001, "to their last moment");
	loop_now_set(T0 + HOUR + HOUR / 16);
	for (int i = 0; i < 1000; i++)
		charge("b", "other", true);
	tap_int(store->ops->records(store), 1,
	    "expired records go, a few at each question");
	close_store();
}

static void
test_reset(void)
{
	struct counter_key hourly = key("hourly"), grey = key("stranger");

	open_store(1000);
	charge("a", "hourly", true);
	charge("a", "daily", true);
	charge("a", "client", false);
	charge("b", "else", true);
	grey_is_new("a", "stranger");
	tap_int(reset("a", counter_tag("hourly")), 1,
	    "reset forgets one limit");
	tap_ok(used("a", "hourly") == 0 && used("a", "daily") == 1,
	    "and no other");
	charge("a", "hourly", true);
	tap_ok(forget("a", &hourly), "forget takes one");
	tap_ok(!forget("a", &hourly), "once");
	tap_ok(!forget("a", &grey),
	    "a greylist record is not a counter");
	tap_int(reset("a", 0), 2,
	    "reset forgets all limits of a tenant");
	tap_int(reset("a", 0), 0, "and then there are none");
	tap_int(used("b", "else"), 1, "other tenants keep theirs");
	tap_ok(!grey_is_new("a", "stranger"), "greylist records stay");
	tap_int(reset("nobody", 0), 0,
	    "a tenant without records has nothing to reset");
	close_store();
}

static int asked_again;

static void
ask_again(struct counter_question *q)
{
	(void)q;
	asked_again += charge("a", "again", true);
}

static void
test_reentry(void)
{
	struct counter_limit one = limit("one", 10, 1);
	struct counter_question q = {
		.tenant = "a",
		.limits = &one,
		.limit_count = 1,
		.done = ask_again,
	};

	open_store(1000);
	store->ops->ask(store, &q);
	tap_ok(asked_again == 1 && used("a", "one") == 1,
	    "whoever is answered may ask again at once");
	close_store();
}

/* One story: steps follow each other */
static const struct {
	const char *name;
	int64_t at;
	const char *record, *promotion;
	bool is_peek;
	enum grey_answer answer;
	int64_t wait_ms;
} story[] = {
	{ "a peek at a stranger says so",
	  0, "r1", "p", true, GREY_NEW, 5 * MINUTE },
	{ "a peek has not recorded the stranger",
	  MINUTE, "r1", "p", false, GREY_NEW, 5 * MINUTE },
	{ "a retry too early is told how long to wait",
	  3 * MINUTE, "r1", "p", false, GREY_EARLY, 3 * MINUTE },
	{ "an early retry does not begin the delay again",
	  6 * MINUTE - 1, "r1", "p", false, GREY_EARLY, 1 },
	{ "a peek may see it pass",
	  6 * MINUTE, "r1", "p", true, GREY_PASS, 0 },
	{ "after the delay the retry passes",
	  6 * MINUTE, "r1", "p", false, GREY_PASS, 0 },
	{ "who passed is known as long as he comes",
	  30 * DAY, "r1", "p", false, GREY_PASS, 0 },
	{ "each use prolongs the pass",
	  65 * DAY - 1, "r1", "p", false, GREY_PASS, 0 },
	{ "a peek does not prolong it",
	  70 * DAY, "r1", "p", true, GREY_PASS, 0 },
	{ "who stayed away too long is a stranger",
	  100 * DAY, "r1", "p", false, GREY_NEW, 5 * MINUTE },
	{ "another sender is a stranger of his own",
	  100 * DAY, "r2", "p", false, GREY_NEW, 5 * MINUTE },
	{ "the window's last moment is in time",
	  102 * DAY - 1, "r1", "p", false, GREY_PASS, 0 },
	{ "the window's end is too late",
	  102 * DAY, "r2", "p", false, GREY_NEW, 5 * MINUTE },
	{ "the second to pass of a client",
	  103 * DAY, "r2", "p", false, GREY_PASS, 0 },
	{ "the same record again does not count again",
	  103 * DAY, "r2", "p", false, GREY_PASS, 0 },
	{ "two passes promote nobody, the pass that expired is forgotten",
	  103 * DAY, "r3", "p", false, GREY_NEW, 5 * MINUTE },
	{ "a peek does not count as a pass",
	  104 * DAY, "r3", "p", true, GREY_PASS, 0 },
	{ "nor does a peek at another",
	  104 * DAY, "r4", "p", true, GREY_NEW, 5 * MINUTE },
	{ "the third pass",
	  104 * DAY, "r3", "p", false, GREY_PASS, 0 },
	{ "three passes promote the client",
	  104 * DAY, "r4", "p", false, GREY_PASS, 0 },
	{ "another client is not promoted",
	  104 * DAY, "r5", "q", false, GREY_NEW, 5 * MINUTE },
	{ "each use prolongs the promotion",
	  138 * DAY, "r6", "p", false, GREY_PASS, 0 },
	{ "a promotion lives from its last use",
	  173 * DAY - 1, "r7", "p", true, GREY_PASS, 0 },
	{ "an unused promotion ends",
	  173 * DAY, "r7", "p", false, GREY_NEW, 5 * MINUTE },
	{ "a promoted client left no records",
	  173 * DAY, "r4", "p", false, GREY_NEW, 5 * MINUTE },
	{ "one more stranger",
	  173 * DAY, "r8", "q", false, GREY_NEW, 5 * MINUTE },
	{ "a clock that went back a little only makes wait",
	  173 * DAY - HOUR, "r8", "q", false, GREY_EARLY, HOUR + 5 * MINUTE },
	{ "a record far ahead of the clock is dropped",
	  170 * DAY, "r8", "q", false, GREY_NEW, 5 * MINUTE },
};

/* In a crowd the sweep is still far away when the steps meet what expired */
static void
test_story(int crowd)
{
	char name[16];

	open_store(1000);
	for (int i = 0; i < crowd; i++) {
		snprintf(name, sizeof(name), "%d", i);
		charge("b", name, true);
	}
	for (size_t i = 0; i < sizeof(story) / sizeof(story[0]); i++) {
		struct counter_grey grey = {
			.record = key(story[i].record),
			.promotion = key(story[i].promotion),
			.delay_ms = 5 * MINUTE,
			.window_ms = 2 * DAY,
			.pass_ms = 35 * DAY,
			.promote = 3,
		};
		struct counter_question q = {
			.tenant = "a",
			.grey = &grey,
			.is_peek = story[i].is_peek,
			.done = answered,
		};

		loop_now_set(T0 + story[i].at);
		store->ops->ask(store, &q);
		if (!tap_ok(grey.answer == story[i].answer &&
		    grey.wait_ms == story[i].wait_ms, story[i].name))
			printf("# answer %d wait_ms %" PRId64 "\n",
			    (int)grey.answer, grey.wait_ms);
	}
	close_store();
}

static void
test_grey_and_limits(void)
{
	struct counter_limit one = limit("one", 10, 1);
	struct counter_grey grey = {
		.record = key("r"),
		.delay_ms = MINUTE,
		.window_ms = DAY,
		.pass_ms = DAY,
	};
	struct counter_question q = {
		.tenant = "a",
		.grey = &grey,
		.limits = &one,
		.limit_count = 1,
		.done = answered,
	};

	open_store(1000);
	store->ops->ask(store, &q);
	tap_ok(!q.is_charged && used("a", "one") == 0,
	    "who is greylisted is not charged");
	loop_now_set(T0 + MINUTE);
	store->ops->ask(store, &q);
	tap_ok(q.is_charged && used("a", "one") == 1,
	    "who passes greylisting is");
	tap_int(store->ops->records(store), 2,
	    "without promotion nothing is counted for it");
	close_store();
}

int
main(void)
{
	tap_log();
	test_open();
	test_one_limit();
	test_several_limits();
	test_twice_the_same();
	test_clock();
	test_full_of_kept();
	test_eviction();
	test_flood();
	test_sweep();
	test_reset();
	test_reentry();
	test_story(0);
	test_story(900);
	test_grey_and_limits();
	return tap_done();
}
