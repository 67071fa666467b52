/* SPDX-License-Identifier: ISC */
/* wire.h - one connection of a thread that waits for it: lines and bytes in,
 * bytes out, each before a moment. What is written is kept back until there is
 * nothing more to read, so that answers to pipelined commands go together. */
#ifndef DKIMSIGN_WIRE_H
#define DKIMSIGN_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum wire_end {
	WIRE_OK,
	WIRE_CLOSED,		/* by the peer, or broken */
	WIRE_TIMED_OUT,
	WIRE_STOPPED,		/* stop_fd can be read */
	WIRE_TOO_LONG		/* a line; it was skipped */
};

struct wire {
	int fd;
	int stop_fd;		/* reading ends when it can be read; -1 */
	int64_t deadline;	/* of loop_ticks() */
	int error;		/* of WIRE_CLOSED: errno, 0 the peer's end */
	char *in;		/* read, not yet used: in_at to in_len */
	size_t in_at, in_len, in_room;
	bool is_skipping;	/* the rest of a line that was too long */
	char *out;		/* not yet written */
	size_t out_len, out_room;
};

/* fd does not block, and is the wire's from now on */
void wire_open(struct wire *wire, int fd);
void wire_close(struct wire *wire);
/* From now on all must be done in so many milliseconds, and before limit */
void wire_expect(struct wire *wire, int64_t ms, int64_t limit);

/* The next line, its LF replaced by NUL, a CR before that still there; until
 * the next call. Bounded by max. */
enum wire_end wire_line(struct wire *wire, size_t max, char **line,
    size_t *len);
/* Bytes as they come, at least one; what wire_used() does not take comes
 * again */
enum wire_end wire_bytes(struct wire *wire, char **bytes, size_t *len);
void wire_used(struct wire *wire, size_t len);

/* For wire_flush(), which reading calls before it waits */
void wire_put(struct wire *wire, const char *bytes, size_t len);
void wire_printf(struct wire *wire, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
enum wire_end wire_flush(struct wire *wire);
/* All of it in as few writes as there can be. What the peer says meanwhile is
 * kept, so that two who both only write cannot wait for each other. WIRE_OK:
 * the kernel has it all; else the last byte was not sent. */
enum wire_end wire_write(struct wire *wire, struct iovec *iov, int count);

/* Something is there to be read, or the peer has closed */
bool wire_is_readable(const struct wire *wire);

#endif
