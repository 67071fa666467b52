/* SPDX-License-Identifier: ISC */
/* redis_script.c - numbers as the scripts read them. That they read them so is
 * limits_property.c's, with a real Redis. */
#include "policyd/redis_script.h"

#include <stdio.h>

#include "t/unit/tap.h"

static const struct {
	const char *name;
	int64_t number;
	const char *bytes;
} rows[] = {
	{ "zero", 0, "0000000000000000" },
	{ "one: its lowest byte first", 1, "000000000000f03f" },
	{ "less than nothing", -1, "000000000000f0bf" },
	{ "a moment", INT64_C(1700000000123), "00b08756febc7842" },
	{ "the last that is exact", REDIS_NUMBER_MAX, "0000000000004043" },
	{ "the one before it", REDIS_NUMBER_MAX - 1, "ffffffffffff3f43" },
};

int
main(void)
{
	uint8_t bytes[REDIS_NUMBER];
	char hex[2 * REDIS_NUMBER + 1];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		redis_number(rows[i].number, bytes);
		for (int at = 0; at < REDIS_NUMBER; at++)
			snprintf(hex + 2 * at, 3, "%02x", bytes[at]);
		tap_is(hex, rows[i].bytes, rows[i].name);
	}
	tap_ok(strncmp(redis_script_reset, "\nlocal ", 7) == 0,
	    "a script is there, without the comments before it");
	tap_ok(strstr(redis_script_ask, "('\\0'):rep(") != NULL,
	    "and a backslash in it is one");
	return tap_done();
}
