/* SPDX-License-Identifier: ISC */
/* hop.c - fuzz target: all that a next hop says, of which the first octet says
 * how it is cut: each reply that we hear, and what is told to Postfix of it, is
 * one of ours, and the same however it comes in. */
#include "dkimsign/hop.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/endpoint.h"

#define PIECES_MAX 100		/* as many as a socket takes at once */
#define PIECE_MAX 16384		/* half of what a wire has room for */
#define REPLIES_MAX 20

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct heard {
	struct offer offer;
	struct reply replies[REPLIES_MAX];
	unsigned count;
};

static int next_fd;

static void
must(bool holds)
{
	if (!holds)
		abort();
}

int
endpoint_parse(const char *text, struct endpoint *out, const char **why)
{
	(void)why;
	*out = (struct endpoint){ .text = text };
	return 0;
}

int
endpoint_connect(const struct endpoint *endpoint, const char **why)
{
	(void)endpoint;
	(void)why;
	return next_fd;
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

static void
check_reply(const struct reply *reply)
{
	must(strlen(reply->text) < REPLY_TEXT);
	must(strlen(reply->enhanced) < sizeof(reply->enhanced));
	for (const char *c = reply->text; *c != '\0'; c++)
		must(*c >= ' ' && *c <= '~');
}

static void
check_mapped(const struct reply *theirs, bool defers_5xx)
{
	struct reply ours;

	reply_map(theirs, defers_5xx, &ours);
	check_reply(&ours);
	must(ours.enhanced[0] - '0' == ours.code / 100);
	must(reply_is_good(&ours) == reply_is_good(theirs));
	must(reply_is_good(&ours) || ours.code / 100 == 4 ||
	    (ours.code / 100 == 5 && theirs->code == ours.code &&
	    (!defers_5xx || ours.code == 552)));
}

/* The first is of the greeting where that or EHLO failed, the last that it is
 * over */
static void
hear(struct hop *hop, struct heard *heard)
{
	struct reply *reply = heard->replies;
	struct hop_link *link = hop_take(hop, true, INT64_MAX, reply);
	int rc = link != NULL ? 0 : -1;

	if (link != NULL)
		heard->offer = link->offer;
	while (rc == 0 && heard->count < REPLIES_MAX) {
		reply = &heard->replies[heard->count++];
		rc = hop_hear(link, reply);
		check_reply(reply);
		check_mapped(reply, false);
		check_mapped(reply, true);
	}
	must(rc == 0 || reply->code == 451);
	if (link != NULL)
		hop_drop(link);
}

static void
run(const char *bytes, size_t size, size_t piece, struct heard *heard)
{
	struct hop *hop = hop_new("smtp://127.0.0.1:25");
	int fds[2];

	must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) == 0);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	next_fd = fds[0];
	say(fds[1], bytes, size, piece);
	memset(heard, 0, sizeof(*heard));
	hear(hop, heard);
	close(fds[1]);
	hop_free(hop);
}

static void
must_be_same(const struct heard *one, const struct heard *two)
{
	must(one->count == two->count);
	must(one->offer.extensions == two->offer.extensions &&
	    one->offer.size == two->offer.size &&
	    one->offer.xforward == two->offer.xforward);
	for (unsigned i = 0; i < REPLIES_MAX; i++)
		must(one->replies[i].code == two->replies[i].code &&
		    strcmp(one->replies[i].text, two->replies[i].text) == 0 &&
		    strcmp(one->replies[i].enhanced,
		    two->replies[i].enhanced) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct heard whole, pieces;
	const char *bytes = (const char *)data + 1;
	size_t piece;

	if (size-- < 1 || size > 4 * PIECE_MAX)
		return 0;
	piece = 1 + data[0];
	if (piece < size / PIECES_MAX + 1)
		piece = size / PIECES_MAX + 1;
	run(bytes, size, PIECE_MAX, &whole);
	run(bytes, size, piece, &pieces);
	must_be_same(&whole, &pieces);
	return 0;
}
