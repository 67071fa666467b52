/* SPDX-License-Identifier: ISC */
/* quantity.h - durations, counts and decimals as admins write them. */
#ifndef COMMON_QUANTITY_H
#define COMMON_QUANTITY_H

#include <stddef.h>
#include <stdint.h>

/* "200ms" "90s" "5m" "1h" "1d" "1w" to milliseconds, at most 100 years; a bare
 * "0" is allowed, any other number wants its unit. 0, or -1 and why (static
 * text). */
int quantity_duration(const char *text, int64_t *out_ms, const char **why);

/* "500" "10k" "2M" "1G" (powers of ten) to a number. 0, or -1 and why. */
int quantity_count(const char *text, uint64_t *out, const char **why);

/* "7" "7.5" "-0.25" to thousandths. 0, or -1 and why. */
int quantity_decimal(const char *text, int64_t *out_thousandths,
    const char **why);

/* The shortest exact form: 3600000 is "1h", 90000 "90s". buf is returned. */
#define QUANTITY_TEXT 32
const char *quantity_duration_text(int64_t ms, char buf[QUANTITY_TEXT]);
/* For people: rounded up to one unit: "12m", "40s", "90m", "3h", "2d" */
const char *quantity_wait_text(int64_t ms, char buf[QUANTITY_TEXT]);
/* 6000 as "6000", 10000 as "10k", 2000000 as "2M": exact forms only */
const char *quantity_count_text(uint64_t count, char buf[QUANTITY_TEXT]);

#endif
