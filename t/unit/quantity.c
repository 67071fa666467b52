/* SPDX-License-Identifier: ISC */
/* quantity.c - are durations, counts and decimals read exactly or refused? */
#include "common/quantity.h"

#include "t/unit/tap.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define BAD (-1)

struct row {
	const char *name;
	const char *text;
	int64_t want;		/* BAD: refused */
};

static const struct row durations[] = {
	{ "seconds", "90s", 90000 },
	{ "milliseconds", "200ms", 200 },
	{ "minutes are not milliseconds", "5m", 300000 },
	{ "hours", "1h", 3600000 },
	{ "days", "35d", INT64_C(35) * 86400000 },
	{ "weeks", "1w", 604800000 },
	{ "a bare nought is a duration", "0", 0 },
	{ "nought may have a unit", "0s", 0 },
	{ "leading noughts are not octal", "010s", 10000 },
	{ "a hundred years are a duration", "36500d", INT64_C(3153600000000) },
	{ "more than a hundred years is a slip", "36501d", BAD },
	{ "a product beyond 64 bits does not wrap", "18446744073709551615w",
	    BAD },
	{ "digits beyond 64 bits do not wrap", "18446744073709551617s", BAD },
	{ "a number without a unit is refused", "90", BAD },
	{ "a unit without a number is refused", "h", BAD },
	{ "nothing is refused", "", BAD },
	{ "a negative duration is refused", "-1h", BAD },
	{ "a plus sign is refused", "+1h", BAD },
	{ "a blank before is refused", " 1h", BAD },
	{ "a blank between is refused", "1 h", BAD },
	{ "something after the unit is refused", "1hx", BAD },
	{ "a fraction is refused", "1.5h", BAD },
	{ "an upper-case unit is refused", "1H", BAD },
	{ "a sum of units is refused", "1h30m", BAD }
};

static const struct row counts[] = {
	{ "a plain count", "500", 500 },
	{ "a thousand is not 1024", "10k", 10000 },
	{ "millions", "2M", 2000000 },
	{ "thousands of millions", "1G", 1000000000 },
	{ "a count may be nought", "0", 0 },
	{ "a count beyond 64 bits does not wrap", "18446744073709551616",
	    BAD },
	{ "a count whose suffix goes beyond 64 bits does not wrap",
	    "18446744073709552k", BAD },
	{ "a small m is no suffix", "2m", BAD },
	{ "a capital K is no suffix", "10K", BAD },
	{ "an empty count is refused", "", BAD },
	{ "a negative count is refused", "-5", BAD },
	{ "a suffix alone is refused", "k", BAD },
	{ "two suffixes are refused", "1kk", BAD }
};

static const struct row decimals[] = {
	{ "a whole number", "7", 7000 },
	{ "one place", "7.5", 7500 },
	{ "three places", "0.125", 125 },
	{ "noughts after the point count", "1.005", 1005 },
	{ "the largest", "9223372036854775.807", INT64_MAX },
	{ "one more than the largest is refused", "9223372036854775.808",
	    BAD },
	{ "a whole part beyond 64 bits is refused", "18446744073709551616",
	    BAD },
	{ "four places are refused", "0.1234", BAD },
	{ "a point without places is refused", "7.", BAD },
	{ "a point without a whole part is refused", ".5", BAD },
	{ "a sign alone is refused", "-", BAD },
	{ "two signs are refused", "--1", BAD },
	{ "a comma is refused", "7,5", BAD },
	{ "an exponent is refused", "1e3", BAD },
	{ "an empty decimal is refused", "", BAD }
};

static const struct row duration_texts[] = {
	{ "nought has no unit", "0", 0 },
	{ "an hour", "1h", 3600000 },
	{ "a minute and a half is 90 seconds", "90s", 90000 },
	{ "a fortnight", "2w", 1209600000 },
	{ "two days", "2d", 172800000 },
	{ "what is no whole second stays in milliseconds", "1500ms", 1500 },
	{ "a negative duration shows its sign", "-5m", -300000 }
};

static const struct row wait_texts[] = {
	{ "a wait of seconds", "40s", 40000 },
	{ "a wait is rounded up", "41s", 40001 },
	{ "the shortest wait is a second", "1s", 1 },
	{ "a wait of minutes", "12m", 11 * 60000 + 1 },
	{ "59.5 seconds are a minute", "1m", 59500 },
	{ "61 seconds are not two minutes", "61s", 61000 },
	{ "119.5 seconds are two minutes", "2m", 119500 },
	{ "an hour less a second is an hour", "1h", 3599000 },
	{ "an hour and a half is 90 minutes", "90m", 5400000 },
	{ "a wait of hours", "3h", 2 * 3600000 + 60001 },
	{ "25 hours are not two days", "25h", 25 * 3600000 },
	{ "a wait of days", "2d", 172800000 },
	{ "weeks are told in days", "14d", 1209600000 },
	{ "a wait that is over", "0s", -5 }
};

static const struct row count_texts[] = {
	{ "nought", "0", 0 },
	{ "some thousands are digits", "6000", 6000 },
	{ "ten thousand and more are short", "10k", 10000 },
	{ "a million", "2M", 2000000 },
	{ "what does not divide stays digits", "10001", 10001 },
	{ "a thousand millions", "1G", 1000000000 },
	{ "1500 thousand are no whole millions", "1500k", 1500000 }
};

static void
test_read(void)
{
	int64_t value;
	uint64_t count;
	const char *why;
	size_t i;

	for (i = 0; i < ROWS(durations); i++)
		tap_int(quantity_duration(durations[i].text, &value, &why) == 0
		    ? value : BAD, durations[i].want, durations[i].name);
	for (i = 0; i < ROWS(counts); i++)
		tap_int(quantity_count(counts[i].text, &count, &why) == 0
		    ? (int64_t)count : BAD, counts[i].want, counts[i].name);
	for (i = 0; i < ROWS(decimals); i++)
		tap_int(quantity_decimal(decimals[i].text, &value, &why) == 0
		    ? value : BAD, decimals[i].want, decimals[i].name);

	tap_ok(quantity_decimal("-0.25", &value, &why) == 0 && value == -250,
	    "a decimal may be negative");
	tap_ok(quantity_count("18446744073709551615", &count, &why) == 0 &&
	    count == UINT64_MAX, "the largest count");
	why = NULL;
	tap_ok(quantity_duration("1x", &value, &why) == -1 && why != NULL,
	    "a refusal says why");
}

static void
test_write(void)
{
	char buf[QUANTITY_TEXT];
	const struct row *row;
	size_t i;

	for (i = 0; i < ROWS(duration_texts); i++) {
		row = &duration_texts[i];
		tap_is(quantity_duration_text(row->want, buf), row->text,
		    row->name);
	}
	for (i = 0; i < ROWS(wait_texts); i++) {
		row = &wait_texts[i];
		tap_is(quantity_wait_text(row->want, buf), row->text,
		    row->name);
	}
	for (i = 0; i < ROWS(count_texts); i++) {
		row = &count_texts[i];
		tap_is(quantity_count_text((uint64_t)row->want, buf),
		    row->text, row->name);
	}
	tap_is(quantity_duration_text(INT64_MIN, buf),
	    "-9223372036854775808ms", "the longest text fits");
}

/* What is written is read back as the same */
static void
test_round_trip(void)
{
	char buf[QUANTITY_TEXT];
	uint64_t amount, wrong = 0, back_count;
	int64_t back_ms;
	const char *why;

	for (amount = 0; amount < UINT64_C(3000000000000);
	    amount = amount * 3 / 2 + 1) {
		wrong += quantity_duration(quantity_duration_text(
		    (int64_t)amount, buf), &back_ms, &why) == -1 ||
		    (uint64_t)back_ms != amount;
		wrong += quantity_count(quantity_count_text(amount, buf),
		    &back_count, &why) == -1 || back_count != amount;
	}
	tap_int((int64_t)wrong, 0, "what is written is read back as the same");
}

int
main(void)
{
	test_read();
	test_write();
	test_round_trip();
	return tap_done();
}
