/* SPDX-License-Identifier: ISC */
/* display.h - text that people are shown beside an address: could some reader
 * of mail take it for more than that? Pure. */
#ifndef DKIMSIGN_DISPLAY_H
#define DKIMSIGN_DISPLAY_H

#include <stddef.h>

#include "common/arena.h"

/* Valid UTF-8 without control characters (a fold, CRLF and a blank, is none)
 * and without those that turn the direction of writing (U+202A to U+202E,
 * U+2066 to U+2069). 0, or -1 and why (static). */
int display_check_bytes(const char *text, size_t len, const char **why);

/* A display name or a comment, with its encoded words (RFC 2047) decoded: no
 * control character comes out, and nothing that reads like <a@b>. 0, or -1 and
 * why (static). */
int display_check(struct arena *arena, const char *text, size_t len,
    const char **why);

#endif
