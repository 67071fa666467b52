/* SPDX-License-Identifier: ISC */
/* loop.c - the clock can be set and shifted, and what is deferred comes after
 * the callback, in order. */
#include "common/loop.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "t/unit/tap.h"

static char order[8];

static void
note(void *letter)
{
	strcat(order, letter);
}

static void
outer(void *arg)
{
	(void)arg;
	loop_defer(note, "b");
	note("a");
}

static void
stop(void *arg)
{
	(void)arg;
	loop_stop();
}

static void
shift(int fd, int64_t ms)
{
	if (pwrite(fd, &ms, sizeof(ms), 0) != sizeof(ms))
		abort();
}

int
main(void)
{
	char path[] = "/tmp/postern-clock.XXXXXX";
	int fd = mkstemp(path);
	int64_t before;

	tap_log();
	loop_defer(outer, NULL);
	loop_defer(note, "c");
	tap_is(order, "", "deferring runs nothing yet");
	loop_run();
	tap_is(order, "acb", "what a callback defers comes after it");
	loop_defer(stop, NULL);
	loop_run();
	tap_ok(true, "the loop stops when told");

	loop_now_set(12345);
	tap_int(loop_now(), 12345, "the clock stands where it was set");
	loop_now_set(0);
	before = loop_now();
	tap_ok(before > 1600000000000LL, "unset, it is the real one, in ms");
	shift(fd, 0);
	setenv("POSTERN_CLOCK", path, 1);
	loop_clock_open();
	shift(fd, 3600000);
	tap_ok(loop_now() - before >= 3600000 &&
	    loop_now() - before < 3660000, "POSTERN_CLOCK shifts it at once");
	close(fd);
	unlink(path);
	loop_free();
	return tap_done();
}
