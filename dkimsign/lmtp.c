/* SPDX-License-Identifier: ISC */
/* lmtp.c - the server side of LMTP: a command per row, each with one reply, and
 * after a message one for each recipient, all in one write. Knows the protocol,
 * not what becomes of a message: message.c does. */
#include "dkimsign/lmtp.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/log.h"
#include "common/loop.h"
#include "dkimsign/envelope.h"
#include "dkimsign/message.h"
#include "dkimsign/report.h"
#include "dkimsign/wire.h"
#include "dkimsign/xforward.h"

#define LINE_BYTES 8192		/* of a command: XFORWARD with a HELO of 2048,
				 * Postfix's limit, may have 3 for each */
#define ERRORS_MAX 50		/* in one session */
#define COMMAND_MS 300000	/* as RFC 5321 4.5.3.2.7 has it */
#define DATA_MS 180000		/* for the next bytes of a message */
#define MESSAGE_MS 1800000	/* for all of them */
#define WRITE_MS 60000

struct lmtp {
	struct service *service;
	struct wire wire;
	struct arena *arena;	/* of the transaction */
	struct spool *spool;
	struct offer offer;	/* ours, for this session */
	bool is_greeted;	/* LHLO came */
	bool has_mail;
	struct envelope envelope;
	struct xforward xforward;
	unsigned errors;
	bool is_over;
};

static void
answer(struct lmtp *lmtp, const struct reply *reply)
{
	lmtp->errors += reply->code >= 500;
	wire_printf(&lmtp->wire, "%d %s %s\r\n", reply->code,
	    reply->enhanced, reply->text);
}

static void __attribute__((format(printf, 3, 4)))
say(struct lmtp *lmtp, const char *codes, const char *fmt, ...)
{
	struct reply reply;
	char text[REPLY_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	reply_set(&reply, codes, "%s", text);
	answer(lmtp, &reply);
}

/* As in Postfix, what XFORWARD said holds for one transaction */
static void
transaction_end(struct lmtp *lmtp)
{
	lmtp->has_mail = false;
	lmtp->envelope = (struct envelope){ 0 };
	lmtp->xforward = (struct xforward){ 0 };
	spool_empty(lmtp->spool);
	arena_reset(lmtp->arena);
}

static uint64_t
size_max(const struct lmtp *lmtp)
{
	uint64_t ours = lmtp->service->max_message_bytes;

	return lmtp->offer.size > 0 && lmtp->offer.size < ours
	    ? lmtp->offer.size : ours;
}

static void
offer_xforward(struct lmtp *lmtp)
{
	unsigned i;

	wire_printf(&lmtp->wire, "250-XFORWARD");
	for (i = 0; i < XFORWARD_ATTRIBUTES; i++)
		if (lmtp->offer.xforward & (1u << i))
			wire_printf(&lmtp->wire, " %s", xforward_names[i]);
	wire_printf(&lmtp->wire, "\r\n");
}

/* While nobody knows what the next hop takes: offered too little, and Postfix
 * bounces what needs it */
static void
do_lhlo(struct lmtp *lmtp, const char *arguments)
{
	static struct log_limit limit;
	struct wire *wire = &lmtp->wire;
	struct reply why;
	unsigned has;

	if (*arguments == '\0') {
		say(lmtp, "501 5.5.4", "LHLO wants your name");
		return;
	}
	if (!hop_offer(lmtp->service->hop, &lmtp->offer, &why)) {
		if (log_allows(&limit))
			log_warn(NULL, "no session yet: %s", why.text);
		say(lmtp, "421 4.3.2", "%s", why.text);
		lmtp->is_over = true;
		return;
	}
	transaction_end(lmtp);
	lmtp->is_greeted = true;
	has = lmtp->offer.extensions;
	wire_printf(wire, "250-dkimsign\r\n250-PIPELINING\r\n");
	if (has & OFFER_8BITMIME)
		wire_printf(wire, "250-8BITMIME\r\n");
	if (has & OFFER_SMTPUTF8)
		wire_printf(wire, "250-SMTPUTF8\r\n");
	if (has & OFFER_DSN)
		wire_printf(wire, "250-DSN\r\n");
	if (has & OFFER_SIZE)
		wire_printf(wire, "250-SIZE %llu\r\n",
		    (unsigned long long)size_max(lmtp));
	if ((has & OFFER_XFORWARD) && lmtp->offer.xforward != 0)
		offer_xforward(lmtp);
	wire_printf(wire, "250 ENHANCEDSTATUSCODES\r\n");
}

/* RFC 2033 4.1: a client that takes us for SMTP must hear so */
static void
do_helo(struct lmtp *lmtp, const char *arguments)
{
	(void)arguments;
	say(lmtp, "500 5.5.1", "this is LMTP: LHLO");
}

static void
do_xforward(struct lmtp *lmtp, const char *arguments)
{
	if (lmtp->has_mail)
		say(lmtp, "503 5.5.1", "XFORWARD inside a transaction");
	else if (xforward_take(&lmtp->xforward, arguments,
	    lmtp->offer.xforward) == -1)
		say(lmtp, "501 5.5.4", "XFORWARD NAME=value ...");
	else
		say(lmtp, "250 2.0.0", "Ok");
}

static void
do_mail(struct lmtp *lmtp, const char *arguments)
{
	struct reply why;

	if (lmtp->has_mail)
		say(lmtp, "503 5.5.1", "MAIL inside a transaction");
	else if (envelope_mail(&lmtp->envelope, lmtp->arena, arguments,
	    &lmtp->offer, size_max(lmtp), &why) == -1)
		answer(lmtp, &why);
	else {
		lmtp->has_mail = true;
		say(lmtp, "250 2.1.0", "Ok");
	}
}

static void
do_rcpt(struct lmtp *lmtp, const char *arguments)
{
	struct reply why;

	if (!lmtp->has_mail)
		say(lmtp, "503 5.5.1", "MAIL first");
	else if (envelope_rcpt(&lmtp->envelope, lmtp->arena, arguments,
	    &lmtp->offer, &why) == -1)
		answer(lmtp, &why);
	else
		say(lmtp, "250 2.1.5", "Ok");
}

/* In the middle of a message, where nobody stops us */
static const char *const end_words[] = {
	[WIRE_CLOSED] = "connection lost",
	[WIRE_TIMED_OUT] = "timed out",
};

/* All of the message to its end. False: it never came. */
static bool
read_message(struct lmtp *lmtp)
{
	int64_t limit = loop_ticks() + MESSAGE_MS;
	enum wire_end end = WIRE_OK;
	char *bytes;
	size_t len;

	spool_begin(lmtp->spool, size_max(lmtp));
	while (end == WIRE_OK && !spool_is_whole(lmtp->spool)) {
		wire_expect(&lmtp->wire, DATA_MS, limit);
		end = wire_bytes(&lmtp->wire, &bytes, &len);
		if (end == WIRE_OK)
			wire_used(&lmtp->wire,
			    spool_feed(lmtp->spool, bytes, len));
	}
	if (end == WIRE_OK)
		return true;
	report_unfinished(xforward_text(&lmtp->xforward, lmtp->arena,
	    XFORWARD_IDENT), end_words[end]);
	lmtp->is_over = true;
	return false;
}

static void
deliver(struct lmtp *lmtp)
{
	struct message message = {
		.service = lmtp->service, .arena = lmtp->arena,
		.envelope = &lmtp->envelope, .xforward = &lmtp->xforward,
		.spool = lmtp->spool,
	};
	enum wire_end end;
	size_t i;

	message_deliver(&message);
	report_message(&message);
	for (i = 0; i < lmtp->envelope.count; i++)
		answer(lmtp, &message.replies[i]);
	wire_expect(&lmtp->wire, WRITE_MS, INT64_MAX);
	end = wire_flush(&lmtp->wire);
	if (end == WIRE_OK)
		return;
	report_unanswered(&message, end_words[end]);
	lmtp->is_over = true;
}

static void
do_data(struct lmtp *lmtp, const char *arguments)
{
	(void)arguments;
	if (lmtp->envelope.count == 0) {
		say(lmtp, "503 5.5.1", "no valid recipients");
		return;
	}
	wire_printf(&lmtp->wire, "354 end with <CR><LF>.<CR><LF>\r\n");
	lmtp->wire.stop_fd = -1;	/* what was begun is finished */
	if (read_message(lmtp))
		deliver(lmtp);
	lmtp->wire.stop_fd = lmtp->service->stop_fd;
	transaction_end(lmtp);
}

static void
do_rset(struct lmtp *lmtp, const char *arguments)
{
	(void)arguments;
	transaction_end(lmtp);
	say(lmtp, "250 2.0.0", "Ok");
}

static void
do_noop(struct lmtp *lmtp, const char *arguments)
{
	(void)arguments;
	say(lmtp, "250 2.0.0", "Ok");
}

static void
do_vrfy(struct lmtp *lmtp, const char *arguments)
{
	(void)arguments;
	say(lmtp, "252 2.0.0", "send some mail, and see");
}

static void
do_quit(struct lmtp *lmtp, const char *arguments)
{
	(void)arguments;
	say(lmtp, "221 2.0.0", "Bye");
	lmtp->is_over = true;
}

static const struct command {
	const char *verb;
	void (*run)(struct lmtp *lmtp, const char *arguments);
	bool needs_lhlo;
	bool is_bare;		/* takes no arguments */
} commands[] = {
	{ "LHLO", do_lhlo, false, false },
	{ "HELO", do_helo, false, false },
	{ "EHLO", do_helo, false, false },
	{ "XFORWARD", do_xforward, true, false },
	{ "MAIL", do_mail, true, false },
	{ "RCPT", do_rcpt, true, false },
	{ "DATA", do_data, true, true },
	{ "RSET", do_rset, false, true },
	{ "NOOP", do_noop, false, false },
	{ "VRFY", do_vrfy, false, false },
	{ "QUIT", do_quit, false, true },
};

static const struct command *
command_of(const char *line, size_t verb_len)
{
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strlen(commands[i].verb) == verb_len &&
		    strncasecmp(commands[i].verb, line, verb_len) == 0)
			return &commands[i];
	return NULL;
}

/* A line is what ends with CRLF and has no other control byte in it */
static bool
is_clean(char *line, size_t len)
{
	size_t i;

	if (len == 0 || line[len - 1] != '\r')
		return false;
	line[len - 1] = '\0';
	for (i = 0; i < len - 1; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == '\x7f')
			return false;
	return true;
}

static void
run(struct lmtp *lmtp, char *line, size_t len)
{
	const struct command *command;
	const char *arguments;
	size_t verb_len;

	if (!is_clean(line, len)) {
		say(lmtp, "500 5.5.2", "not a line that ends with CRLF");
		return;
	}
	verb_len = strcspn(line, " ");
	arguments = line + verb_len + strspn(line + verb_len, " ");
	command = command_of(line, verb_len);
	if (command == NULL)
		say(lmtp, "500 5.5.2", "no such command");
	else if (command->needs_lhlo && !lmtp->is_greeted)
		say(lmtp, "503 5.5.1", "LHLO first");
	else if (command->is_bare && *arguments != '\0')
		say(lmtp, "501 5.5.4", "%s takes no arguments", command->verb);
	else
		command->run(lmtp, arguments);
}

/* The next command, and its reply into the buffer */
static void
serve_line(struct lmtp *lmtp)
{
	enum wire_end end;
	char *line;
	size_t len;

	wire_expect(&lmtp->wire, COMMAND_MS, INT64_MAX);
	end = wire_line(&lmtp->wire, LINE_BYTES, &line, &len);
	lmtp->is_over = end != WIRE_OK && end != WIRE_TOO_LONG;
	if (end == WIRE_OK)
		run(lmtp, line, len);
	else if (end == WIRE_TOO_LONG)
		say(lmtp, "500 5.5.2", "line too long");
	else if (end == WIRE_STOPPED)
		say(lmtp, "421 4.3.2", "dkimsign stops");
	else if (end == WIRE_TIMED_OUT)
		say(lmtp, "421 4.4.2", "timed out");
	if (lmtp->errors > ERRORS_MAX && !lmtp->is_over) {
		say(lmtp, "421 4.7.0", "too many errors");
		lmtp->is_over = true;
	}
}

void
lmtp_serve(struct service *service, int fd)
{
	struct lmtp lmtp = {
		.service = service, .arena = arena_new(0),
		.spool = spool_new(service->spool_dir, service->body_canon),
	};

	wire_open(&lmtp.wire, fd);
	lmtp.wire.stop_fd = service->stop_fd;
	wire_printf(&lmtp.wire, "220 dkimsign LMTP\r\n");
	while (!lmtp.is_over)
		serve_line(&lmtp);
	wire_expect(&lmtp.wire, WRITE_MS, INT64_MAX);
	wire_flush(&lmtp.wire);
	wire_close(&lmtp.wire);
	spool_free(lmtp.spool);
	arena_free(lmtp.arena);
}
