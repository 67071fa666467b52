/* SPDX-License-Identifier: ISC */
/* dns_txt.c - asks by c-ares, and waits. No answer, or a bad one, is UNKNOWN;
 * that there is no such name or record is ABSENT. */
#define CARES_NO_DEPRECATED	/* Debian 12 has no other calls */
#include "dkimsign/dns_txt.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <sys/select.h>

#define TIMEOUT_MS 2000		/* of the first try; the second gets more */
#define TRIES 2

struct question {
	struct arena *arena;
	const char **text, **why;
	enum record_answer answer;
};

static void
take_text(struct question *q, const unsigned char *bytes, int len)
{
	struct ares_txt_ext *list, *at;
	const char *text = "";
	int rc = ares_parse_txt_reply_ext(bytes, len, &list);

	if (rc != ARES_SUCCESS) {
		*q->why = ares_strerror(rc);
		return;
	}
	for (at = list; at != NULL && (at == list || !at->record_start);
	    at = at->next)
		text = arena_printf(q->arena, "%s%.*s", text, (int)at->length,
		    (const char *)at->txt);
	ares_free_data(list);
	*q->text = text;
	q->answer = RECORD_FOUND;
}

static void
answered(void *arg, int status, int timeouts, unsigned char *bytes, int len)
{
	struct question *q = arg;

	(void)timeouts;
	*q->why = ares_strerror(status);
	if (status == ARES_SUCCESS)
		take_text(q, bytes, len);
	else if (status == ARES_ENOTFOUND || status == ARES_ENODATA)
		q->answer = RECORD_ABSENT;
}

/* Until it is answered or has timed out */
static void
wait_for(ares_channel channel)
{
	struct timeval room, *left;
	fd_set readers, writers;
	int count;

	for (;;) {
		FD_ZERO(&readers);
		FD_ZERO(&writers);
		count = ares_fds(channel, &readers, &writers);
		if (count == 0)
			return;
		left = ares_timeout(channel, NULL, &room);
		select(count, &readers, &writers, NULL, left);
		ares_process(channel, &readers, &writers);
	}
}

enum record_answer
dns_txt(struct arena *arena, const char *server, const char *name,
    const char **text, const char **why)
{
	struct ares_options options = { .timeout = TIMEOUT_MS,
		.tries = TRIES };
	struct question q = { arena, text, why, RECORD_UNKNOWN };
	ares_channel channel;
	int rc = ares_library_init(ARES_LIB_INIT_ALL);

	if (rc == ARES_SUCCESS)
		rc = ares_init_options(&channel, &options,
		    ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
	*why = ares_strerror(rc);
	if (rc != ARES_SUCCESS)
		return RECORD_UNKNOWN;
	if (server != NULL)
		rc = ares_set_servers_ports_csv(channel, server);
	*why = "not the address of a name server";
	if (rc == ARES_SUCCESS) {
		ares_query(channel, name, ns_c_in, ns_t_txt, answered, &q);
		wait_for(channel);
	}
	ares_destroy(channel);
	ares_library_cleanup();
	return q.answer;
}
