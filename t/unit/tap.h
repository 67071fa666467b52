/* SPDX-License-Identifier: ISC */
/* tap.h - the little of TAP that a unit test says: ok or not, and a name that
 * is a sentence. int main(void) { ...; return tap_done(); } */
#ifndef UNIT_TAP_H
#define UNIT_TAP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int tap_count, tap_failed;

/* What the code under test logs goes among the TAP, where it means nothing:
 * prove -v shows it. What sanitizers say stays on descriptor 2. */
static inline void
tap_log(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	stderr = stdout;
}

/* A failure is told on descriptor 2: prove shows no more of stdout than its
 * number. */
static inline bool
tap_ok(bool is_ok, const char *name)
{
	printf("%sok %d - %s\n", is_ok ? "" : "not ", ++tap_count, name);
	if (!is_ok) {
		tap_failed++;
		dprintf(STDERR_FILENO, "# failed: %s\n", name);
	}
	return is_ok;
}

static inline void
tap_is(const char *got, const char *want, const char *name)
{
	if (got == NULL || want == NULL ? got != want : strcmp(got, want) != 0) {
		tap_ok(false, name);
		dprintf(STDERR_FILENO, "#  got: %s\n# want: %s\n",
		    got ? got : "(null)", want ? want : "(null)");
		return;
	}
	tap_ok(true, name);
}

static inline void
tap_int(int64_t got, int64_t want, const char *name)
{
	if (!tap_ok(got == want, name))
		dprintf(STDERR_FILENO, "#  got: %lld\n# want: %lld\n",
		    (long long)got, (long long)want);
}

static inline int
tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed != 0;
}

#endif
