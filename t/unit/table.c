/* SPDX-License-Identifier: ISC */
/* table.c - does the table remember what a plain array remembers? */
#include "common/table.h"

#include <stdio.h>
#include <stdlib.h>

#include "t/unit/tap.h"

#define KEYS 3000
#define STEPS 200000

static char names[KEYS][16];
static int marks[KEYS];

static void
test_bytes(void)
{
	struct table *table = table_new();
	char first[] = "key", second[] = "key";
	int a, b;

	tap_ok(table_gets(table, "key") == NULL, "a new table is empty");
	tap_ok(table_remove(table, "key", 3) == NULL,
	    "nothing can be removed from an empty table");
	tap_ok(table_puts(table, first, &a) == NULL, "a new key had no value");
	tap_ok(table_puts(table, second, &b) == &a,
	    "replacing returns the value that stood there");
	first[0] = 'x';
	tap_ok(table_gets(table, "key") == &b,
	    "after a replacement the old key's bytes may go");
	tap_int((int64_t)table_count(table), 1, "a key counts once");
	tap_ok(table_get(table, "ke", 2) == NULL, "a shorter key is another");
	tap_ok(table_get(table, "key", 4) == NULL, "a longer key is another");
	tap_ok(table_put(table, "", 0, &a) == NULL &&
	    table_get(table, NULL, 0) == &a, "the empty key is a key");
	tap_ok(table_put(table, "a\0b", 3, &a) == NULL &&
	    table_get(table, "a\0c", 3) == NULL &&
	    table_get(table, "a\0b", 3) == &a, "keys may hold NULs");
	table_free(table);
	table_free(NULL);
}

/* Puts, gets and removes at random against one flag for each key */
static void
test_random(void)
{
	struct table *table = table_new();
	static bool is_in[KEYS];
	size_t count = 0, wrong = 0, step, i, at;
	void *was;
	int *mark;

	srandom(1);
	for (step = 0; step < STEPS; step++) {
		i = (size_t)random() % KEYS;
		if (random() % 2 == 0) {
			was = table_puts(table, names[i], &marks[i]);
			count += !is_in[i];
		} else {
			was = table_remove(table, names[i], strlen(names[i]));
			count -= is_in[i];
		}
		wrong += was != (is_in[i] ? &marks[i] : NULL);
		is_in[i] = table_gets(table, names[i]) != NULL;
		wrong += table_count(table) != count;
	}
	tap_int((int64_t)wrong, 0,
	    "200,000 random puts and removes answer as an array does");
	for (wrong = i = 0; i < KEYS; i++)
		wrong += table_gets(table, names[i]) !=
		    (is_in[i] ? &marks[i] : NULL);
	tap_int((int64_t)wrong, 0, "every key that stayed is found, no other");
	for (at = 0; (mark = table_next(table, &at)) != NULL; count--)
		is_in[mark - marks] ^= true;
	for (wrong = i = 0; i < KEYS; i++)
		wrong += is_in[i];
	tap_ok(count == 0 && wrong == 0, "a walk sees each value once");
	table_free(table);
}

static void
test_drain(void)
{
	struct table *table = table_new();
	size_t i, wrong = 0, at = 0;

	for (i = 0; i < KEYS; i++)
		table_puts(table, names[i], &marks[i]);
	for (i = 0; i < KEYS; i++)
		wrong += table_remove(table, names[i], strlen(names[i])) !=
		    &marks[i];
	tap_int((int64_t)wrong, 0, "a full table can be emptied key by key");
	tap_ok(table_count(table) == 0 && table_next(table, &at) == NULL,
	    "an emptied table has nothing to walk");
	table_free(table);
}

static void
test_seed(void)
{
	struct table *one = table_new(), *two = table_new();
	size_t i, at_one = 0, at_two = 0, same = 0;

	for (i = 0; i < KEYS; i++) {
		table_puts(one, names[i], &marks[i]);
		table_puts(two, names[i], &marks[i]);
	}
	for (i = 0; i < KEYS; i++)
		same += table_next(one, &at_one) == table_next(two, &at_two);
	tap_ok(same < KEYS / 10,
	    "two tables scatter the same keys differently");
	table_free(one);
	table_free(two);
}

int
main(void)
{
	size_t i;

	for (i = 0; i < KEYS; i++)
		snprintf(names[i], sizeof(names[i]), "key%zu", i * 7919);
	test_bytes();
	test_random();
	test_drain();
	test_seed();
	return tap_done();
}
