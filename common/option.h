/* SPDX-License-Identifier: ISC */
/* option.h - configuration files in libconfig's syntax, read by rows (struct
 * option): name, type, default, bounds, unit and help stand in one row and
 * nowhere else. An unknown key, a wrong type, a value out of bounds are
 * findings with file and line; nothing is guessed. */
#ifndef COMMON_OPTION_H
#define COMMON_OPTION_H

#include <stddef.h>
#include <stdio.h>

#include "common/arena.h"
#include "common/findings.h"
#include "common/option_value.h"	/* struct option */

/* Defaults, then the file over them, into conf (all texts in the arena).
 * path NULL: the defaults alone. Each fault is a finding whose dn is
 * "FILE:LINE" and whose attribute is the option's name. An @include starts at
 * the file's directory. 0, or -1 where there was any fault. */
int options_read(const struct option *rows, size_t count, const char *path,
    void *conf, struct arena *arena, struct findings *findings);

/* Each option with its value, in the file's own syntax, the help as a
 * comment above: what -T shows; it can be read back if the rows of one group
 * stand together. */
void options_print(const struct option *rows, size_t count, const void *conf,
    FILE *to);

#endif
