/* SPDX-License-Identifier: ISC */
/* memory_records.c - which records are there, and which one goes for another?
 * Everything is bounded and nothing is done in bulk: the buckets are there
 * from the start, records come in chunks, are used again, and expired ones
 * are found a few at a time. Never drops a kept or pinned record for room. */
#include "policyd/memory_records.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/log.h"
#include "common/table.h"
#include "common/xmalloc.h"

#define CHUNK_BITS  10		/* records of a chunk, as a power of two */
#define SWEEP_STEPS 8		/* more than one question can add, usually */
#define OWNER_SHARE 4		/* a tenant's part: a quarter */
#define KEPT_SHARE 2		/* of those that never go, a half */

struct list {
	uint32_t oldest, newest, count;
};

/* A tenant with at least one record */
struct record_owner {
	struct list lists[2];	/* [is_kept] */
	char id[];
};

struct records {
	uint32_t max, count;
	uint64_t evicted;
	struct record **chunks;
	uint32_t made;		/* numbers 1 to made exist */
	uint32_t free;		/* of these, the first free one */
	uint32_t cursor;	/* where the sweep goes on */
	uint32_t *buckets;
	unsigned bucket_shift;
	uint64_t seed;		/* odd */
	struct list evictable;
	struct table *owners;
};

static struct record *
record_at(const struct records *records, uint32_t number)
{
	return &records->chunks[number >> CHUNK_BITS]
	    [number & ((1 << CHUNK_BITS) - 1)];
}

/* Multiply-shift: keys are digests, but of text that strangers choose; they
 * cannot aim at a bucket without the seed. */
static uint32_t *
bucket_of(const struct records *records, const struct counter_key *key)
{
	uint64_t digest;

	memcpy(&digest, key->bytes, sizeof(digest));
	return &records->buckets[digest * records->seed >>
	    records->bucket_shift];
}

static void
list_append(struct records *records, struct list *list, enum record_list kind,
    struct record *record)
{
	record->links[kind].older = list->newest;
	record->links[kind].newer = 0;
	if (list->newest != 0)
		record_at(records, list->newest)->links[kind].newer =
		    record->self;
	else
		list->oldest = record->self;
	list->newest = record->self;
	list->count++;
}

static void
list_remove(struct records *records, struct list *list, enum record_list kind,
    struct record *record)
{
	uint32_t older = record->links[kind].older;
	uint32_t newer = record->links[kind].newer;

	if (older != 0)
		record_at(records, older)->links[kind].newer = newer;
	else
		list->oldest = newer;
	if (newer != 0)
		record_at(records, newer)->links[kind].older = older;
	else
		list->newest = older;
	list->count--;
}

static void
lists_enter(struct records *records, struct record *record)
{
	list_append(records, &record->owner->lists[record->is_kept],
	    LIST_OWNER, record);
	if (!record->is_kept)
		list_append(records, &records->evictable, LIST_USE, record);
}

static void
lists_leave(struct records *records, struct record *record)
{
	list_remove(records, &record->owner->lists[record->is_kept],
	    LIST_OWNER, record);
	if (!record->is_kept)
		list_remove(records, &records->evictable, LIST_USE, record);
}

static struct record_owner *
owner_get(struct records *records, const char *tenant)
{
	struct record_owner *owner = table_gets(records->owners, tenant);

	if (owner != NULL)
		return owner;
	owner = xcalloc(1, sizeof(*owner) + strlen(tenant) + 1);
	strcpy(owner->id, tenant);
	table_puts(records->owners, owner->id, owner);
	return owner;
}

static void
owner_leave(struct records *records, struct record_owner *owner)
{
	if (owner->lists[false].count + owner->lists[true].count != 0)
		return;
	table_remove(records->owners, owner->id, strlen(owner->id));
	free(owner);
}

struct records *
records_new(uint32_t max)
{
	struct records *records = xcalloc(1, sizeof(*records));
	unsigned bits = 1;

	while (bits < 32 && (uint32_t)1 << bits < max)
		bits++;
	if (getrandom(&records->seed, sizeof(records->seed), 0) !=
	    sizeof(records->seed))
		fatal("no random numbers for the table of counters");
	records->seed |= 1;
	records->max = max;
	records->bucket_shift = 64 - bits;
	/* large and zero: pages are taken when they are first written */
	records->buckets = xcalloc((size_t)1 << bits, sizeof(uint32_t));
	records->chunks = xcalloc((max >> CHUNK_BITS) + 1,
	    sizeof(*records->chunks));
	records->owners = table_new();
	return records;
}

void
records_free(struct records *records)
{
	struct record_owner *owner;
	size_t at = 0;

	if (records == NULL)
		return;
	while ((owner = table_next(records->owners, &at)) != NULL)
		free(owner);
	table_free(records->owners);
	for (uint32_t i = 0; i <= records->max >> CHUNK_BITS; i++)
		free(records->chunks[i]);
	free(records->chunks);
	free(records->buckets);
	free(records);
}

struct record *
records_find(struct records *records, const struct counter_key *key)
{
	uint32_t number = *bucket_of(records, key);

	while (number != 0) {
		struct record *record = record_at(records, number);

		if (memcmp(&record->key, key, sizeof(*key)) == 0)
			return record;
		number = record->next;
	}
	return NULL;
}

void
records_touch(struct records *records, struct record *record)
{
	if (record->is_kept || records->evictable.newest == record->self)
		return;
	lists_leave(records, record);
	lists_enter(records, record);
}

void
records_drop(struct records *records, struct record *record)
{
	uint32_t *link = bucket_of(records, &record->key);

	while (*link != record->self)
		link = &record_at(records, *link)->next;
	*link = record->next;
	lists_leave(records, record);
	owner_leave(records, record->owner);
	record->owner = NULL;
	record->next = records->free;
	records->free = record->self;
	records->count--;
}

/* What is pinned was touched just now: if the oldest is, all are */
static bool
evict_oldest(struct records *records, const struct list *list,
    const char *whose)
{
	static struct log_limit limit;
	struct record *victim;

	if (list->oldest == 0)
		return false;
	victim = record_at(records, list->oldest);
	if (victim->is_pinned)
		return false;
	if (log_allows(&limit))
		log_warn(NULL, "counters: %s full, forgetting the least "
		    "recently used: tenant=%s records=%u max=%u", whose,
		    log_foreign(victim->owner->id), list->count, records->max);
	records->evicted++;
	records_drop(records, victim);
	return true;
}

/* Strangers choose whose mailboxes are counted: with all that is kept one
 * tenant would end the counting of all others */
static bool
has_kept_its_share(const struct records *records,
    const struct record_owner *owner)
{
	static struct log_limit limit;

	if (owner->lists[true].count < records->max / KEPT_SHARE)
		return false;
	if (log_allows(&limit))
		log_warn(NULL, "counters: a tenant's share is full, what is "
		    "new of it is not counted: tenant=%s records=%u max=%u",
		    log_foreign(owner->id), owner->lists[true].count,
		    records->max);
	return true;
}

static bool
make_room(struct records *records, const char *tenant, bool is_kept)
{
	struct record_owner *owner = table_gets(records->owners, tenant);
	uint32_t share = records->max / OWNER_SHARE;

	if (is_kept && owner != NULL && has_kept_its_share(records, owner))
		return false;
	if (!is_kept && owner != NULL && owner->lists[false].count >= share)
		return evict_oldest(records, &owner->lists[false],
		    "a tenant's share is");
	return records->count < records->max ||
	    evict_oldest(records, &records->evictable, "the store is");
}

static struct record *
take_free(struct records *records)
{
	struct record *record;
	struct record **chunk;

	if (records->free != 0) {
		record = record_at(records, records->free);
		records->free = record->next;
		return record;
	}
	chunk = &records->chunks[++records->made >> CHUNK_BITS];
	if (*chunk == NULL)
		*chunk = xcalloc((size_t)1 << CHUNK_BITS, sizeof(**chunk));
	record = record_at(records, records->made);
	record->self = records->made;
	return record;
}

struct record *
records_add(struct records *records, const char *tenant,
    const struct counter_key *key, uint32_t limit_tag, bool is_kept)
{
	uint32_t *bucket = bucket_of(records, key);
	struct record *record;

	if (!make_room(records, tenant, is_kept))
		return NULL;
	record = take_free(records);
	*record = (struct record){
		.key = *key,
		.owner = owner_get(records, tenant),
		.self = record->self,
		.next = *bucket,
		.limit_tag = limit_tag,
		.is_kept = is_kept,
	};
	*bucket = record->self;
	lists_enter(records, record);
	records->count++;
	return record;
}

void
records_sweep(struct records *records, int64_t now_ms)
{
	for (int i = 0; i < SWEEP_STEPS && records->made != 0; i++) {
		struct record *record;

		records->cursor = records->cursor % records->made + 1;
		record = record_at(records, records->cursor);
		if (record->owner != NULL && record->expires_ms <= now_ms)
			records_drop(records, record);
	}
}

static uint64_t
reset_list(struct records *records, uint32_t number, uint32_t limit_tag)
{
	uint64_t dropped = 0;

	while (number != 0) {
		struct record *record = record_at(records, number);

		number = record->links[LIST_OWNER].newer;
		if (record->limit_tag == 0 ||
		    (limit_tag != 0 && record->limit_tag != limit_tag))
			continue;
		records_drop(records, record);
		dropped++;
	}
	return dropped;
}

uint64_t
records_reset(struct records *records, const char *tenant, uint32_t limit_tag)
{
	uint64_t dropped = 0;

	/* the owner goes with its last record, so it is looked up twice */
	for (int is_kept = 0; is_kept < 2; is_kept++) {
		struct record_owner *owner =
		    table_gets(records->owners, tenant);

		if (owner != NULL)
			dropped += reset_list(records,
			    owner->lists[is_kept].oldest, limit_tag);
	}
	return dropped;
}

uint64_t
records_count(const struct records *records)
{
	return records->count;
}

uint64_t
records_evicted(const struct records *records)
{
	return records->evicted;
}
