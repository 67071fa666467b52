/* SPDX-License-Identifier: ISC */
/* wire.c - reads and writes one socket, and waits for it no longer than told.
 * Knows lines, never what they say. */
#include "dkimsign/wire.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/xmalloc.h"

#define IN_ROOM 32768
#define IN_MAX (1 << 20)	/* what a peer may say while we write */

void
wire_open(struct wire *wire, int fd)
{
	*wire = (struct wire){ .fd = fd, .stop_fd = -1,
		.in = xmalloc(IN_ROOM), .in_room = IN_ROOM };
}

void
wire_close(struct wire *wire)
{
	close(wire->fd);
	free(wire->in);
	free(wire->out);
}

void
wire_expect(struct wire *wire, int64_t ms, int64_t limit)
{
	int64_t until = loop_ticks() + ms;

	wire->deadline = until < limit ? until : limit;
}

/* Until one of the events is there, or there is nothing to wait for */
static enum wire_end
wait_for(struct wire *wire, short events, short *got)
{
	struct pollfd fds[] = {
		{ .fd = wire->fd, .events = events },
		{ .fd = wire->stop_fd, .events = POLLIN },
	};
	int wait_ms, count;

	do {
		wait_ms = loop_ticks_wait(wire->deadline);
		count = poll(fds, 2, wait_ms);
		*got = fds[0].revents;
	} while (count <= 0 && wait_ms > 0);
	if (count <= 0)
		return WIRE_TIMED_OUT;
	return *got == 0 ? WIRE_STOPPED : WIRE_OK;
}

/* Makes room behind what was read, and for more of it than max only one time
 * after the other. False: there is as much as may be. */
static bool
has_room(struct wire *wire, size_t max)
{
	if (wire->in_at > 0) {
		wire->in_len -= wire->in_at;
		memmove(wire->in, wire->in + wire->in_at, wire->in_len);
		wire->in_at = 0;
	}
	if (wire->in_len < wire->in_room)
		return true;
	if (wire->in_room >= max)
		return false;
	wire->in_room *= 2;
	wire->in = xrealloc(wire->in, wire->in_room, 1);
	return true;
}

static enum wire_end
receive(struct wire *wire)
{
	ssize_t n = recv(wire->fd, wire->in + wire->in_len,
	    wire->in_room - wire->in_len, 0);

	if (n > 0)
		wire->in_len += (size_t)n;
	if (n > 0 || (n == -1 && (errno == EAGAIN || errno == EINTR)))
		return WIRE_OK;
	wire->error = n == -1 ? errno : 0;
	return WIRE_CLOSED;
}

/* More of it, which may take a while */
static enum wire_end
fill(struct wire *wire)
{
	enum wire_end end = wire_flush(wire);
	size_t before;
	short got;

	if (end == WIRE_OK && !has_room(wire, IN_ROOM))
		panic("a line longer than the buffer");
	before = wire->in_len;
	while (end == WIRE_OK && wire->in_len == before) {
		end = receive(wire);
		if (end == WIRE_OK && wire->in_len == before)
			end = wait_for(wire, POLLIN, &got);
	}
	return end;
}

enum wire_end
wire_line(struct wire *wire, size_t max, char **line, size_t *len)
{
	enum wire_end end;
	char *lf;
	bool was_skipping;

	while ((lf = memchr(wire->in + wire->in_at, '\n',
	    wire->in_len - wire->in_at)) == NULL) {
		if (wire->in_len - wire->in_at > max || wire->is_skipping) {
			wire->is_skipping = true;
			wire->in_at = wire->in_len;
		}
		if ((end = fill(wire)) != WIRE_OK)
			return end;
	}
	*lf = '\0';
	*line = wire->in + wire->in_at;
	*len = (size_t)(lf - *line);
	wire->in_at += *len + 1;
	was_skipping = wire->is_skipping;
	wire->is_skipping = false;
	return was_skipping || *len > max ? WIRE_TOO_LONG : WIRE_OK;
}

enum wire_end
wire_bytes(struct wire *wire, char **bytes, size_t *len)
{
	enum wire_end end = WIRE_OK;

	if (wire->in_at == wire->in_len)
		end = fill(wire);
	*bytes = wire->in + wire->in_at;
	*len = wire->in_len - wire->in_at;
	return end;
}

void
wire_used(struct wire *wire, size_t len)
{
	wire->in_at += len;
}

void
wire_put(struct wire *wire, const char *bytes, size_t len)
{
	size_t room = wire->out_room ? wire->out_room : 1024;

	while (wire->out_len + len > room)
		room *= 2;
	if (room > wire->out_room)
		wire->out = xrealloc(wire->out, room, 1);
	wire->out_room = room;
	memcpy(wire->out + wire->out_len, bytes, len);
	wire->out_len += len;
}

void
wire_printf(struct wire *wire, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0)
		fatal("out of memory");
	wire_put(wire, text, (size_t)len);
	free(text);
}

enum wire_end
wire_flush(struct wire *wire)
{
	struct iovec iov = { wire->out, wire->out_len };

	wire->out_len = 0;
	return iov.iov_len > 0 ? wire_write(wire, &iov, 1) : WIRE_OK;
}

/* Takes off the front what was written */
static void
advance(struct msghdr *message, size_t written)
{
	struct iovec *iov = message->msg_iov;

	while (message->msg_iovlen > 0 && written >= iov->iov_len) {
		written -= iov->iov_len;
		iov++;
		message->msg_iovlen--;
	}
	message->msg_iov = iov;
	if (message->msg_iovlen == 0)
		return;
	iov->iov_base = (char *)iov->iov_base + written;
	iov->iov_len -= written;
}

static enum wire_end
wait_to_write(struct wire *wire)
{
	short listens = has_room(wire, IN_MAX) ? POLLIN : 0, got;
	enum wire_end end = wait_for(wire, (short)(POLLOUT | listens), &got);

	if (end == WIRE_OK && (got & listens))
		end = receive(wire);
	return end;
}

enum wire_end
wire_write(struct wire *wire, struct iovec *iov, int count)
{
	struct msghdr message = { .msg_iov = iov,
		.msg_iovlen = (size_t)count };
	enum wire_end end = WIRE_OK;
	int stop_fd = wire->stop_fd;
	ssize_t n;

	wire->stop_fd = -1;	/* what was begun is said to the end */
	while (end == WIRE_OK && message.msg_iovlen > 0) {
		n = sendmsg(wire->fd, &message, MSG_NOSIGNAL);
		if (n >= 0)
			advance(&message, (size_t)n);
		else if (errno == EAGAIN)
			end = wait_to_write(wire);
		else if (errno != EINTR) {
			wire->error = errno;
			end = WIRE_CLOSED;
		}
	}
	wire->stop_fd = stop_fd;
	return end;
}

bool
wire_is_readable(const struct wire *wire)
{
	struct pollfd fds = { .fd = wire->fd, .events = POLLIN };

	return wire->in_at < wire->in_len || poll(&fds, 1, 0) != 0;
}
