/* SPDX-License-Identifier: ISC */
/* lmtp.c - fuzz target: a session of which the first octet says how it is cut.
 * Our answers are lines, and the same however it comes in. The next hop and
 * what becomes of a message are faked here. */
#include "dkimsign/lmtp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/xmalloc.h"
#include "dkimsign/message.h"
#include "dkimsign/report.h"
#include "dkimsign/xforward.h"

#define PIECES_MAX 100		/* so that the socket takes all answers */
#define PIECE_MAX 16384		/* half of what a wire has room for */
#define ANSWERS_MAX (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

bool
hop_offer(struct hop *hop, struct offer *out, struct reply *why)
{
	(void)hop;
	(void)why;
	*out = (struct offer){ .extensions = ~0u, .size = 5000,
		.xforward = (1u << XFORWARD_ATTRIBUTES) - 1 };
	return true;
}

void
message_deliver(struct message *message)
{
	const struct envelope *envelope = message->envelope;
	enum spool_fault fault = spool_fault(message->spool);

	message->replies = arena_alloc(message->arena,
	    envelope->count * sizeof(*message->replies));
	for (size_t i = 0; i < envelope->count; i++)
		reply_set(&message->replies[i],
		    fault == SPOOL_CLEAN ? "250 2.0.0" : "550 5.6.0",
		    "%d %llu %s%s %s%s", fault,
		    (unsigned long long)spool_bytes(message->spool),
		    envelope->sender, envelope->parameters,
		    envelope->recipients[i].address,
		    envelope->recipients[i].parameters);
}

void
report_message(const struct message *message)
{
	(void)message;
}

void
report_unfinished(const char *id, const char *why)
{
	(void)id;
	(void)why;
}

/* One read gets one piece */
static void
say(int fd, const char *bytes, size_t len, size_t piece)
{
	size_t part;

	for (; len > 0; bytes += part, len -= part) {
		part = len < piece ? len : piece;
		must(send(fd, bytes, part, 0) == (ssize_t)part);
	}
	shutdown(fd, SHUT_WR);
}

/* "250 text" or "250-text", and nothing but ASCII in it */
static void
check_answers(const char *at, const char *end)
{
	const char *cr;

	for (; at < end; at = cr + 2) {
		cr = memchr(at, '\r', (size_t)(end - at));
		must(cr != NULL && cr + 1 < end && cr[1] == '\n');
		must(cr - at > 4 && cr - at <= 510);
		must(strchr("2345", at[0]) != NULL &&
		    (at[3] == ' ' || at[3] == '-'));
		for (const char *c = at; c < cr; c++)
			must(*c >= ' ' && *c <= '~');
	}
}

/* All that was answered; the caller frees it */
static char *
serve(const char *bytes, size_t size, size_t piece, size_t *len)
{
	struct service service = { .spool_dir = "/tmp", .stop_fd = -1,
		.max_message_bytes = 10000 };
	char *answers = xmalloc(ANSWERS_MAX);
	ssize_t n;
	int fds[2];

	must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) == 0);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	say(fds[1], bytes, size, piece);
	lmtp_serve(&service, fds[0]);
	*len = 0;
	/* reset: more came behind QUIT; what was answered is there */
	while ((n = recv(fds[1], answers + *len, ANSWERS_MAX - *len, 0)) > 0 ||
	    (n == -1 && errno == ECONNRESET))
		*len += n > 0 ? (size_t)n : 0;
	close(fds[1]);
	check_answers(answers, answers + *len);
	return answers;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data + 1;
	char *whole, *pieces;
	size_t len, other, piece;

	if (size-- < 1 || size > 4 * PIECE_MAX)
		return 0;
	piece = 1 + data[0];
	if (piece < size / PIECES_MAX + 1)
		piece = size / PIECES_MAX + 1;
	whole = serve(bytes, size, PIECE_MAX, &len);
	pieces = serve(bytes, size, piece, &other);
	must(len == other && memcmp(whole, pieces, len) == 0);
	free(whole);
	free(pieces);
	return 0;
}
