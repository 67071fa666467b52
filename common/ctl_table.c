/* SPDX-License-Identifier: ISC */
/* ctl_table.c - decides how wide each column is and where its text wraps.
 * Knows no answer of the daemon. Next: ctl_text.c measures. */
#include "common/ctl_table.h"

#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/xmalloc.h"
#include "common/ctl_text.h"

#define COLUMNS_MAX 8
#define NARROWEST 12	/* a column is not made narrower than this */
#define GAP 2

struct row {
	const char *cells[COLUMNS_MAX];
};

struct ctl_table {
	struct arena *arena;
	size_t columns;
	bool has_heads;
	bool is_number[COLUMNS_MAX];
	struct row *rows;	/* [0]: the heads */
	size_t count, room;
};

struct ctl_table *
ctl_table_new(const char *const *heads)
{
	struct ctl_table *table = xcalloc(1, sizeof(*table));
	const char *cells[COLUMNS_MAX + 1] = { NULL };
	size_t i;

	table->arena = arena_new(0);
	for (i = 0; i < COLUMNS_MAX && heads[i] != NULL; i++) {
		table->is_number[i] = *heads[i] == '>';
		table->has_heads = table->has_heads || *heads[i] != '\0';
		cells[i] = heads[i] + table->is_number[i];
	}
	table->columns = i;
	ctl_table_add(table, cells);
	return table;
}

void
ctl_table_free(struct ctl_table *table)
{
	arena_free(table->arena);
	free(table->rows);
	free(table);
}

void
ctl_table_add(struct ctl_table *table, const char *const *cells)
{
	struct row *row;
	bool is_more = true;
	size_t i;

	if (table->count == table->room) {
		table->room = table->room ? 2 * table->room : 16;
		table->rows = xrealloc(table->rows, table->room,
		    sizeof(*table->rows));
	}
	row = &table->rows[table->count++];
	for (i = 0; i < table->columns; i++) {
		is_more = is_more && cells[i] != NULL;
		row->cells[i] = ctl_text_clean(table->arena,
		    is_more ? cells[i] : NULL);
	}
}

bool
ctl_table_is_empty(const struct ctl_table *table)
{
	return table->count == 1;
}

/* As wide as the widest cell; then the widest gives way until all fits */
static void
measure(const struct ctl_table *table, size_t width, size_t *widths)
{
	size_t i, r, cell, widest, total = (table->columns - 1) * GAP;

	memset(widths, 0, COLUMNS_MAX * sizeof(*widths));
	for (i = 0; i < table->columns; i++) {
		for (r = 0; r < table->count; r++) {
			cell = ctl_text_width(table->rows[r].cells[i],
			    strlen(table->rows[r].cells[i]));
			if (cell > widths[i])
				widths[i] = cell;
		}
		total += widths[i];
	}
	for (; total > width; total--) {
		widest = COLUMNS_MAX;
		for (i = 0; i < table->columns; i++)
			if (!table->is_number[i] && widths[i] > NARROWEST &&
			    (widest == COLUMNS_MAX ||
			    widths[i] > widths[widest]))
				widest = i;
		if (widest == COLUMNS_MAX)
			return;
		widths[widest]--;
	}
}

static void
blanks(FILE *to, size_t count)
{
	fprintf(to, "%*s", (int)count, "");
}

/* One line of a row; each cell moves on behind what was printed of it. Blanks
 * are held back until something follows. */
static void
print_line(const struct ctl_table *table, FILE *to, const size_t *widths,
    struct row *row)
{
	size_t i, len, used, held = 0;
	const char *cell;

	for (i = 0; i < table->columns; i++) {
		cell = row->cells[i];
		len = ctl_text_fit(cell, widths[i]);
		used = ctl_text_width(cell, len);
		row->cells[i] = cell + len + strspn(cell + len, " ");
		if (table->is_number[i] && used < widths[i])
			held += widths[i] - used;
		if (len > 0) {
			blanks(to, held);
			fwrite(cell, 1, len, to);
			held = 0;
		}
		if (!table->is_number[i] && used < widths[i])
			held += widths[i] - used;
		held += GAP;
	}
}

static void
print_row(const struct ctl_table *table, FILE *to, const size_t *widths,
    struct row row, bool is_bold)
{
	bool is_more = true;
	size_t i;

	while (is_more) {
		fputs(is_bold ? "\033[1m" : "", to);
		print_line(table, to, widths, &row);
		fputs(is_bold ? "\033[0m\n" : "\n", to);
		is_more = false;
		for (i = 0; i < table->columns; i++)
			is_more = is_more || *row.cells[i] != '\0';
	}
}

void
ctl_table_print(const struct ctl_table *table, FILE *to, size_t width,
    bool is_bold)
{
	size_t r, widths[COLUMNS_MAX];

	measure(table, width, widths);
	for (r = table->has_heads ? 0 : 1; r < table->count; r++)
		print_row(table, to, widths, table->rows[r],
		    is_bold && r == 0);
}
