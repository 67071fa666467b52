/* SPDX-License-Identifier: ISC */
/* ctl_text.h - UTF-8 for a terminal: how wide it is, where it may be cut, and
 * nothing in it that could move the cursor. */
#ifndef COMMON_CTL_TEXT_H
#define COMMON_CTL_TEXT_H

#include <stddef.h>

#include "common/arena.h"

/* Once, before all else: text is UTF-8 whatever the user's locale is */
void ctl_text_start(void);

/* Control characters, and bytes that are no UTF-8, as \xHH. NULL as "". */
char *ctl_text_clean(struct arena *arena, const char *text);

/* Columns that clean text takes */
size_t ctl_text_width(const char *text, size_t bytes);

/* How many bytes of clean text go into so many columns: all, else up to a
 * blank or a comma, else as much as fits; never 0 unless text is "" */
size_t ctl_text_fit(const char *text, size_t columns);

#endif
