/* SPDX-License-Identifier: ISC */
/* loop.h - the one event loop of a daemon, over libevent, and the clock. */
#ifndef COMMON_LOOP_H
#define COMMON_LOOP_H

#include <stdint.h>

struct event_base;

struct event_base *loop_base(void);	/* made at first use */
void loop_run(void);			/* until loop_stop() */
void loop_stop(void);
void loop_free(void);			/* at exit, so that leak checkers see */

/* Call fn(arg) once the current callback has returned: the way to free what
 * a callback still stands on. */
void loop_defer(void (*fn)(void *), void *arg);

/* Milliseconds since the epoch. Tests inject time: with loop_now_set() in a
 * unit test, or from outside by the environment's POSTERN_CLOCK, which names
 * a file whose first 8 bytes (int64_t, the machine's byte order) are milliseconds added to
 * the real time; it is mapped at loop_clock_open() and may be changed at
 * any moment. */
int64_t loop_now(void);
/* loop_now() where a test has changed it, else 0: who has a clock of its own, as
 * Redis has, goes by that */
int64_t loop_now_injected(void);
void loop_now_set(int64_t now_ms);	/* 0: the real clock again */

/* Milliseconds of a clock that only goes on, for time-outs of threads that
 * wait by themselves; POSTERN_CLOCK moves it, too. Any thread. */
int64_t loop_ticks(void);
/* How long poll(2) may wait for that moment: its milliseconds, or less where
 * a test may move the clock meanwhile. 0: it has come. */
int loop_ticks_wait(int64_t until);
void loop_clock_open(void);

#endif
