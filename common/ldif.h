/* SPDX-License-Identifier: ISC */
/* ldif.h - an LDIF file (RFC 2849, content records) into entries, one at a
 * time, so that a large file takes no memory to speak of. */
#ifndef COMMON_LDIF_H
#define COMMON_LDIF_H

#include "common/entry.h"
#include "common/findings.h"

/* Reads the whole file and hands each entry to take; it lives until that
 * returns. What is wrong with single records is a finding with the line at
 * which the record starts: a record without a DN, or with one that came
 * before, is left out; a value that cannot be read is, and its entry marked as
 * damaged; a record of changes becomes a damaged entry without attributes, so
 * that what stood there before goes on. 0; or -1 and *why (of this thread,
 * until the next call) where the file could not be read to its end: then what
 * was taken must not be used. */
int ldif_read(const char *path,
    void (*take)(void *arg, const struct entry *entry), void *arg,
    struct findings *findings, const char **why);

#endif
