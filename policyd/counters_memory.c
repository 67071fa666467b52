/* SPDX-License-Identifier: ISC */
/* counters_memory.c - counters of this process alone: which limits does a
 * question exceed, and what does it charge? First all are decided, then all or
 * none is written. Never waits, never writes for a peek. Next: memory_grey.c
 * for greylisting, window.c for the sums, memory_records.c for the records. */
#include "policyd/counters.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/xmalloc.h"
#include "policyd/memory_grey.h"
#include "policyd/memory_records.h"
#include "policyd/window.h"

struct memory_store {
	struct counter_store store;
	struct records *records;
	/* while a question is answered: the record of each limit, or NULL */
	struct record **held;
	size_t held_max;
};

static int
memory_check_uri(const char *uri, const char **why)
{
	if (strcmp(uri, counters_memory.scheme) == 0)
		return 0;
	*why = "memory: stands alone";
	return -1;
}

static struct counter_store *
memory_open(const struct counter_settings *settings, const char **why)
{
	struct memory_store *m;

	if (settings->max_records < RECORDS_MIN ||
	    settings->max_records > RECORDS_MAX) {
		*why = "the number of records is out of bounds";
		return NULL;
	}
	m = xcalloc(1, sizeof(*m));
	m->store.ops = &counters_memory;
	m->store.name = counters_memory.scheme;
	m->records = records_new(settings->max_records);
	return &m->store;
}

static void
memory_close(struct counter_store *store)
{
	struct memory_store *m = (struct memory_store *)store;

	if (m == NULL)
		return;
	records_free(m->records);
	free(m->held);
	free(m);
}

static void
drop_ahead(const struct counter_question *q, struct record *record)
{
	static struct log_limit limit;

	if (log_allows(&limit))
		log_warn(NULL, "counters: a limit's record lay ahead of the "
		    "clock and was dropped: tenant=%s",
		    log_foreign(q->tenant));
	memset(&record->window, 0, sizeof(record->window));
	record->expires_ms = 0;
}

/* Fill in the answer. The windows of the records stay as they are: the clock
 * may be wrong now, and what is refused must leave no trace. */
static void
limit_decide(const struct counter_question *q, struct counter_limit *limit,
    struct record *record, int64_t now)
{
	struct window window = { 0 };

	if (record != NULL)
		window = record->window;
	if (window_advance(&window, now, limit->window_ms) && !q->is_peek)
		drop_ahead(q, record);
	limit->used = window_used(&window);
	limit->is_exceeded = limit->cost > limit->count ||
	    limit->used > limit->count - limit->cost;
	limit->wait_ms = !limit->is_exceeded ? 0 : window_wait_ms(&window, now,
	    limit->window_ms, limit->count, limit->cost);
}

static void
hold(struct memory_store *m, size_t i, struct record *record)
{
	m->held[i] = record;
	if (record == NULL)
		return;
	record->is_pinned = true;
	records_touch(m->records, record);
}

/* True where one that refuses is exceeded */
static bool
decide_limits(struct memory_store *m, struct counter_question *q, int64_t now)
{
	bool is_refused = false;

	for (size_t i = 0; i < q->limit_count; i++) {
		struct counter_limit *limit = &q->limits[i];
		struct record *record = records_find(m->records, &limit->key);

		limit_decide(q, limit, record, now);
		is_refused |= limit->is_exceeded && limit->refuses;
		if (!q->is_peek)
			hold(m, i, record);
	}
	return is_refused;
}

/* A record for each limit that is charged. One that is added and then not
 * written is empty and expired: the sweep finds it. */
static bool
hold_missing(struct memory_store *m, const struct counter_question *q)
{
	for (size_t i = 0; i < q->limit_count; i++) {
		const struct counter_limit *limit = &q->limits[i];

		if (m->held[i] != NULL || limit->cost == 0)
			continue;
		/* found only if the same key came twice */
		hold(m, i, records_find(m->records, &limit->key));
		if (m->held[i] == NULL)
			hold(m, i, records_add(m->records, q->tenant,
			    &limit->key, limit->limit_tag, limit->is_kept));
		if (m->held[i] == NULL)
			return false;
	}
	return true;
}

static void
limit_charge(const struct counter_limit *limit, struct record *record,
    int64_t now)
{
	if (limit->cost == 0)
		return;
	window_advance(&record->window, now, limit->window_ms);
	window_charge(&record->window, limit->cost);
	record->expires_ms = window_end_ms(&record->window, limit->window_ms);
}

static void
limits_ask(struct memory_store *m, struct counter_question *q, int64_t now)
{
	bool is_refused;

	if (m->held_max < q->limit_count) {
		m->held_max = q->limit_count;
		m->held = xrealloc(m->held, m->held_max, sizeof(*m->held));
	}
	is_refused = decide_limits(m, q, now);
	if (q->is_peek)
		return;
	if (!is_refused) {
		q->is_charged = hold_missing(m, q);
		q->is_unknown = !q->is_charged;
	}
	for (size_t i = 0; i < q->limit_count; i++) {
		if (m->held[i] == NULL)
			continue;
		if (q->is_charged)
			limit_charge(&q->limits[i], m->held[i], now);
		m->held[i]->is_pinned = false;
	}
}

static void
memory_ask(struct counter_store *store, struct counter_question *q)
{
	struct memory_store *m = (struct memory_store *)store;
	int64_t now = loop_now();

	q->is_unknown = q->is_charged = false;
	if (!q->is_peek)
		records_sweep(m->records, now);
	if (q->grey != NULL)
		memory_grey_ask(m->records, q, now);
	if (q->grey == NULL || q->grey->answer == GREY_PASS)
		limits_ask(m, q, now);
	q->done(q);
}

static bool
forget(struct memory_store *m, const struct counter_key *key)
{
	struct record *record = records_find(m->records, key);

	if (record == NULL || record->limit_tag == 0)
		return false;
	records_drop(m->records, record);
	return true;
}

static void
memory_reset(struct counter_store *store, struct counter_reset *reset)
{
	struct memory_store *m = (struct memory_store *)store;

	reset->is_unknown = false;
	reset->forgotten = reset->keys != NULL ? 0 :
	    (int64_t)records_reset(m->records, reset->tenant,
	    reset->limit_tag);
	for (size_t i = 0; i < reset->key_count; i++)
		reset->forgotten += forget(m, &reset->keys[i]);
	reset->done(reset);
}

static uint64_t
memory_records(const struct counter_store *store)
{
	return records_count(((const struct memory_store *)store)->records);
}

static uint64_t
memory_evicted(const struct counter_store *store)
{
	return records_evicted(((const struct memory_store *)store)->records);
}

static const char *
memory_advice(const struct counter_store *store)
{
	(void)store;
	return NULL;
}

const struct counter_store_ops counters_memory = {
	.scheme = "memory:",
	.check_uri = memory_check_uri,
	.open = memory_open,
	.close = memory_close,
	.ask = memory_ask,
	.reset = memory_reset,
	.records = memory_records,
	.evicted = memory_evicted,
	.advice = memory_advice,
};
