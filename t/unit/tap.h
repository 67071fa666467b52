/* SPDX-License-Identifier: ISC */
/* tap.h - the little of TAP that a unit test says: ok or not, and a name that
 * is a sentence. int main(void) { ...; return tap_done(); } */
#ifndef UNIT_TAP_H
#define UNIT_TAP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int tap_count, tap_failed;

static inline bool
tap_ok(bool is_ok, const char *name)
{
	tap_failed += !is_ok;
	printf("%sok %d - %s\n", is_ok ? "" : "not ", ++tap_count, name);
	return is_ok;
}

static inline void
tap_is(const char *got, const char *want, const char *name)
{
	if (got == NULL || want == NULL ? got != want : strcmp(got, want) != 0) {
		tap_ok(false, name);
		printf("#  got: %s\n# want: %s\n", got ? got : "(null)",
		    want ? want : "(null)");
		return;
	}
	tap_ok(true, name);
}

static inline void
tap_int(int64_t got, int64_t want, const char *name)
{
	if (!tap_ok(got == want, name))
		printf("#  got: %lld\n# want: %lld\n", (long long)got,
		    (long long)want);
}

static inline int
tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed != 0;
}

#endif
