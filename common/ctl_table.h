/* SPDX-License-Identifier: ISC */
/* ctl_table.h - rows of text as columns that line up. What does not fit into
 * the width is wrapped inside its column, never cut. */
#ifndef COMMON_CTL_TABLE_H
#define COMMON_CTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A row's cells; those left out at the end, and NULL, are empty */
#define CELLS(...) ((const char *const[]){ __VA_ARGS__, NULL })

struct ctl_table;

/* A head per column, and a NULL. Heads that are all "" are not printed; one
 * that begins with '>' is of numbers: to the right, never wrapped. */
struct ctl_table *ctl_table_new(const char *const *heads);
void ctl_table_free(struct ctl_table *table);

/* Copies the cells, and makes them fit to be printed */
void ctl_table_add(struct ctl_table *table, const char *const *cells);

bool ctl_table_is_empty(const struct ctl_table *table);

/* width: columns that there are; is_bold: the heads */
void ctl_table_print(const struct ctl_table *table, FILE *to, size_t width,
    bool is_bold);

#endif
