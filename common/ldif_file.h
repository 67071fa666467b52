/* SPDX-License-Identifier: ISC */
/* ldif_file.h - an LDIF file, record by record, with what is wrong in its form.
 * What a record says is its reader's. */
#ifndef COMMON_LDIF_FILE_H
#define COMMON_LDIF_FILE_H

#include <lber.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct ldif_file {
	const char *path;
	FILE *file;
	unsigned long line;	/* at which the record starts */
	const char *fault;	/* why reading cannot go on */

	/* ldif_file.c's own */
	char *buffer, *text;
	size_t used, room;
	unsigned long line_number;
};

/* False: f->fault. ldif_file_close() after both. */
bool ldif_file_open(struct ldif_file *f, const char *path);
/* The next record, for ldif_getline(); lives until the next call. NULL: no
 * more, or a fault. */
char *ldif_file_record(struct ldif_file *f);
/* 0; -1 and *why (of this thread, until the next call) where there was a
 * fault: what was read is not the whole file */
int ldif_file_close(struct ldif_file *f, const char **why);

/* One line, unfolded, into name (options cut off) and value. NULL, or what is
 * wrong with it; name is then as far as it can be told. */
const char *ldif_split(char *line, const char **name, struct berval *value);

#endif
