/* SPDX-License-Identifier: ISC */
/* inject.c - one mail transaction with the next hop, from top to bottom:
 * envelope, message, answer. Must never send the same message a second time
 * once its last byte was sent, nor take silence for a yes. Next: message.c
 * maps what was said. */
#include "dkimsign/inject.h"

#include <string.h>

#include "common/log.h"
#include "common/loop.h"

#define ENVELOPE_MS 60000	/* for all of its replies */
#define PIECE_MS 60000		/* to get rid of a piece of the message */
#define LAST_WORD_MS 1000	/* what is said by who does not listen */
#define PIECES 64		/* in one write */

const char *const inject_fault_words[INJECT_FAULTS] = {
	[INJECT_NO_FAULT] = "-",
	[INJECT_CONNECT] = "connect",
	[INJECT_ENVELOPE] = "envelope",
	[INJECT_DATA] = "data",
	[INJECT_ANSWER] = "answer",
};

/* The reply of recipients that nothing was said about yet: RCPT was accepted,
 * or not even sent */
static void
settle(struct injection *in, const struct reply *reply)
{
	size_t i;

	for (i = 0; i < in->envelope->count; i++)
		if (in->replies[i].code == 0)
			in->replies[i] = *reply;
}

static size_t
count_open(const struct injection *in)
{
	size_t i, count = 0;

	for (i = 0; i < in->envelope->count; i++)
		count += in->replies[i].code == 0;
	return count;
}

/* ---- Before the message ---- */

struct talk {
	struct injection *in;
	struct hop_link *link;
	bool is_lost;			/* reply says why */
	struct reply reply;
};

static bool
offers(const struct talk *talk, enum offer_extension extension)
{
	return talk->link->offer.extensions & extension;
}

/* One reply. 421 is a connection lost, too. */
static bool
heard(struct talk *talk)
{
	if (!talk->is_lost && (hop_hear(talk->link, &talk->reply) == -1 ||
	    talk->reply.code == 421))
		talk->is_lost = true;
	return !talk->is_lost;
}

/* Not more than 512 bytes a line: name, address and port, then the rest. A
 * refusal costs a line in the log, no message. */
static void
say_xforward(const struct talk *talk, unsigned from, unsigned to)
{
	struct wire *wire = &talk->link->wire;
	const struct xforward *xforward = talk->in->xforward;
	unsigned i;

	wire_printf(wire, "XFORWARD");
	for (i = from; i < to; i++)
		if (talk->link->offer.xforward & (1u << i))
			wire_printf(wire, " %s=%s", xforward_names[i],
			    *xforward->values[i] != '\0' ?
			    xforward->values[i] : "[UNAVAILABLE]");
	wire_printf(wire, "\r\n");
}

static void
hear_xforward(struct talk *talk, size_t at)
{
	static struct log_limit limit;

	(void)at;
	if (heard(talk) && !reply_is_good(&talk->reply) && log_allows(&limit))
		log_warn(NULL, "next hop refused XFORWARD: %d %s",
		    talk->reply.code, log_foreign_words(talk->reply.text));
}

static void
say_xforward_client(const struct talk *talk, size_t at)
{
	(void)at;
	say_xforward(talk, XFORWARD_NAME, XFORWARD_PORT + 1);
}

static void
say_xforward_rest(const struct talk *talk, size_t at)
{
	(void)at;
	say_xforward(talk, XFORWARD_PROTO, XFORWARD_ATTRIBUTES);
}

static void
say_mail(const struct talk *talk, size_t at)
{
	struct wire *wire = &talk->link->wire;

	(void)at;
	wire_printf(wire, "MAIL FROM:<%s>", talk->in->envelope->sender);
	if (offers(talk, OFFER_SIZE))
		wire_printf(wire, " SIZE=%llu", (unsigned long long)
		    (spool_bytes(talk->in->spool) + talk->in->fields_len));
	wire_printf(wire, "%s\r\n", talk->in->envelope->parameters);
}

static void
hear_mail(struct talk *talk, size_t at)
{
	(void)at;
	if (heard(talk) && !reply_is_good(&talk->reply))
		settle(talk->in, &talk->reply);
}

static void
say_rcpt(const struct talk *talk, size_t at)
{
	const struct recipient *to = &talk->in->envelope->recipients[at];

	wire_printf(&talk->link->wire, "RCPT TO:<%s>%s\r\n", to->address,
	    to->parameters);
}

/* What MAIL has settled stays as it is */
static void
hear_rcpt(struct talk *talk, size_t at)
{
	struct reply *reply = &talk->in->replies[at];

	if (heard(talk) && !reply_is_good(&talk->reply) && reply->code == 0)
		*reply = talk->reply;
}

static void
say_data(const struct talk *talk, size_t at)
{
	(void)at;
	wire_printf(&talk->link->wire, "DATA\r\n");
}

/* A yes to DATA is no yes to the message */
static void
hear_data(struct talk *talk, size_t at)
{
	struct reply reply;

	(void)at;
	if (!heard(talk) || talk->reply.code == 354)
		return;
	reply = talk->reply;
	if (reply.code < 400)
		reply_set(&reply, "451 4.5.0", "next hop said to DATA: %d %s "
		    "%.300s", talk->reply.code, talk->reply.enhanced,
		    talk->reply.text);
	settle(talk->in, &reply);
}

/* As Postfix does: what is not known at all is not said */
static bool
knows(const struct talk *talk, unsigned from, unsigned to)
{
	unsigned i;

	for (i = from; i < to; i++)
		if (*talk->in->xforward->values[i] != '\0' &&
		    (talk->link->offer.xforward & (1u << i)))
			return true;
	return false;
}

static bool
wants_xforward_client(const struct talk *talk)
{
	return knows(talk, XFORWARD_NAME, XFORWARD_PORT + 1);
}

static bool
wants_xforward_rest(const struct talk *talk)
{
	return knows(talk, XFORWARD_PROTO, XFORWARD_ATTRIBUTES);
}

static bool
wants_data(const struct talk *talk)
{
	return !offers(talk, OFFER_CHUNKING);
}

static const struct command {
	void (*say)(const struct talk *talk, size_t at);
	void (*hear)(struct talk *talk, size_t at);
	bool (*is_wanted)(const struct talk *talk);	/* NULL: always */
	bool is_each;		/* for each recipient */
} commands[] = {
	{ say_xforward_client, hear_xforward, wants_xforward_client, false },
	{ say_xforward_rest, hear_xforward, wants_xforward_rest, false },
	{ say_mail, hear_mail, NULL, false },
	{ say_rcpt, hear_rcpt, NULL, true },
	{ say_data, hear_data, wants_data, false },
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

/* Says, hears, or one after the other where the next hop wants it so; all that
 * it says then is a refusal once nobody is left */
static void
go_through(struct talk *talk, bool says, bool hears)
{
	const struct command *command;
	size_t at, times;

	for (command = commands; command < commands + COMMANDS; command++) {
		if (command->is_wanted != NULL && !command->is_wanted(talk))
			continue;
		times = command->is_each ? talk->in->envelope->count : 1;
		for (at = 0; at < times && !talk->is_lost; at++) {
			if (says && hears && count_open(talk->in) == 0)
				return;
			if (says)
				command->say(talk, at);
			if (hears)
				command->hear(talk, at);
		}
	}
}

static void
envelope(struct talk *talk)
{
	wire_expect(&talk->link->wire, ENVELOPE_MS, talk->in->limit);
	if (offers(talk, OFFER_PIPELINING)) {
		go_through(talk, true, false);
		go_through(talk, false, true);
	} else
		go_through(talk, true, true);
}

/* ---- The message ---- */

struct sending {
	struct wire *wire;
	int64_t limit;
	bool stuffs_dots;
	bool is_at_line;	/* a line begins with the next byte */
	bool is_in_memory;	/* the whole message: pieces stay */
	enum wire_end end;
	struct iovec pieces[PIECES];
	int count;
};

static void
flush(struct sending *sending)
{
	if (sending->end == WIRE_OK && sending->count > 0) {
		wire_expect(sending->wire, PIECE_MS, sending->limit);
		sending->end = wire_write(sending->wire, sending->pieces,
		    sending->count);
	}
	sending->count = 0;
}

static void
add(struct sending *sending, const char *bytes, size_t len)
{
	if (len == 0)
		return;
	if (sending->count == PIECES)
		flush(sending);
	sending->pieces[sending->count++] = (struct iovec){
		(void *)(uintptr_t)bytes, len };
}

/* The next dot that begins a line; NULL: there is none. What was spooled has no
 * LF but in CRLF. */
static const char *
next_dot(const struct sending *sending, const char *at, const char *from,
    const char *end)
{
	const char *lf;

	if (at == from && sending->is_at_line && at < end && *at == '.')
		return at;
	lf = memmem(at, (size_t)(end - at), "\n.", 2);
	return lf != NULL ? lf + 1 : NULL;
}

static int
send_piece(void *to, const char *bytes, size_t len)
{
	struct sending *sending = to;
	const char *at = bytes, *end = bytes + len, *dot;

	while (sending->stuffs_dots &&
	    (dot = next_dot(sending, at, bytes, end)) != NULL) {
		add(sending, at, (size_t)(dot - at));
		add(sending, "..", 2);
		at = dot + 1;
	}
	add(sending, at, (size_t)(end - at));
	sending->is_at_line = len > 0 && end[-1] == '\n';
	if (!sending->is_in_memory)
		flush(sending);
	return sending->end == WIRE_OK ? 0 : -1;
}

/* Everything to its last byte, or else talk->is_lost */
static void
message(struct talk *talk)
{
	const struct injection *in = talk->in;
	bool is_chunk = offers(talk, OFFER_CHUNKING);
	uint64_t bytes = spool_bytes(in->spool) + in->fields_len;
	struct sending sending = {
		.wire = &talk->link->wire, .limit = in->limit,
		.stuffs_dots = !is_chunk, .is_at_line = true,
		.is_in_memory = bytes <= SPOOL_MEMORY,
	};
	const char *chunk = arena_printf(in->arena, "BDAT %llu LAST\r\n",
	    (unsigned long long)bytes);
	int rc;

	if (is_chunk)
		add(&sending, chunk, strlen(chunk));
	add(&sending, in->fields, in->fields_len);
	rc = spool_each(in->spool, send_piece, &sending);
	if (rc == 0 && !is_chunk)
		add(&sending, ".\r\n", 3);
	if (rc == 0)
		flush(&sending);
	talk->is_lost = rc != 0 || sending.end != WIRE_OK;
	if (sending.end != WIRE_OK)
		hop_trouble(talk->link, sending.end, &talk->reply);
	else if (rc != 0)
		reply_set(&talk->reply, "451 4.3.0", "spool cannot be read");
}

/* Who closes before the end has mostly said why, and 421 is no answer */
static bool
hears_why(struct talk *talk)
{
	struct reply last;

	wire_expect(&talk->link->wire, LAST_WORD_MS, talk->in->limit);
	if (hop_hear(talk->link, &last) == -1 || last.code < 400 ||
	    last.code == 421)
		return false;
	settle(talk->in, &last);
	return true;
}

/* ---- Behind its last byte ---- */

/* SMTP says one for all, LMTP one for each that it has accepted. What is not
 * said is in doubt (RFC 1047): Postfix comes back, and we do not. */
static void
answer(struct talk *talk)
{
	struct injection *in = talk->in;
	struct reply doubt;
	size_t i;

	wire_expect(&talk->link->wire, INT64_MAX / 2, in->limit);
	if (!hop_is_lmtp(in->hop) && heard(talk))
		settle(in, &talk->reply);
	for (i = 0; i < in->envelope->count && !talk->is_lost; i++)
		if (in->replies[i].code == 0 && heard(talk))
			in->replies[i] = talk->reply;
	if (!talk->is_lost)
		return;
	in->fault = INJECT_ANSWER;
	reply_set(&doubt, "451 4.4.2", "%.200s; it may have the message",
	    talk->reply.text);
	settle(in, &doubt);
}

/* ---- All of it ---- */

/* True: every recipient has its reply. False: lost before the last byte, for
 * the reason in *why. */
static bool
attempt(struct talk *talk)
{
	struct injection *in = talk->in;

	in->fault = INJECT_ENVELOPE;
	envelope(talk);
	if (talk->is_lost)
		return false;
	in->fault = INJECT_NO_FAULT;
	if (count_open(in) == 0)
		return true;
	in->fault = INJECT_DATA;
	message(talk);
	if (talk->is_lost)
		return hears_why(talk);
	in->fault = INJECT_NO_FAULT;
	answer(talk);
	return true;
}

static bool
is_accepted(const struct injection *in)
{
	size_t i;

	for (i = 0; i < in->envelope->count; i++)
		if (!reply_is_good(&in->replies[i]))
			return false;
	return true;
}

/* After any refusal the connection is not kept: what is under way on it is
 * not for sure, and Postfix counts errors */
static bool
attempt_on(struct injection *in, struct hop_link *link, struct reply *why)
{
	struct talk talk = { .in = in, .link = link };
	bool is_over = attempt(&talk);

	*why = talk.reply;
	if (is_over && !talk.is_lost && is_accepted(in))
		hop_give(in->hop, link);
	else
		hop_drop(link);
	return is_over;
}

/* The extensions were offered at LHLO, but not on this connection */
static bool
is_offered(const struct injection *in, struct hop_link *link,
    struct reply *why)
{
	if (!(in->envelope->needs & ~link->offer.extensions))
		return true;
	reply_set(why, "451 4.3.0", "next hop does not offer any more what "
	    "this message needs");
	hop_give(in->hop, link);
	return false;
}

void
inject(struct injection *in)
{
	struct hop_link *link;
	struct reply why;
	int tries;

	for (tries = 0; tries < 2; tries++) {
		in->replies = arena_alloc(in->arena,
		    in->envelope->count * sizeof(*in->replies));
		link = hop_take(in->hop, tries > 0, in->limit, &why);
		if (link == NULL) {
			in->fault = INJECT_CONNECT;
			break;
		}
		if (!is_offered(in, link, &why) ||
		    attempt_on(in, link, &why) || loop_ticks() >= in->limit)
			break;
		log_debug(NULL, "next hop lost, %s: %s", tries == 0
		    ? "trying again" : "giving up", why.text);
	}
	/* Who was refused in the last try stays refused: a next hop that
	 * closes after so many errors is never done with the others else */
	if (count_open(in) > 0)
		settle(in, &why);
}
