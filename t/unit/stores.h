/* SPDX-License-Identifier: ISC */
/* stores.h - the counter stores that a property test is run over: all are asked
 * the same and have to say the same. And its random numbers. */
#ifndef UNIT_STORES_H
#define UNIT_STORES_H

#include <event2/event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/loop.h"
#include "policyd/counters.h"

#define STORES_MAX 2	/* one copy of what is asked */
#define STORES_LIMITS_MAX 4	/* of one question */

static struct {
	struct counter_store *list[STORES_MAX];
	int count;
	uint64_t random;
	int answers;
} stores;

/* splitmix64 */
static inline uint64_t
any(void)
{
	uint64_t z = stores.random += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* 0 to n - 1 */
static inline int64_t
below(int64_t n)
{
	return any() % n;
}

static inline bool
one_in(int64_t n)
{
	return below(n) == 0;
}

static inline struct counter_key
any_key(void)
{
	struct counter_key key;

	for (size_t i = 0; i < COUNTER_KEY_BYTES; i++)
		key.bytes[i] = (uint8_t)any();
	return key;
}

/* uris: of the stores, memory: if there are none. False: one does not open. */
static inline bool
stores_open(int count, char **uris, uint64_t seed)
{
	static char *memory[] = { "memory:" };
	const char *why = NULL;

	stores.random = seed;
	if (count < 1)
		return stores_open(1, memory, seed);
	for (int i = 0; i < count && i < STORES_MAX; i++) {
		struct counter_store *store = counters_open(
		    &(struct counter_settings){ .uri = uris[i],
		    .max_records = 1000000, .timeout_ms = 5000 }, &why);

		if (store == NULL)
			return false;
		if (store->ops->start != NULL)
			store->ops->start(store);
		stores.list[stores.count++] = store;
	}
	stderr = fopen("/dev/null", "w");	/* thousands of warnings */
	return true;
}

static inline void
stores_close(void)
{
	for (int i = 0; i < stores.count; i++)
		stores.list[i]->ops->close(stores.list[i]);
}

static inline void
stores_answered(struct counter_question *question)
{
	(void)question;
	stores.answers++;
}

static inline void
stores_forgot(struct counter_reset *reset)
{
	(void)reset;
	stores.answers++;
}

static inline bool
is_same_limit(const struct counter_question *q, const struct counter_limit *a,
    const struct counter_limit *b)
{
	return a->is_exceeded == b->is_exceeded && a->wait_ms == b->wait_ms &&
	    (a->used == b->used || (!a->is_exceeded && !q->is_peek));
}

static inline bool
is_same_answer(const struct counter_question *a,
    const struct counter_question *b)
{
	if (a->is_charged != b->is_charged)
		return false;
	if (a->grey != NULL && (a->grey->answer != b->grey->answer ||
	    a->grey->wait_ms != b->grey->wait_ms))
		return false;
	if (a->grey != NULL && a->grey->answer != GREY_PASS)
		return true;
	for (size_t i = 0; i < a->limit_count; i++)
		if (!is_same_limit(a, &a->limits[i], &b->limits[i]))
			return false;
	return true;
}

/* The answer of one store. False: it has none, or more than one. */
static inline bool
store_ask(struct counter_store *store, struct counter_question *q)
{
	q->done = stores_answered;
	stores.answers = 0;
	store->ops->ask(store, q);
	while (stores.answers == 0)
		event_base_loop(loop_base(), EVLOOP_ONCE);
	return stores.answers == 1 && !q->is_unknown;
}

/* At clock. The answer is that of the first store; *are_alike: and of all.
 * False: one of them has not answered exactly once. */
static inline bool
stores_ask(struct counter_question *q, int64_t clock, bool *are_alike)
{
	const struct counter_question asked = *q;
	struct counter_limit limits[STORES_LIMITS_MAX];
	struct counter_grey grey = { .delay_ms = 0 };
	bool is_answered;

	memcpy(limits, q->limits, q->limit_count * sizeof(*limits));
	if (q->grey != NULL)
		grey = *q->grey;
	loop_now_set(clock);
	*are_alike = true;
	is_answered = store_ask(stores.list[0], q);
	for (int i = 1; i < stores.count; i++) {
		struct counter_question other = asked;

		other.limits = limits;
		other.grey = q->grey != NULL ? &grey : NULL;
		is_answered &= store_ask(stores.list[i], &other);
		*are_alike &= is_same_answer(q, &other);
	}
	return is_answered;
}

static inline void
stores_reset(const struct counter_reset *reset)
{
	for (int i = 0; i < stores.count; i++) {
		struct counter_reset one = *reset;

		one.done = stores_forgot;
		stores.answers = 0;
		stores.list[i]->ops->reset(stores.list[i], &one);
		while (stores.answers == 0)
			event_base_loop(loop_base(), EVLOOP_ONCE);
	}
}

#endif
