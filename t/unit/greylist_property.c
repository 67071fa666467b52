/* SPDX-License-Identifier: ISC */
/* greylist_property.c - strangers who come back early, in time and late, on
 * random schedules, against what greylisting promises; and the stores against
 * each other. greylist_property [SEED [SCHEDULES [URI ...]]] */
#include "t/unit/stores.h"

#include <inttypes.h>

#include "t/unit/tap.h"

#define TENANTS	  2
#define SENDERS	  2	/* of a tenant: each with a promotion of its own */
#define STRANGERS 6	/* of a tenant: records */
#define STEPS	  300
#define SECOND	  INT64_C(1000)
#define START	  INT64_C(1700000000000)

enum property { ANSWER, WAIT, PEEK, CHARGED, ONCE, ALIKE, PROPERTIES };

static const char *const properties[] = {
	[ANSWER] = "strangers wait, pass, are known, and get promoted",
	[WAIT] = "the wait that is told is what is left of the delay",
	[PEEK] = "a peek tells what the question is then told",
	[CHARGED] = "limits are charged if and only if greylisting lets pass",
	[ONCE] = "every question is answered exactly once",
	[ALIKE] = "all stores say the same",
};

enum sight { PASSED, NEW, EARLY, PROMOTED, LATE, AHEAD, BACK, SIGHTS };

static const char *const sights[] = {
	"passed", "new", "early", "promoted", "late", "ahead", "stepped back",
};

struct stranger {
	struct counter_key key;
	int64_t first_ms, ends_ms;	/* ends 0: never seen */
	bool has_passed;
};

struct sender {
	struct counter_key key;
	int64_t ends_ms;
	uint32_t passes;
};

struct tenant {
	char id[8];
	struct counter_limit limit;
	struct counter_grey grey;	/* the settings */
	struct sender senders[SENDERS];
	struct stranger strangers[STRANGERS];
};

static struct {
	int schedule, step;
	int64_t clock, latest;
	struct tenant tenants[TENANTS];
	uint64_t failed[PROPERTIES], seen[SIGHTS];
} run;

static void
expect(bool is_so, enum property property)
{
	if (!is_so && run.failed[property]++ == 0)
		printf("# schedule %d step %d clock %" PRId64 ": not so: %s\n",
		    run.schedule, run.step, run.clock, properties[property]);
}

static bool
ask(struct tenant *tenant, struct counter_grey *grey, bool is_peek,
    uint64_t *used)
{
	struct counter_limit limit = tenant->limit;
	struct counter_question q = { .tenant = tenant->id, .grey = grey,
		.limits = &limit, .limit_count = 1, .is_peek = is_peek };
	bool are_alike;

	expect(stores_ask(&q, run.clock, &are_alike), ONCE);
	expect(are_alike, ALIKE);
	*used = limit.used;
	return q.is_charged;
}

static enum grey_answer
pass(const struct tenant *tenant, struct sender *sender,
    struct stranger *stranger)
{
	stranger->ends_ms = run.clock + tenant->grey.pass_ms;
	if (!stranger->has_passed && tenant->grey.promote > 0) {
		if (sender->ends_ms <= run.clock)
			sender->passes = 0;
		sender->passes++;
		sender->ends_ms = run.clock + tenant->grey.pass_ms;
	}
	stranger->has_passed = true;
	run.seen[PASSED]++;
	return GREY_PASS;
}

/* What must be answered, and what is so from then on */
static enum grey_answer
promised(struct tenant *tenant, struct sender *sender,
    struct stranger *stranger, int64_t *wait_ms)
{
	const struct counter_grey *grey = &tenant->grey;
	bool is_late = stranger->ends_ms <= run.clock;
	bool is_ahead = stranger->first_ms > run.clock + grey->window_ms;

	*wait_ms = 0;
	if (grey->promote > 0 && sender->ends_ms > run.clock &&
	    sender->passes >= grey->promote) {
		sender->ends_ms = run.clock + grey->pass_ms;
		run.seen[PROMOTED]++;
		return GREY_PASS;
	}
	if (is_late || is_ahead) {
		run.seen[LATE] += is_late && stranger->ends_ms != 0;
		run.seen[AHEAD] += !is_late && is_ahead;
		run.seen[NEW]++;
		stranger->first_ms = run.clock;
		stranger->ends_ms = run.clock + grey->window_ms;
		stranger->has_passed = false;
		*wait_ms = grey->delay_ms;
		return GREY_NEW;
	}
	if (stranger->has_passed ||
	    run.clock >= stranger->first_ms + grey->delay_ms)
		return pass(tenant, sender, stranger);
	run.seen[EARLY]++;
	*wait_ms = stranger->first_ms + grey->delay_ms - run.clock;
	return GREY_EARLY;
}

static void
ask_and_check(struct tenant *tenant, size_t number)
{
	struct stranger *stranger = &tenant->strangers[number];
	struct sender *sender = &tenant->senders[number % SENDERS];
	struct counter_grey peeked = tenant->grey, grey;
	uint64_t before, after, unused;
	enum grey_answer answer;
	int64_t wait_ms;
	bool is_charged;

	peeked.record = stranger->key;
	peeked.promotion = sender->key;
	grey = peeked;
	ask(tenant, NULL, true, &before);
	ask(tenant, &peeked, true, &unused);
	is_charged = ask(tenant, &grey, false, &unused);
	ask(tenant, NULL, true, &after);
	answer = promised(tenant, sender, stranger, &wait_ms);
	expect(grey.answer == answer, ANSWER);
	expect(grey.wait_ms == wait_ms, WAIT);
	expect(peeked.answer == grey.answer && peeked.wait_ms == grey.wait_ms,
	    PEEK);
	expect(is_charged == (answer == GREY_PASS) &&
	    after == before + is_charged, CHARGED);
}

/* What has expired may be gone or not: if the clock then goes back, both are
 * right. Others come instead. */
static void
change_if_unsure(struct tenant *tenant)
{
	for (size_t i = 0; i < STRANGERS; i++) {
		struct stranger *one = &tenant->strangers[i];

		if (one->ends_ms <= run.latest && one->ends_ms > run.clock)
			*one = (struct stranger){ .key = any_key() };
	}
	for (size_t i = 0; i < SENDERS; i++) {
		struct sender *one = &tenant->senders[i];

		if (one->ends_ms <= run.latest && one->ends_ms > run.clock)
			*one = (struct sender){ .key = any_key() };
	}
}

/* Mostly to where something changes for one of them */
static void
move_clock(const struct tenant *tenant, const struct stranger *stranger)
{
	const struct counter_grey *grey = &tenant->grey;
	int64_t clock = run.clock;

	switch (below(8)) {
	case 0:
		clock += below(grey->delay_ms);
		break;
	case 1:
		if (!stranger->has_passed)
			clock = stranger->first_ms + grey->delay_ms - 1 +
			    below(3);
		break;
	case 2:
		if (one_in(5))
			clock = stranger->ends_ms - 1 + below(3);
		break;
	case 3:
		clock += one_in(30) ? below(2 * grey->pass_ms) : 0;
		break;
	case 4:
		clock -= one_in(4) ? below(2 * grey->window_ms) : 0;
		break;
	default:
		break;
	}
	if (clock < START)	/* of one who was never seen */
		return;
	run.seen[BACK] += clock < run.clock;
	run.clock = clock;
	if (run.clock > run.latest)
		run.latest = run.clock;
}

static void
any_settings(struct counter_grey *grey)
{
	grey->delay_ms = 1 + below(300 * SECOND);
	grey->window_ms = grey->delay_ms + below(7200 * SECOND);
	grey->pass_ms = grey->window_ms + below(86400 * SECOND);
	grey->promote = (uint32_t)below(4);
}

static void
begin(struct tenant *tenant, int number)
{
	memset(tenant, 0, sizeof(*tenant));
	snprintf(tenant->id, sizeof(tenant->id), "t%d", number);
	tenant->limit = (struct counter_limit){ .key = any_key(),
		.limit_tag = 1, .window_ms = 366 * 86400 * SECOND,
		.count = 1000000, .cost = 1, .refuses = true };
	any_settings(&tenant->grey);
	for (size_t i = 0; i < SENDERS; i++)
		tenant->senders[i].key = any_key();
	for (size_t i = 0; i < STRANGERS; i++)
		tenant->strangers[i].key = any_key();
}

static void
run_schedule(void)
{
	run.clock = run.latest = START + below(86400 * SECOND);
	for (int t = 0; t < TENANTS; t++)
		begin(&run.tenants[t], t);
	for (run.step = 0; run.step < STEPS; run.step++) {
		struct tenant *tenant = &run.tenants[below(TENANTS)];
		size_t number = (size_t)below(STRANGERS);

		if (one_in(50))
			any_settings(&tenant->grey);
		move_clock(tenant, &tenant->strangers[number]);
		for (int t = 0; t < TENANTS; t++)
			change_if_unsure(&run.tenants[t]);
		ask_and_check(tenant, number);
	}
}

int
main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 20261121;
	int schedules = argc > 2 ? atoi(argv[2]) : 300;

	if (!tap_ok(stores_open(argc - 3, argv + 3, seed), "the stores open"))
		return tap_done();
	printf("# seed %" PRIu64 ", %d schedules of %d questions\n", seed,
	    schedules, STEPS);
	for (run.schedule = 0; run.schedule < schedules; run.schedule++)
		run_schedule();
	for (int i = 0; i < PROPERTIES; i++)
		tap_ok(run.failed[i] == 0, properties[i]);
	for (int i = 0; i < SIGHTS; i++) {
		printf("# %s: %" PRIu64 "\n", sights[i], run.seen[i]);
		if (run.seen[i] == 0)
			tap_ok(false, "the schedules reach everything");
	}
	stores_close();
	return tap_done();
}
