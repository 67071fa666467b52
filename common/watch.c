/* SPDX-License-Identifier: ISC */
/* watch.c - two looks in a row that see the same file, and another one than
 * was taken: only then it is worth reading. Next: directory.c. */
#include "common/watch.h"

#include <string.h>

static struct stat
look(const struct watch *watch)
{
	struct stat st;

	if (stat(watch->path, &st) != 0)
		memset(&st, 0, sizeof(st));
	return st;
}

static bool
is_same(const struct stat *a, const struct stat *b)
{
	return a->st_nlink != 0 && b->st_nlink != 0 &&
	    a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

enum watch_state
watch_look(struct watch *watch)
{
	struct stat before = watch->seen;

	watch->seen = look(watch);
	if (is_same(&watch->seen, &watch->taken))
		return WATCH_SAME;
	if (is_same(&watch->seen, &before))
		return WATCH_CHANGED;
	if (watch->seen.st_nlink != 0)
		return WATCH_MOVING;
	watch->taken = watch->seen;
	return WATCH_GONE;
}

void
watch_take(struct watch *watch)
{
	watch->taken = look(watch);
}

bool
watch_is_taken(struct watch *watch)
{
	struct stat now = look(watch);

	if (is_same(&now, &watch->taken))
		return true;
	memset(&watch->taken, 0, sizeof(watch->taken));
	return false;
}
