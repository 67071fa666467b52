/* SPDX-License-Identifier: ISC */
/* limits_property.c - the guarantee of the rate limits, on random schedules
 * against an exact log of all events, and against each other where several
 * stores are named. limits_property [SEED [SCHEDULES [URI ...]]]
 *
 * A limit's time is the latest moment at which it was charged, or the clock
 * where that is later: it never runs backwards. All intervals are of that time.
 * A cut in the log is where the store may, or must, have forgotten all. */
#include "t/unit/stores.h"

#include <inttypes.h>

#include "t/unit/tap.h"

#define TENANTS	   3
#define LIMITS_MAX STORES_LIMITS_MAX
#define TAGS	   3
#define STEPS	   150
#define SLOTS	   16		/* of one window */
#define SECOND	   INT64_C(1000)
#define WEEK	   (7 * 86400 * SECOND)
#define START	   INT64_C(1700000000000)

enum property {
	AT_MOST_COUNT, NOT_TOO_EARLY, USED, SAID, ALL_OR_NONE, VERDICT,
	WAIT, NEVER, PEEK, ONCE, ALIKE, PROPERTIES
};

static const char *const properties[] = {
	[AT_MOST_COUNT] = "in no interval of one window do more than COUNT "
	    "units pass",
	[NOT_TOO_EARLY] = "nothing is refused unless the last 17/16 windows "
	    "and the request exceed COUNT",
	[USED] = "what is used is all of the last window, and nothing older "
	    "than 17/16",
	[SAID] = "a limit is exceeded if what is used and the cost exceed "
	    "COUNT",
	[ALL_OR_NONE] = "all limits of a question are charged their cost, or "
	    "none anything",
	[VERDICT] = "a question is charged if no limit that refuses is "
	    "exceeded",
	[WAIT] = "after exactly the wait that was told a request passes, and "
	    "1 ms earlier not",
	[NEVER] = "no wait is told if and only if a request alone exceeds "
	    "COUNT",
	[PEEK] = "a peek tells what the question is then told",
	[ONCE] = "every question is answered exactly once",
	[ALIKE] = "all stores say the same",
};

enum sight {
	CHARGED, REFUSED, WARNED, REFUSED_AND_WARNED, OVERSIZE, FREE, STEPPED,
	AHEAD, FORGOTTEN, EDITED, REMOVED, REPLACED, RESET, SIGHTS
};

static const char *const sights[] = {
	"charged", "refused", "warned", "refused_and_warned", "oversize",
	"free", "stepped_back", "ahead", "forgotten", "edited", "removed",
	"replaced", "reset",
};

struct event {
	int64_t at;
	uint64_t cost;
	uint64_t count;		/* as it was then */
	bool is_void;		/* warn or hold went past COUNT */
	bool is_cut;		/* what came before may be forgotten */
};

struct model {
	struct counter_limit limit;
	struct event log[STEPS];
	size_t events;
	size_t begin;		/* of what came after the last cut */
	int64_t at;		/* of the last charge, 0: none since */
	int64_t seen;		/* the latest clock since the last charge */
};

struct tenant {
	char id[8];
	size_t room;
	size_t count;		/* less: the others are removed for now */
	struct model models[LIMITS_MAX];
};

static struct {
	int schedule, step;
	int64_t clock;
	bool may_step_back;
	struct tenant tenants[TENANTS];
	struct tenant *tenant;	/* who asks */
	uint64_t failed[PROPERTIES], seen[SIGHTS];
} run;

static void
expect(bool is_so, enum property property, const struct counter_limit *limit)
{
	if (is_so || run.failed[property]++ != 0)
		return;
	printf("# schedule %d step %d clock %" PRId64 ": not so: %s\n",
	    run.schedule, run.step, run.clock, properties[property]);
	if (limit != NULL)
		printf("# window_ms %" PRId64 " count %" PRIu64 " cost %" PRIu64
		    " refuses %d used %" PRIu64 " exceeded %d wait_ms %" PRId64
		    "\n", limit->window_ms, limit->count, limit->cost,
		    limit->refuses, limit->used, limit->is_exceeded,
		    limit->wait_ms);
}

/* The question */

static bool
ask(struct counter_limit *limits, bool is_peek, int64_t clock)
{
	struct counter_question q = {
		.tenant = run.tenant->id,
		.limits = limits,
		.limit_count = run.tenant->count,
		.is_peek = is_peek,
	};
	bool are_alike;

	expect(stores_ask(&q, clock, &are_alike), ONCE, NULL);
	expect(are_alike, ALIKE, limits);
	return q.is_charged;
}

static void
copy_limits(struct counter_limit *limits)
{
	for (size_t i = 0; i < run.tenant->count; i++)
		limits[i] = run.tenant->models[i].limit;
}

/* The log */

static int64_t
slot_of(int64_t at, const struct model *model)
{
	return at * SLOTS / model->limit.window_ms;
}

static int64_t
time_of(const struct model *model)
{
	return run.clock > model->at ? run.clock : model->at;
}

/* What was charged since the last cut in the last sixteenths of a window */
static uint64_t
passed(const struct model *model, int sixteenths)
{
	int64_t span = model->limit.window_ms * sixteenths;
	int64_t now = time_of(model);
	uint64_t units = 0;

	for (size_t i = model->events; i > model->begin; i--) {
		const struct event *event = &model->log[i - 1];

		if ((now - event->at) * SLOTS >= span)
			break;
		units += event->cost;
	}
	return units;
}

static void
cut(struct model *model)
{
	model->begin = model->events;
	model->at = model->seen = 0;
}

/* What has expired may be gone or not: if the clock then goes back, both are
 * right. Make it known. */
static void
forget_if_unsure(const struct tenant *tenant, struct model *model)
{
	const struct counter_limit *limit = &model->limit;

	if (run.clock > model->seen)
		model->seen = run.clock;
	if (run.clock == model->seen || model->at == 0 ||
	    model->seen - model->at < limit->window_ms)
		return;
	stores_reset(&(struct counter_reset){ .tenant = tenant->id,
	    .keys = &limit->key, .key_count = 1 });
	run.seen[FORGOTTEN]++;
	cut(model);
}

static void
cut_if_ahead(struct model *model)
{
	if (slot_of(model->at, model) - slot_of(run.clock, model) <= SLOTS)
		return;
	run.seen[AHEAD]++;
	cut(model);
}

static void
log_charge(struct model *model, const struct counter_limit *limit)
{
	if (limit->cost == 0)
		return;
	model->log[model->events] = (struct event){
		.at = time_of(model),
		.cost = limit->cost,
		.count = limit->count,
		.is_void = limit->is_exceeded,
		.is_cut = model->events == model->begin,
	};
	model->events++;
	model->at = model->seen = time_of(model);
}

/* Every interval that begins at an event ends at one: of those that end at
 * the same, the longest holds the others. */
static void
check_log(const struct model *model)
{
	uint64_t units = 0;
	size_t first = 0;

	for (size_t i = 0; i < model->events; i++) {
		const struct event *event = &model->log[i];

		if (event->is_cut) {
			first = i;
			units = 0;
		}
		units += event->cost;
		while (event->at - model->log[first].at >=
		    model->limit.window_ms)
			units -= model->log[first++].cost;
		expect(event->is_void || units <= event->count, AT_MOST_COUNT,
		    &model->limit);
	}
}

/* One step */

static bool
is_exceeded_at(size_t i, int64_t clock)
{
	struct counter_limit limits[LIMITS_MAX];

	copy_limits(limits);
	ask(limits, true, clock);
	return limits[i].is_exceeded;
}

static void
check_wait(size_t i, const struct counter_limit *limit)
{
	expect((limit->wait_ms == 0) == (limit->cost > limit->count), NEVER,
	    limit);
	if (limit->wait_ms == 0)
		return;
	expect(limit->wait_ms > 0 &&
	    is_exceeded_at(i, run.clock + limit->wait_ms - 1) &&
	    !is_exceeded_at(i, run.clock + limit->wait_ms), WAIT, limit);
}

static void
check_answer(const struct model *model, const struct counter_limit *limit)
{
	uint64_t least = passed(model, SLOTS), most = passed(model, SLOTS + 1);

	expect(least <= limit->used && limit->used <= most, USED, limit);
	expect(limit->is_exceeded == (limit->used + limit->cost >
	    limit->count), SAID, limit);
	expect(!limit->is_exceeded || most + limit->cost > limit->count,
	    NOT_TOO_EARLY, limit);
}

static void
count_sights(const struct counter_limit *limits, bool is_charged)
{
	bool is_warned = false;

	for (size_t i = 0; i < run.tenant->count; i++) {
		is_warned |= limits[i].is_exceeded && !limits[i].refuses;
		run.seen[OVERSIZE] += limits[i].cost > limits[i].count;
		run.seen[FREE] += limits[i].cost == 0;
	}
	run.seen[CHARGED] += is_charged;
	run.seen[REFUSED] += !is_charged;
	run.seen[WARNED] += is_charged && is_warned;
	run.seen[REFUSED_AND_WARNED] += !is_charged && is_warned;
}

static void
ask_and_check(void)
{
	struct counter_limit before[LIMITS_MAX], limits[LIMITS_MAX],
	    after[LIMITS_MAX];
	bool is_refused = false, is_charged;

	for (size_t i = 0; i < run.tenant->count; i++)
		cut_if_ahead(&run.tenant->models[i]);
	copy_limits(before);
	copy_limits(limits);
	copy_limits(after);
	ask(before, true, run.clock);
	is_charged = ask(limits, false, run.clock);
	ask(after, true, run.clock);
	count_sights(limits, is_charged);
	for (size_t i = 0; i < run.tenant->count; i++) {
		struct model *model = &run.tenant->models[i];
		uint64_t cost = is_charged ? limits[i].cost : 0;

		is_refused |= limits[i].is_exceeded && limits[i].refuses;
		expect(limits[i].is_exceeded == before[i].is_exceeded &&
		    limits[i].wait_ms == before[i].wait_ms, PEEK, &limits[i]);
		if (!limits[i].is_exceeded)	/* it need not be told */
			limits[i].used = before[i].used;
		check_answer(model, &limits[i]);
		expect(after[i].used == limits[i].used + cost, ALL_OR_NONE,
		    &limits[i]);
		if (after[i].is_exceeded)
			check_wait(i, &after[i]);
		if (is_charged)
			log_charge(model, &limits[i]);
	}
	expect(is_charged == !is_refused, VERDICT, NULL);
}

/* Schedules */

static struct model *
any_model(void)
{
	return &run.tenant->models[below(run.tenant->count)];
}

static int64_t
slot_edge(const struct model *model)
{
	int64_t slot = slot_of(run.clock, model) + 1 + below(SLOTS + 2);

	return (slot * model->limit.window_ms + SLOTS - 1) / SLOTS;
}

/* When an event is exactly one window old */
static int64_t
window_edge(const struct model *model)
{
	if (model->events == 0)
		return run.clock;
	return model->log[below(model->events)].at + model->limit.window_ms;
}

static int64_t
next_clock(void)
{
	const struct model *model = any_model();
	int64_t window = model->limit.window_ms;

	switch (below(run.may_step_back ? 10 : 8)) {
	case 0:
		return run.clock + below(10);
	case 1:
		return run.clock + below(window / SLOTS + 1);
	case 2:
		return run.clock + below(window);
	case 3:
		return one_in(4) ? run.clock + below(3 * window) : run.clock;
	case 4:
		return slot_edge(model) - 1 + below(3);
	case 5:
		return window_edge(model) - 1 + below(3);
	case 8:
		return run.clock - below(one_in(4) ? 3 * window : window / 4);
	default:
		return run.clock;	/* a burst */
	}
}

static void
move_clock(void)
{
	int64_t clock = next_clock();

	if (clock < run.clock && !run.may_step_back)
		return;
	run.seen[STEPPED] += clock < run.clock;
	run.clock = clock;
}

static void
any_cost(struct counter_limit *limit)
{
	switch (below(16)) {
	case 0:
		limit->cost = 0;
		break;
	case 1:
		limit->cost = limit->count + below(2);
		break;
	case 2:
	case 3:
		limit->cost = below(limit->count + 1);
		break;
	default:
		limit->cost = 1 + below(limit->count / 8 + 1);
		break;
	}
}

static void
any_limit(struct counter_limit *limit)
{
	int64_t window = SECOND << below(20);

	memset(limit, 0, sizeof(*limit));
	limit->key = any_key();
	limit->limit_tag = 1 + below(TAGS);
	limit->window_ms = window + (one_in(2) ? 0 : below(window));
	if (limit->window_ms > WEEK)
		limit->window_ms = WEEK;
	limit->count = 1 + below((int64_t)1 << (1 + below(one_in(8) ? 40 : 8)));
	limit->refuses = !one_in(3);
	limit->is_kept = one_in(2);
}

/* Another WINDOW is another counter: what was counted in the old one is not
 * looked at again */
static void
replace(struct model *model)
{
	check_log(model);
	memset(model, 0, sizeof(*model));
	any_limit(&model->limit);
	run.seen[REPLACED]++;
}

static void
edit(struct tenant *tenant)
{
	struct model *model = any_model();
	struct counter_limit *limit = &model->limit;

	switch (below(4)) {
	case 0:
		tenant->count = 1 + below(tenant->room);
		run.seen[REMOVED] += tenant->count < tenant->room;
		break;
	case 1:
		replace(model);
		break;
	default:
		limit->refuses = one_in(4) ? !limit->refuses : limit->refuses;
		limit->count = one_in(2) ? limit->count * 2 :
		    limit->count / 2 + 1;
		run.seen[EDITED]++;
		break;
	}
}

/* All counters of a tenant, or those with a tag, also of removed limits */
static void
reset(struct tenant *tenant)
{
	uint32_t tag = (uint32_t)below(1 + TAGS);

	loop_now_set(run.clock);
	stores_reset(&(struct counter_reset){ .tenant = tenant->id,
	    .limit_tag = tag });
	for (size_t i = 0; i < tenant->room; i++)
		if (tag == 0 || tenant->models[i].limit.limit_tag == tag)
			cut(&tenant->models[i]);
	run.seen[RESET]++;
}

static void
step(void)
{
	move_clock();
	for (int t = 0; t < TENANTS; t++)
		for (size_t i = 0; i < run.tenants[t].room; i++)
			forget_if_unsure(&run.tenants[t],
			    &run.tenants[t].models[i]);
	if (one_in(40))
		edit(run.tenant);
	if (one_in(60))
		reset(&run.tenants[below(TENANTS)]);
	for (size_t i = 0; i < run.tenant->count; i++)
		any_cost(&run.tenant->models[i].limit);
	ask_and_check();
}

static void
run_schedule(void)
{
	memset(run.tenants, 0, sizeof(run.tenants));
	run.clock = START + below(WEEK);
	run.may_step_back = one_in(2);
	for (int t = 0; t < TENANTS; t++) {
		struct tenant *tenant = &run.tenants[t];

		snprintf(tenant->id, sizeof(tenant->id), "t%d",
		    (int)below(3) * TENANTS + t);
		tenant->room = tenant->count = 1 + below(LIMITS_MAX);
		for (size_t i = 0; i < tenant->room; i++)
			any_limit(&tenant->models[i].limit);
	}
	for (run.step = 0; run.step < STEPS; run.step++) {
		if (run.step == 0 || one_in(8))
			run.tenant = &run.tenants[below(TENANTS)];
		step();
	}
	for (int t = 0; t < TENANTS; t++)
		for (size_t i = 0; i < run.tenants[t].room; i++)
			check_log(&run.tenants[t].models[i]);
}

static void
run_schedules(uint64_t seed, int schedules)
{
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
}

int
main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 20261120;

	if (!tap_ok(stores_open(argc - 3, argv + 3, seed), "the stores open"))
		return tap_done();
	run_schedules(seed, argc > 2 ? atoi(argv[2]) : 2000);
	stores_close();
	return tap_done();
}
