/* SPDX-License-Identifier: ISC */
/* watch.h - has a file changed since it was taken, and come to rest? Tells it
 * from the file's number, size and time alone; never opens it. */
#ifndef COMMON_WATCH_H
#define COMMON_WATCH_H

#include <stdbool.h>
#include <sys/stat.h>

struct watch {
	const char *path;
	struct stat taken, seen;	/* st_nlink 0: none */
};

enum watch_state {
	WATCH_SAME,	/* as taken */
	WATCH_MOVING,	/* not as taken, nor as at the look before */
	WATCH_CHANGED,	/* not as taken, but as at the look before */
	WATCH_GONE	/* cannot be seen: taken is forgotten */
};
enum watch_state watch_look(struct watch *watch);

/* What stands there now is taken: before it is read */
void watch_take(struct watch *watch);
/* After it was read: is it still what was taken? If not, taken is forgotten. */
bool watch_is_taken(struct watch *watch);

#endif
