/* SPDX-License-Identifier: ISC */
/* quantity.c - what does "1h", "10k" or "7.5" mean, and how is it written?
 * Exact or refused: no sign, blank or fraction is guessed, nothing wraps. */
#include "common/quantity.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* What is longer is a slip, and sums with the clock must not overflow */
#define DURATION_MAX_MS (INT64_C(36500) * 24 * 3600 * 1000)

struct unit {
	const char *name;
	uint64_t size;
};

/* Both from small to large */
static const struct unit durations[] = {
	{ "ms", 1 },
	{ "s", 1000 },
	{ "m", 60 * 1000 },
	{ "h", 3600 * 1000 },
	{ "d", 24 * 3600 * 1000 },
	{ "w", 7 * 24 * 3600 * 1000 }
};
static const struct unit counts[] = {
	{ "", 1 },
	{ "k", 1000 },
	{ "M", 1000 * 1000 },
	{ "G", 1000 * 1000 * 1000 }
};

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* The digits at *text, which moves behind them. -1: none, or too many */
static int
read_digits(const char **text, uint64_t *out)
{
	const char *at = *text;
	uint64_t sum = 0;

	for (; *at >= '0' && *at <= '9'; at++)
		if (__builtin_mul_overflow(sum, 10, &sum) ||
		    __builtin_add_overflow(sum, (unsigned)(*at - '0'), &sum))
			return -1;
	if (at == *text)
		return -1;
	*text = at;
	*out = sum;
	return 0;
}

static const struct unit *
unit_named(const struct unit *units, size_t rows, const char *name)
{
	size_t i;

	for (i = 0; i < rows; i++)
		if (strcmp(units[i].name, name) == 0)
			return &units[i];
	return NULL;
}

/* The largest that divides evenly */
static const struct unit *
unit_dividing(const struct unit *units, size_t rows, uint64_t amount)
{
	while (rows > 1 && amount % units[rows - 1].size != 0)
		rows--;
	return &units[rows - 1];
}

int
quantity_duration(const char *text, int64_t *out_ms, const char **why)
{
	const struct unit *unit;
	uint64_t amount;

	if (strcmp(text, "0") == 0) {
		*out_ms = 0;
		return 0;
	}
	*why = "not a duration: digits and ms, s, m, h, d or w, as in 90s";
	if (read_digits(&text, &amount) == -1)
		return -1;
	if ((unit = unit_named(durations, ROWS(durations), text)) == NULL)
		return -1;
	*why = "longer than 100 years";
	if (amount > DURATION_MAX_MS / unit->size)
		return -1;
	*out_ms = (int64_t)(amount * unit->size);
	return 0;
}

int
quantity_count(const char *text, uint64_t *out, const char **why)
{
	const struct unit *unit;
	uint64_t amount;

	*why = "not a count: digits and maybe k, M or G, as in 10k";
	if (read_digits(&text, &amount) == -1)
		return -1;
	if ((unit = unit_named(counts, ROWS(counts), text)) == NULL)
		return -1;
	*why = "too large";
	return __builtin_mul_overflow(amount, unit->size, out) ? -1 : 0;
}

int
quantity_decimal(const char *text, int64_t *out_thousandths,
    const char **why)
{
	bool is_negative = *text == '-';
	uint64_t whole, fraction = 0;
	const char *point;
	int64_t sum;
	int places = 0;

	text += is_negative;
	*why = "not a decimal, as in 7 or -0.25";
	if (read_digits(&text, &whole) == -1)
		return -1;
	if (*(point = text) == '.') {
		text++;
		if (read_digits(&text, &fraction) == -1)
			return -1;
		places = (int)(text - point) - 1;
	}
	if (*text != '\0')
		return -1;
	*why = "more than three decimal places";
	if (places > 3)
		return -1;
	for (; places < 3; places++)
		fraction *= 10;
	*why = "too large";
	if (__builtin_mul_overflow(whole, 1000, &sum) ||
	    __builtin_add_overflow(sum, fraction, &sum))
		return -1;
	*out_thousandths = is_negative ? -sum : sum;
	return 0;
}

const char *
quantity_duration_text(int64_t ms, char buf[QUANTITY_TEXT])
{
	uint64_t amount = ms < 0 ? -(uint64_t)ms : (uint64_t)ms;
	const struct unit *unit =
	    unit_dividing(durations, ROWS(durations), amount);

	snprintf(buf, QUANTITY_TEXT, "%s%" PRIu64 "%s", ms < 0 ? "-" : "",
	    amount / unit->size, amount != 0 ? unit->name : "");
	return buf;
}

/* "90s" or "25h" tell more than "2m" or "2d": the next unit must be filled
 * twice, or exactly once. Weeks are for those who write the settings. */
const char *
quantity_wait_text(int64_t ms, char buf[QUANTITY_TEXT])
{
	uint64_t wait = ms > 0 ? (uint64_t)ms : 0, amount, next;
	const struct unit *unit = &durations[1];

	for (;; unit++) {
		amount = (wait + unit->size - 1) / unit->size;
		next = unit[1].size / unit->size;
		if (*unit->name == 'd')
			break;
		if (amount < 2 * next && amount != next)
			break;
	}
	snprintf(buf, QUANTITY_TEXT, "%" PRIu64 "%s", amount, unit->name);
	return buf;
}

const char *
quantity_count_text(uint64_t count, char buf[QUANTITY_TEXT])
{
	/* "6000" reads better than "6k" beside 5999 */
	const struct unit *unit = count < 10000 ? &counts[0]
	    : unit_dividing(counts, ROWS(counts), count);

	snprintf(buf, QUANTITY_TEXT, "%" PRIu64 "%s", count / unit->size,
	    unit->name);
	return buf;
}
