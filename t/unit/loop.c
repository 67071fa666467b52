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
	int64_t before, ticks;

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
	tap_ok(loop_ticks_wait(loop_ticks() + 60000) > 50000,
	    "poll may wait for all of a time-out");
	setenv("POSTERN_CLOCK", path, 1);
	loop_clock_open();
	ticks = loop_ticks();
	shift(fd, 3600000);
	tap_ok(loop_now() - before >= 3600000 &&
	    loop_now() - before < 3660000, "POSTERN_CLOCK shifts it at once");
	tap_ok(loop_ticks() - ticks >= 3600000 &&
	    loop_ticks() - ticks < 3660000, "and the ticks");
	tap_int(loop_ticks_wait(ticks + 60000), 0, "a time-out has come then");
	tap_ok(loop_ticks_wait(loop_ticks() + 60000) < 1000,
	    "and poll waits in small steps, as it may move again");
	close(fd);
	unlink(path);
	loop_free();
	return tap_done();
}
