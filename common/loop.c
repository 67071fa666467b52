/* SPDX-License-Identifier: ISC */
/* loop.c - the one event loop of a daemon, and the clock that all policy is
 * measured by. Nothing else in Postern asks the machine for the time of day. */
#include "common/loop.h"

#include <event2/event.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"

static struct event_base *base;
static int64_t set_ms;
static const volatile int64_t *offset_ms;

#define LOOK_AGAIN_MS 20	/* at a clock that may be moved */

struct event_base *
loop_base(void)
{
	if (base == NULL && (base = event_base_new()) == NULL)
		fatal("libevent: no event base");
	return base;
}

void
loop_run(void)
{
	event_base_dispatch(loop_base());
}

void
loop_stop(void)
{
	event_base_loopbreak(loop_base());
}

void
loop_free(void)
{
	if (base != NULL) {
		event_base_loop(base, EVLOOP_NONBLOCK);	/* what was deferred */
		event_base_free(base);
	}
	base = NULL;
	libevent_global_shutdown();
}

struct deferred {
	void (*fn)(void *);
	void *arg;
};

static void
run_deferred(evutil_socket_t fd, short what, void *arg)
{
	struct deferred later = *(struct deferred *)arg;

	(void)fd;
	(void)what;
	free(arg);
	later.fn(later.arg);
}

void
loop_defer(void (*fn)(void *), void *arg)
{
	struct deferred *later = malloc(sizeof(*later));
	static const struct timeval now;

	if (later == NULL)
		fatal("out of memory");
	*later = (struct deferred){ fn, arg };
	if (event_base_once(loop_base(), -1, EV_TIMEOUT, run_deferred, later,
	    &now) == -1)
		fatal("libevent: cannot defer");
}

int64_t
loop_now(void)
{
	struct timespec now;

	if (set_ms != 0)
		return set_ms;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 +
	    (offset_ms != NULL ? *offset_ms : 0);
}

int64_t
loop_now_injected(void)
{
	return set_ms != 0 || (offset_ms != NULL && *offset_ms != 0)
	    ? loop_now() : 0;
}

void
loop_now_set(int64_t now_ms)
{
	set_ms = now_ms;
}

int64_t
loop_ticks(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 +
	    (offset_ms != NULL ? *offset_ms : 0);
}

int
loop_ticks_wait(int64_t until)
{
	int64_t left = until - loop_ticks();

	if (left <= 0)
		return 0;
	if (offset_ms != NULL && left > LOOK_AGAIN_MS)
		return LOOK_AGAIN_MS;
	return left < INT_MAX ? (int)left : INT_MAX;
}

void
loop_clock_open(void)
{
	const char *path = getenv("POSTERN_CLOCK");
	void *map;
	int fd;

	if (path == NULL)
		return;
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		fatal("POSTERN_CLOCK: %s: cannot open", path);
	map = mmap(NULL, sizeof(*offset_ms), PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		fatal("POSTERN_CLOCK: %s: cannot map", path);
	close(fd);
	offset_ms = map;
	log_warn(NULL, "the clock is shifted by %s (a test, we hope)", path);
}
