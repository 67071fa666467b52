/* SPDX-License-Identifier: ISC */
/* ctl_table.c - do columns line up, and does everything stay readable where
 * room is short? */
#include "common/ctl_table.h"

#include <stdlib.h>

#include "common/ctl_text.h"
#include "t/unit/tap.h"

static struct ctl_table *
three_columns(void)
{
	return ctl_table_new(CELLS("NAME", ">USED", "NOTE"));
}

/* Prints and frees the table */
static void
is_printed(struct ctl_table *table, size_t width, bool is_bold,
    const char *want, const char *name)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	ctl_table_print(table, to, width, is_bold);
	fclose(to);
	tap_is(text, want, name);
	free(text);
	ctl_table_free(table);
}

static void
test_columns(void)
{
	struct ctl_table *table = three_columns();

	tap_ok(ctl_table_is_empty(table), "heads alone are an empty table");
	ctl_table_add(table, CELLS("a", "7", "x"));
	ctl_table_add(table, CELLS("longer", "12345", "y"));
	tap_ok(!ctl_table_is_empty(table), "with rows it is not");
	is_printed(table, 80, false,
	    "NAME     USED  NOTE\n"
	    "a           7  x\n"
	    "longer  12345  y\n",
	    "columns line up, numbers to the right");

	table = three_columns();
	ctl_table_add(table, CELLS("M\xc3\xbcller", "1", "x"));
	ctl_table_add(table, CELLS("Mueller", "2", "y"));
	is_printed(table, 80, false,
	    "NAME     USED  NOTE\n"
	    "M\xc3\xbcller      1  x\n"
	    "Mueller     2  y\n",
	    "columns are counted, not bytes");

	table = three_columns();
	ctl_table_add(table, CELLS("a"));
	ctl_table_add(table, CELLS("b", NULL, "lost"));
	is_printed(table, 80, false,
	    "NAME  USED  NOTE\n"
	    "a\n"
	    "b\n",
	    "cells that are left out are empty, and no blank ends a line");

	table = ctl_table_new(CELLS("", ""));
	ctl_table_add(table, CELLS("tenant", "client1.example"));
	ctl_table_add(table, CELLS("trust", "login"));
	is_printed(table, 80, false,
	    "tenant  client1.example\n"
	    "trust   login\n",
	    "without heads there is no head line");

	table = three_columns();
	ctl_table_add(table, CELLS("a\nb\033[0m", "1", "x"));
	is_printed(table, 80, false,
	    "NAME           USED  NOTE\n"
	    "a\\x0Ab\\x1B[0m     1  x\n",
	    "a cell cannot break out of its line");

	table = three_columns();
	ctl_table_add(table, CELLS("a", "1", "x"));
	is_printed(table, 80, true,
	    "\033[1mNAME  USED  NOTE\033[0m\n"
	    "a        1  x\n",
	    "the heads alone are bold");
}

static void
test_wrapping(void)
{
	struct ctl_table *table = three_columns();

	ctl_table_add(table, CELLS("a", "1", "one two three four five"));
	ctl_table_add(table, CELLS("b", "2", "six"));
	is_printed(table, 26, false,
	    "NAME  USED  NOTE\n"
	    "a        1  one two three\n"
	    "            four five\n"
	    "b        2  six\n",
	    "what is too wide is wrapped inside its column");

	table = three_columns();
	ctl_table_add(table, CELLS("dc=client1.example,dc=x", "1",
	    "abcdefghijklmnopqrstuvwxyz"));
	is_printed(table, 46, false,
	    "NAME                 USED  NOTE\n"
	    "dc=client1.example,     1  abcdefghijklmnopqrs\n"
	    "dc=x                       tuvwxyz\n",
	    "the widest columns give way, and not a letter is lost");

	table = three_columns();
	ctl_table_add(table, CELLS("twelve chars", "123456789",
	    "twelve chars"));
	is_printed(table, 10, false,
	    "NAME               USED  NOTE\n"
	    "twelve chars  123456789  twelve chars\n",
	    "where there is no room at all it is printed nonetheless");
}

int
main(void)
{
	ctl_text_start();
	test_columns();
	test_wrapping();
	return tap_done();
}
