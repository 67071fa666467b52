/* SPDX-License-Identifier: ISC */
/* table.c - where does a key stand? Linear probing over slots that keep the
 * hash, so that a probe seldom touches a foreign key. Removal shifts back what
 * follows: there are no tombstones, and no slot decays by being used. */
#include "common/table.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/siphash.h"
#include "common/xmalloc.h"

#define SLOTS_MIN 8

struct slot {
	const void *key;
	void *value;		/* NULL: the slot is free */
	uint32_t len;
	uint32_t hash;		/* the lower half is enough to place it */
};

struct table {
	struct slot *slots;	/* NULL until the first key */
	size_t mask;		/* slots - 1; their number is a power of two */
	size_t count;
	struct siphash_secret secret;	/* strangers choose keys */
};

static uint32_t
hash_of(const struct table *table, const void *key, size_t len)
{
	return (uint32_t)siphash(&table->secret, key, len);
}

struct table *
table_new(void)
{
	struct table *table = xcalloc(1, sizeof(*table));

	table->secret = siphash_secret_new();
	return table;
}

void
table_free(struct table *table)
{
	if (table == NULL)
		return;
	free(table->slots);
	free(table);
}

size_t
table_count(const struct table *table)
{
	return table->count;
}

static bool
slot_has(const struct slot *slot, uint32_t hash, const void *key, size_t len)
{
	return slot->hash == hash && slot->len == len &&
	    (len == 0 || memcmp(slot->key, key, len) == 0);
}

/* The key's slot, or the free one where it would stand */
static struct slot *
slot_find(const struct table *table, uint32_t hash, const void *key,
    size_t len)
{
	size_t at = hash & table->mask;

	while (table->slots[at].value != NULL &&
	    !slot_has(&table->slots[at], hash, key, len))
		at = (at + 1) & table->mask;
	return &table->slots[at];
}

/* NULL where the table has no such key */
static struct slot *
slot_get(const struct table *table, const void *key, size_t len)
{
	struct slot *slot;

	if (table->count == 0)
		return NULL;
	slot = slot_find(table, hash_of(table, key, len), key, len);
	return slot->value != NULL ? slot : NULL;
}

static void
grow(struct table *table)
{
	size_t was = table->slots != NULL ? table->mask + 1 : 0;
	size_t size = was != 0 ? 2 * was : SLOTS_MIN;
	struct slot *old = table->slots;
	size_t from, at;

	table->slots = xcalloc(size, sizeof(*old));
	table->mask = size - 1;
	for (from = 0; from < was; from++) {
		if (old[from].value == NULL)
			continue;
		at = old[from].hash & table->mask;
		while (table->slots[at].value != NULL)
			at = (at + 1) & table->mask;
		table->slots[at] = old[from];
	}
	free(old);
}

void *
table_get(const struct table *table, const void *key, size_t len)
{
	const struct slot *slot = slot_get(table, key, len);

	return slot != NULL ? slot->value : NULL;
}

void *
table_put(struct table *table, const void *key, size_t len, void *value)
{
	uint32_t hash = hash_of(table, key, len);
	struct slot *slot;
	void *before;

	if (value == NULL || len > UINT32_MAX)
		panic("table_put: no value, or a key of %zu bytes", len);
	/* At most three quarters full: probes stay short, and always end */
	if (table->slots == NULL || table->count >= (table->mask + 1) / 4 * 3)
		grow(table);
	slot = slot_find(table, hash, key, len);
	before = slot->value;
	table->count += before == NULL;
	*slot = (struct slot){ key, value, (uint32_t)len, hash };
	return before;
}

/* Each entry after the hole, up to the next free slot, moves into it unless
 * it would come to stand before its home: then no probe could find it. */
static void
close_hole(struct table *table, size_t hole)
{
	struct slot *slots = table->slots;
	size_t mask = table->mask, at = hole;

	while (slots[at = (at + 1) & mask].value != NULL) {
		if (((at - slots[at].hash) & mask) < ((at - hole) & mask))
			continue;
		slots[hole] = slots[at];
		hole = at;
	}
	slots[hole].value = NULL;
}

void *
table_remove(struct table *table, const void *key, size_t len)
{
	struct slot *slot = slot_get(table, key, len);
	void *value;

	if (slot == NULL)
		return NULL;
	value = slot->value;
	close_hole(table, (size_t)(slot - table->slots));
	table->count--;
	return value;
}

void *
table_next(const struct table *table, size_t *at)
{
	void *value = NULL;

	if (table->slots != NULL)
		while (value == NULL && *at <= table->mask)
			value = table->slots[(*at)++].value;
	return value;
}

void *
table_gets(const struct table *table, const char *key)
{
	return table_get(table, key, strlen(key));
}

void *
table_puts(struct table *table, const char *key, void *value)
{
	return table_put(table, key, strlen(key), value);
}
