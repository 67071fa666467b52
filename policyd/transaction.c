/* SPDX-License-Identifier: ISC */
/* transaction.c - the table of SMTP transactions under way. Decides nothing
 * about mail: request.c and the rules ask it and tell it. */
#include "policyd/transaction.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/table.h"
#include "common/xmalloc.h"
#include "policyd/counter_key.h"

#define TRANSACTIONS_MAX 32768
#define ANSWERS_MAX 4096		/* remembered of one transaction */
#define ANSWERS_TOTAL_MAX 500000
#define PASSED_MAX 4096			/* counters of one transaction */
#define IDLE_MS (20 * 60 * 1000LL)
#define OVER_MS (5 * 60 * 1000LL)	/* above Postfix's time-outs */
#define FIRST_ANSWERS 1			/* in the arena; more on the heap */
#define FIRST_PASSED 3
#define CHUNK_BYTES 1024		/* most transactions whole */

/* A request that passed, and its reply */
struct answer {
	struct counter_key question;
	struct verdict verdict;
};

struct transaction_private {
	TAILQ_ENTRY(transaction_private) link;
	struct transaction one;
	struct counter_key key;
	int64_t used_ms;
	struct answer *answers;
	size_t answer_count, answer_room, passed_room;
	bool is_over;
};

TAILQ_HEAD(queue, transaction_private);

struct transactions {
	struct table *by_key;
	struct queue by_use, over;	/* oldest first */
	size_t answers;
};

struct transactions *
transactions_new(void)
{
	struct transactions *all = xcalloc(1, sizeof(*all));

	all->by_key = table_new();
	TAILQ_INIT(&all->by_use);
	TAILQ_INIT(&all->over);
	return all;
}

size_t
transactions_count(const struct transactions *all)
{
	return table_count(all->by_key);
}

/* Room for one more behind count items, the first few in the arena */
static void *
grow(void *items, size_t count, size_t *room, size_t bytes, size_t first)
{
	void *grown;

	if (count < *room)
		return items;
	*room = 2 * (count > first ? count : first);
	if (count > first)
		return xrealloc(items, *room, bytes);
	grown = xmalloc(*room * bytes);
	if (count > 0)
		memcpy(grown, items, count * bytes);
	return grown;
}

static void
forget_passed(struct transaction_private *own)
{
	if (own->passed_room > FIRST_PASSED)
		free(own->one.passed);
}

static void
forget(struct transactions *all, struct transaction_private *own)
{
	TAILQ_REMOVE(own->is_over ? &all->over : &all->by_use, own, link);
	table_remove(all->by_key, &own->key, sizeof(own->key));
	all->answers -= own->answer_count;
	forget_passed(own);
	if (own->answer_room > FIRST_ANSWERS)
		free(own->answers);
	arena_free(own->one.arena);	/* own itself lies there */
}

void
transactions_free(struct transactions *all)
{
	if (all == NULL)
		return;
	while (!TAILQ_EMPTY(&all->over))
		forget(all, TAILQ_FIRST(&all->over));
	while (!TAILQ_EMPTY(&all->by_use))
		forget(all, TAILQ_FIRST(&all->by_use));
	table_free(all->by_key);
	free(all);
}

static void
forget_old(struct transactions *all, struct queue *queue, int64_t before_ms)
{
	struct transaction_private *oldest;

	while ((oldest = TAILQ_FIRST(queue)) != NULL &&
	    oldest->used_ms < before_ms)
		forget(all, oldest);
}

static void
make_room(struct transactions *all)
{
	while (transactions_count(all) >= TRANSACTIONS_MAX ||
	    all->answers >= ANSWERS_TOTAL_MAX)
		forget(all, TAILQ_FIRST(TAILQ_EMPTY(&all->over)
		    ? &all->by_use : &all->over));
}

static struct transaction_private *
begin(struct transactions *all, const struct counter_key *key)
{
	struct arena *arena = arena_new(CHUNK_BYTES);
	struct transaction_private *own = arena_alloc(arena, sizeof(*own));

	make_room(all);
	own->one.own = own;
	own->one.arena = arena;
	own->answer_room = FIRST_ANSWERS;
	own->answers = arena_alloc(arena, FIRST_ANSWERS *
	    sizeof(*own->answers));
	own->passed_room = FIRST_PASSED;
	own->one.passed = arena_alloc(arena, FIRST_PASSED *
	    sizeof(*own->one.passed));
	own->key = *key;
	table_put(all->by_key, &own->key, sizeof(own->key), own);
	return own;
}

struct transaction *
transaction_of(struct transactions *all, const struct attrs *attrs,
    int64_t now_ms)
{
	const char *parts[] = { attrs->server_address, attrs->instance };
	struct transaction_private *own;
	struct counter_key key;

	if (*attrs->instance == '\0')
		return NULL;
	forget_old(all, &all->over, now_ms - OVER_MS);
	forget_old(all, &all->by_use, now_ms - IDLE_MS);
	key = counter_key_own(parts, 2);
	if ((own = table_get(all->by_key, &key, sizeof(key))) == NULL)
		own = begin(all, &key);
	else if (own->is_over)
		return &own->one;
	else
		TAILQ_REMOVE(&all->by_use, own, link);
	own->used_ms = now_ms;
	TAILQ_INSERT_TAIL(&all->by_use, own, link);
	return &own->one;
}

void
transaction_over(struct transactions *all, struct transaction *one)
{
	struct transaction_private *own = one->own;

	if (own->answer_count == 0) {
		forget(all, own);
		return;
	}
	if (own->is_over)
		return;
	own->is_over = true;
	TAILQ_REMOVE(&all->by_use, own, link);
	TAILQ_INSERT_TAIL(&all->over, own, link);
	forget_passed(own);
	one->passed = NULL;
	one->passed_count = own->passed_room = 0;
}

struct counter_key
transaction_question(const struct attrs *attrs)
{
	const char *parts[] = { attrs->protocol_state, attrs->policy_context,
		attrs->recipient };

	return counter_key_own(parts, 3);
}

const struct verdict *
transaction_answered(const struct transaction *one,
    const struct counter_key *question)
{
	const struct transaction_private *own = one->own;
	size_t i;

	for (i = 0; i < own->answer_count; i++)
		if (memcmp(&own->answers[i].question, question,
		    sizeof(*question)) == 0)
			return &own->answers[i].verdict;
	return NULL;
}

/* The verdict with texts that live as long as the transaction */
static struct verdict
kept(struct transaction *one, const struct verdict *verdict)
{
	struct verdict copy = *verdict;

	if (verdict->rule == NULL)
		return (struct verdict){ .action = verdict->action };
	copy.rule = arena_strdup(one->arena, verdict->rule);
	copy.dn = arena_strdup(one->arena, verdict->dn);
	copy.text = arena_strdup(one->arena, verdict->text);
	copy.limit = NULL;	/* it was the snapshot's, and told already */
	return copy;
}

void
transaction_remember(struct transactions *all, struct transaction *one,
    const struct counter_key *question, const struct verdict *verdict)
{
	struct transaction_private *own = one->own;

	if (own->answer_count == ANSWERS_MAX ||
	    all->answers == ANSWERS_TOTAL_MAX)
		return;
	own->answers = grow(own->answers, own->answer_count,
	    &own->answer_room, sizeof(*own->answers), FIRST_ANSWERS);
	own->answers[own->answer_count++] = (struct answer){
		*question, kept(one, verdict) };
	all->answers++;
}

struct passed *
transaction_passed(const struct transaction *one,
    const struct counter_key *key)
{
	size_t i;

	for (i = 0; i < one->passed_count; i++)
		if (memcmp(&one->passed[i].key, key, sizeof(*key)) == 0)
			return &one->passed[i];
	return NULL;
}

struct passed *
transaction_pass(struct transaction *one, const struct counter_key *key,
    const char *tenant, const struct limit *limit)
{
	struct transaction_private *own = one->own;
	struct passed *passed = transaction_passed(one, key);

	if (passed != NULL || one->passed_count == PASSED_MAX)
		return passed;
	one->passed = grow(one->passed, one->passed_count,
	    &own->passed_room, sizeof(*one->passed), FIRST_PASSED);
	passed = &one->passed[one->passed_count++];
	*passed = (struct passed){ .key = *key, .limit = *limit,
		.tenant = arena_strdup(one->arena, tenant) };
	passed->limit.name = arena_strdup(one->arena, limit->name);
	return passed;
}

void
transaction_hold_back(struct transaction *one, const struct verdict *verdict)
{
	if (verdict->action > one->pending.action)
		one->pending = kept(one, verdict);
}

void
transaction_prepend_once(struct transaction *one, struct verdict *verdict)
{
	if (verdict->action != ACTION_PREPEND)
		return;
	if (one->is_prepended)
		verdict->action = ACTION_PERMIT;
	one->is_prepended = true;
}

void
transaction_inbound(struct transaction *one, const char *tenant)
{
	if (one->tenant == NULL)
		one->tenant = arena_strdup(one->arena, tenant);
	else if (strcmp(one->tenant, tenant) != 0)
		one->has_several_tenants = true;
}
