/* SPDX-License-Identifier: ISC */
/* hop.c - opens connections to the next hop, learns what it offers, keeps those
 * that are idle. Must never hand out one that is known to have gone. Next:
 * inject.c speaks on them. */
#include "dkimsign/hop.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/endpoint.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/xmalloc.h"

#define OPEN_MS 30000		/* to connect, and for greeting and EHLO */
#define KEPT_MS 30000		/* idle; Postfix closes after 300 s, under
				 * stress after 10 */
#define LINE_MAX_BYTES 4096	/* of a reply; the RFC has 512 */
#define LINES_MAX 200		/* in one reply */

struct hop {
	char *uri;
	char *endpoint_text;	/* to points into it */
	struct endpoint to;
	bool is_lmtp;
	char name[256];		/* ours */

	pthread_mutex_t mutex;
	bool is_known;		/* and what it offered last */
	struct offer offer;
	struct hop_link *idle;	/* the one used last in front */
};

static const struct scheme {
	const char *prefix;
	const char *endpoint;
	bool is_lmtp;
} schemes[] = {
	{ "smtp://", "inet:", false },
	{ "smtp+unix:", "unix:", false },
	{ "lmtp://", "inet:", true },
	{ "lmtp+unix:", "unix:", true },
};

static const struct scheme *
scheme_of(const char *uri)
{
	size_t i;

	for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strncmp(uri, schemes[i].prefix,
		    strlen(schemes[i].prefix)) == 0)
			return &schemes[i];
	return NULL;
}

/* "smtp://host:25" as "inet:host:25"; the caller frees it */
static char *
endpoint_of(const struct scheme *scheme, const char *uri)
{
	return xasprintf("%s%s", scheme->endpoint,
	    uri + strlen(scheme->prefix));
}

int
hop_check(const char *uri, const char **why)
{
	const struct scheme *scheme = scheme_of(uri);
	struct endpoint to;
	char *text;
	int rc;

	*why = "wants smtp://host:port, smtp+unix:/path, lmtp://host:port "
	    "or lmtp+unix:/path";
	if (scheme == NULL)
		return -1;
	text = endpoint_of(scheme, uri);
	rc = endpoint_parse(text, &to, why);
	free(text);
	return rc;
}

struct hop *
hop_new(const char *uri)
{
	struct hop *hop = xcalloc(1, sizeof(*hop));
	const struct scheme *scheme = scheme_of(uri);
	const char *why = "not a next hop";

	if (scheme == NULL)
		panic("%s: %s", uri, why);
	hop->uri = xstrdup(uri);
	hop->endpoint_text = endpoint_of(scheme, uri);
	if (endpoint_parse(hop->endpoint_text, &hop->to, &why) == -1)
		panic("%s: %s", uri, why);
	hop->is_lmtp = scheme->is_lmtp;
	if (gethostname(hop->name, sizeof(hop->name) - 1) == -1)
		strcpy(hop->name, "localhost");
	pthread_mutex_init(&hop->mutex, NULL);
	return hop;
}

bool
hop_is_lmtp(const struct hop *hop)
{
	return hop->is_lmtp;
}

void
hop_drop(struct hop_link *link)
{
	wire_close(&link->wire);
	free(link);
}

/* Says so to the next hop, which need not answer */
static void
drop_politely(struct hop_link *link)
{
	struct iovec quit = { "QUIT\r\n", 6 };

	wire_expect(&link->wire, 0, 0);
	wire_write(&link->wire, &quit, 1);
	hop_drop(link);
}

void
hop_free(struct hop *hop)
{
	struct hop_link *link;

	if (hop == NULL)
		return;
	while ((link = hop->idle) != NULL) {
		hop->idle = link->next;
		drop_politely(link);
	}
	pthread_mutex_destroy(&hop->mutex);
	free(hop->endpoint_text);
	free(hop->uri);
	free(hop);
}

void
hop_trouble(const struct hop_link *link, enum wire_end end,
    struct reply *out)
{
	static const char *const words[] = {
		[WIRE_CLOSED] = "closed the connection",
		[WIRE_TIMED_OUT] = "timed out",
		[WIRE_TOO_LONG] = "says something that is no reply",
	};

	int error = end == WIRE_CLOSED ? link->wire.error : 0;

	reply_set(out, error == ECONNREFUSED ? "451 4.4.1" : "451 4.4.2",
	    "next hop %s: %s", link->hop->uri,
	    error != 0 ? strerror(error) : words[end]);
}

/* offer: gets the lines behind the first; NULL */
static int
hear(struct hop_link *link, struct reply *out, struct offer *offer)
{
	enum reply_part part = REPLY_MORE;
	enum wire_end end = WIRE_OK;
	unsigned lines;
	char *line;
	size_t len;

	*out = (struct reply){ 0 };
	for (lines = 0; part == REPLY_MORE && end == WIRE_OK; lines++) {
		end = wire_line(&link->wire, LINE_MAX_BYTES, &line, &len);
		if (end != WIRE_OK)
			break;
		if (len > 0 && line[len - 1] == '\r')
			line[len - 1] = '\0';
		part = lines < LINES_MAX ? reply_line(out, line) : REPLY_BAD;
		if (part == REPLY_BAD)
			end = WIRE_TOO_LONG;
		else if (offer != NULL && lines > 0 && strlen(line) > 4)
			offer_take(offer, line + 4);
	}
	if (end == WIRE_OK)
		return 0;
	hop_trouble(link, end, out);
	return -1;
}

int
hop_hear(struct hop_link *link, struct reply *out)
{
	return hear(link, out, NULL);
}

/* A reply that is not what we came for, as our 4xx */
static int
refused(const struct hop_link *link, const char *what, struct reply *why)
{
	struct reply theirs = *why;

	reply_set(why, "451 4.4.1", "next hop %s refused %s: %d %.300s",
	    link->hop->uri, what, theirs.code, theirs.text);
	return -1;
}

static int
greet(struct hop_link *link, struct reply *why)
{
	if (hear(link, why, NULL) == -1)
		return -1;
	if (!reply_is_good(why))
		return refused(link, "a connection", why);
	wire_printf(&link->wire, "%s %s\r\n", link->hop->is_lmtp ? "LHLO"
	    : "EHLO", link->hop->name);
	if (hear(link, why, &link->offer) == -1)
		return -1;
	return reply_is_good(why) ? 0 : refused(link, "EHLO", why);
}

static void
learn(struct hop *hop, const struct offer *offer)
{
	pthread_mutex_lock(&hop->mutex);
	hop->offer = *offer;
	hop->is_known = true;
	pthread_mutex_unlock(&hop->mutex);
}

static struct hop_link *
link_open(struct hop *hop, int64_t limit, struct reply *why)
{
	struct hop_link *link;
	const char *reason;
	int fd = endpoint_connect(&hop->to, &reason);

	if (fd == -1) {
		reply_set(why, "451 4.4.1", "next hop %s: %s", hop->uri,
		    reason);
		return NULL;
	}
	link = xcalloc(1, sizeof(*link));
	link->hop = hop;
	wire_open(&link->wire, fd);
	wire_expect(&link->wire, OPEN_MS, limit);
	if (greet(link, why) == -1) {
		hop_drop(link);
		return NULL;
	}
	learn(hop, &link->offer);
	return link;
}

/* The one that was used last, if there is one */
static struct hop_link *
idle_take(struct hop *hop)
{
	struct hop_link *link;

	pthread_mutex_lock(&hop->mutex);
	link = hop->idle;
	if (link != NULL)
		hop->idle = link->next;
	pthread_mutex_unlock(&hop->mutex);
	return link;
}

/* What is there to be read on an idle connection is a 421, or its end */
static struct hop_link *
kept_take(struct hop *hop)
{
	struct hop_link *link;

	while ((link = idle_take(hop)) != NULL) {
		if (!wire_is_readable(&link->wire))
			return link;
		hop_drop(link);
	}
	return NULL;
}

struct hop_link *
hop_take(struct hop *hop, bool is_fresh, int64_t limit, struct reply *why)
{
	struct hop_link *link = is_fresh ? NULL : kept_take(hop);

	return link != NULL ? link : link_open(hop, limit, why);
}

void
hop_give(struct hop *hop, struct hop_link *link)
{
	link->kept_at = loop_ticks();
	pthread_mutex_lock(&hop->mutex);
	link->next = hop->idle;
	hop->idle = link;
	pthread_mutex_unlock(&hop->mutex);
}

/* Behind the first that is too old all are */
void
hop_reap(struct hop *hop)
{
	int64_t oldest = loop_ticks() - KEPT_MS;
	struct hop_link **at, *link, *old;

	pthread_mutex_lock(&hop->mutex);
	for (at = &hop->idle; *at != NULL && (*at)->kept_at > oldest;
	    at = &(*at)->next)
		;
	old = *at;
	*at = NULL;
	pthread_mutex_unlock(&hop->mutex);
	while ((link = old) != NULL) {
		old = link->next;
		drop_politely(link);
	}
}

bool
hop_offer(struct hop *hop, struct offer *out, struct reply *why)
{
	struct hop_link *link;
	bool is_known;

	pthread_mutex_lock(&hop->mutex);
	is_known = hop->is_known;
	*out = hop->offer;
	pthread_mutex_unlock(&hop->mutex);
	if (is_known)
		return true;
	link = hop_take(hop, true, INT64_MAX, why);
	if (link == NULL)
		return false;
	*out = link->offer;
	hop_give(hop, link);
	return true;
}
