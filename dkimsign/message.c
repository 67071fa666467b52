/* SPDX-License-Identifier: ISC */
/* message.c - one message by stages: is it whole and clean, does it go in a
 * circle, whose signature does it get, does the next hop take it. lmtp.c hands
 * in envelope and bytes and writes the replies. Must never say 2xx where the
 * next hop has not. */
#include "dkimsign/message.h"

#include "common/loop.h"

#define BUDGET_MS 230000	/* Postfix waits for 600 s (data_done) */
#define RECEIVED_MAX 50		/* hops; Postfix has the same limit */

enum step {
	STEP_NEXT,		/* go on with the next stage */
	STEP_DONE		/* there are replies */
};

struct stage {
	const char *name;
	enum step (*run)(struct message *message);
};

static enum step
answer_all(struct message *message, const struct reply *reply)
{
	size_t i;

	message->replies = arena_alloc(message->arena,
	    message->envelope->count * sizeof(*message->replies));
	for (i = 0; i < message->envelope->count; i++)
		message->replies[i] = *reply;
	return STEP_DONE;
}

static enum step
stage_spool(struct message *message)
{
	static const struct { const char *codes, *text; } faults[] = {
		[SPOOL_STRAY] = { "550 5.6.0",
		    "message has a bare CR, a bare LF or a NUL" },
		[SPOOL_LONG_LINE] = { "550 5.6.0",
		    "message has a line of more than 998 bytes" },
		[SPOOL_LONG_HEADER] = { "552 5.3.4",
		    "header of more than 1 MiB" },
		[SPOOL_TOO_LARGE] = { "552 5.3.4", "message too large" },
		[SPOOL_DISK_FULL] = { "452 4.3.1", "no room for the message" },
		[SPOOL_FILE_FAILED] = { "451 4.3.0", "message cannot be kept" },
	};
	enum spool_fault fault = spool_fault(message->spool);
	struct reply reply;

	if (fault == SPOOL_CLEAN)
		return STEP_NEXT;
	reply_set(&reply, faults[fault].codes, "%s", faults[fault].text);
	return answer_all(message, &reply);
}

static enum step
stage_header(struct message *message)
{
	size_t i, len, received = 0;
	const char *text = spool_header(message->spool, &len);
	struct reply reply;

	header_parse(message->arena, text, len, &message->header);
	for (i = 0; i < message->header.count; i++)
		received += header_is(&message->header.fields[i], "Received");
	if (received <= RECEIVED_MAX)
		return STEP_NEXT;
	reply_set(&reply, "554 5.4.6", "mail loop: %zu Received fields",
	    received);
	return answer_all(message, &reply);
}

static enum signing_origin
origin_of(const struct xforward *xforward)
{
	if (!xforward->tells_client)
		return ORIGIN_UNKNOWN;
	return xforward->has_client ? ORIGIN_CLIENT : ORIGIN_LOCAL;
}

/* Which keys, and whether at all: signing.c */
static enum step
stage_sign(struct message *message)
{
	struct snapshot *snapshot = directory_hold(message->service->directory);
	struct signing *signing = &message->signing;
	struct reply reply;

	spool_hash(message->spool, message->body_hash);
	*signing = (struct signing){
		.arena = message->arena, .snapshot = snapshot,
		.header = &message->header,
		.sender = message->envelope->sender,
		.origin = origin_of(message->xforward),
		.body_hash = message->body_hash,
		.body = spool_body, .body_arg = message->spool,
		.id = xforward_text(message->xforward, message->arena,
		    XFORWARD_IDENT),
	};
	signer_sign(message->service->signer, signing);
	snapshot_release(snapshot);
	if (signing->outcome != SIGNING_DEFER)
		return STEP_NEXT;
	reply_set(&reply, "451 4.7.5", "cannot be signed now: %s%s%s",
	    signing->reason, *signing->detail != '\0' ? ": " : "",
	    signing->detail);
	return answer_all(message, &reply);
}

static enum step
stage_inject(struct message *message)
{
	struct injection *in = &message->injection;
	size_t i;

	*in = (struct injection){
		.hop = message->service->hop, .arena = message->arena,
		.envelope = message->envelope, .xforward = message->xforward,
		.fields = message->signing.fields,
		.fields_len = message->signing.fields_len,
		.spool = message->spool,
		.limit = loop_ticks() + BUDGET_MS,
	};
	inject(in);
	message->replies = arena_alloc(message->arena,
	    message->envelope->count * sizeof(*message->replies));
	for (i = 0; i < message->envelope->count; i++)
		reply_map(&in->replies[i], message->service->defers_5xx,
		    &message->replies[i]);
	return STEP_DONE;
}

static const struct stage stages[] = {
	{ "spool", stage_spool },	/* whole, clean, not too large? */
	{ "header", stage_header },	/* its fields; does it loop? */
	{ "sign", stage_sign },		/* whose, by which keys, verified */
	{ "inject", stage_inject },	/* may take long: the next hop */
};

void
message_deliver(struct message *message)
{
	const struct stage *stage = stages;

	message->signing.reason = "-";
	while (stage->run(message) == STEP_NEXT)
		stage++;
	message->stage = stage->name;
}
