/* SPDX-License-Identifier: ISC */
/* table.h - hash table from byte strings to pointers, open addressing, with
 * a seed of its own so that foreign keys cannot be chosen to collide.
 * The table never owns a key or a value: the key's bytes must live as long as
 * the entry (usually they are a member of the value). */
#ifndef COMMON_TABLE_H
#define COMMON_TABLE_H

#include <stddef.h>

struct table;

struct table *table_new(void);
void table_free(struct table *table);	/* NULL is fine */
size_t table_count(const struct table *table);

void *table_get(const struct table *table, const void *key, size_t len);

/* Returns the value that stood there before, or NULL. On replacement the
 * new key pointer is kept, the old one forgotten. value must not be NULL. */
void *table_put(struct table *table, const void *key, size_t len, void *value);
void *table_remove(struct table *table, const void *key, size_t len);

/* Walks in no order: size_t at = 0; while ((v = table_next(t, &at))) ...
 * Nothing may be put or removed meanwhile. */
void *table_next(const struct table *table, size_t *at);

/* The same for keys that are C strings */
void *table_gets(const struct table *table, const char *key);
void *table_puts(struct table *table, const char *key, void *value);

#endif
