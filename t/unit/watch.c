/* SPDX-License-Identifier: ISC */
/* t/unit/watch.c - a file that changes, rests, goes and comes back. */
#include "common/watch.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "t/unit/tap.h"

static char path[] = "/tmp/postern-watch.XXXXXX";

/* The time is set, so that no two writes look alike */
static void
put(const char *text, time_t when)
{
	struct timespec times[2] = { { when, 0 }, { when, 0 } };
	FILE *file = fopen(path, "w");

	fputs(text, file);
	fclose(file);
	utimensat(AT_FDCWD, path, times, 0);
}

int
main(void)
{
	struct watch watch = { .path = path };

	close(mkstemp(path));
	put("a", 1);
	tap_int(watch_look(&watch), WATCH_MOVING, "a new file may be moving");
	tap_int(watch_look(&watch), WATCH_CHANGED, "then it has come to rest");
	tap_int(watch_look(&watch), WATCH_CHANGED, "until it is taken");
	watch_take(&watch);
	tap_ok(watch_is_taken(&watch), "taken as it is");
	tap_int(watch_look(&watch), WATCH_SAME, "and then the same");
	put("ab", 1);
	tap_int(watch_look(&watch), WATCH_MOVING, "another size moves");
	put("abc", 1);
	tap_int(watch_look(&watch), WATCH_MOVING, "and moves on");
	tap_int(watch_look(&watch), WATCH_CHANGED, "and rests");
	watch_take(&watch);
	put("abd", 2);
	tap_ok(!watch_is_taken(&watch), "written while it was read");
	tap_int(watch_look(&watch), WATCH_MOVING, "another time moves");
	tap_int(watch_look(&watch), WATCH_CHANGED, "and is to be read again");
	watch_take(&watch);
	unlink(path);
	tap_int(watch_look(&watch), WATCH_GONE, "gone");
	tap_int(watch_look(&watch), WATCH_GONE, "still gone");
	put("abd", 2);
	tap_int(watch_look(&watch), WATCH_MOVING, "back");
	tap_int(watch_look(&watch), WATCH_CHANGED,
	    "and to be read, even if it looks as before");
	unlink(path);
	return tap_done();
}
