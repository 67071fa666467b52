/* SPDX-License-Identifier: ISC */
/* report.c - one log line per message, and the counters of them. The fields of
 * the line and their order are a contract with people's scripts. */
#include "dkimsign/report.h"

#include <inttypes.h>

#include "common/log.h"
#include "common/metrics.h"

#define MESSAGES "postern_dkimsign_messages_total"
#define MESSAGES_HELP "Messages answered, by the worst reply to a recipient."
#define FAILURES "postern_dkimsign_next_hop_failures_total"
#define FAILURES_HELP "Next hop refused or lost, by where in a message."

enum result { RESULT_SENT, RESULT_DEFERRED, RESULT_REFUSED };
static const char *const result_words[] = { "sent", "deferred", "refused" };

/* clang-format off */
static struct metric messages[] = {
	[RESULT_SENT] = { .name = MESSAGES, .labels = "result=\"sent\"", .help = MESSAGES_HELP },
	[RESULT_DEFERRED] = { .name = MESSAGES, .labels = "result=\"deferred\"", .help = MESSAGES_HELP },
	[RESULT_REFUSED] = { .name = MESSAGES, .labels = "result=\"refused\"", .help = MESSAGES_HELP },
};
static struct metric failures[] = {
	[INJECT_CONNECT] = { .name = FAILURES, .labels = "at=\"connect\"", .help = FAILURES_HELP },
	[INJECT_ENVELOPE] = { .name = FAILURES, .labels = "at=\"envelope\"", .help = FAILURES_HELP },
	[INJECT_DATA] = { .name = FAILURES, .labels = "at=\"data\"", .help = FAILURES_HELP },
	[INJECT_ANSWER] = { .name = FAILURES, .labels = "at=\"answer\"", .help = FAILURES_HELP },
};
/* clang-format on */
static struct metric unfinished = {
	.name = "postern_dkimsign_unfinished_total", .labels = "",
	.help = "Messages whose end never came.",
};
static struct metric unanswered = {
	.name = "postern_dkimsign_unanswered_total", .labels = "",
	.help = "Messages whose replies Postfix did not take: they come again.",
};

void
report_start(void)
{
	size_t i;

	for (i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
		metric_register(&messages[i]);
	for (i = INJECT_CONNECT; i < INJECT_FAULTS; i++)
		metric_register(&failures[i]);
	metric_register(&unfinished);
	metric_register(&unanswered);
}

static enum result
result_of(const struct reply *reply)
{
	return reply_is_good(reply) ? RESULT_SENT
	    : reply->code / 100 == 4 ? RESULT_DEFERRED : RESULT_REFUSED;
}

/* The worst reply: a refusal is final, a delay is not */
static const struct reply *
worst_reply(const struct message *message, size_t *sent)
{
	const struct reply *worst = &message->replies[0], *reply = worst;
	const struct reply *end = reply + message->envelope->count;

	for (*sent = 0; reply < end; reply++) {
		*sent += reply_is_good(reply);
		if (result_of(reply) > result_of(worst))
			worst = reply;
	}
	return worst;
}

/* What is read last is what the operator looks for in the next lines of
 * Postfix: the reply has its queue id */
void
report_message(const struct message *message)
{
	const struct signing *signing = &message->signing;
	enum inject_fault fault = message->injection.fault;
	struct arena *arena = message->arena;
	size_t sent;
	const struct reply *worst = worst_reply(message, &sent);
	const char *id = xforward_text(message->xforward, arena,
	    XFORWARD_IDENT);

	metric_add(&messages[result_of(worst)], 1);
	if (fault != INJECT_NO_FAULT)
		metric_add(&failures[fault], 1);
	log_info(*id != '\0' ? log_foreign(id) : "-",
	    "result=%s stage=%s sign=%s d=%s s=%s from=%s sender=<%s> "
	    "recipients=%zu/%zu size=%" PRIu64 " client=%s[%s] hop=%s "
	    "reply=\"%d %s %s\"",
	    result_words[result_of(worst)], message->stage, signing->reason,
	    signing->domain != NULL ? log_foreign(signing->domain) : "",
	    signing->selectors != NULL ? log_foreign(signing->selectors) : "",
	    signing->author != NULL ? log_foreign(signing->author) : "",
	    log_foreign(message->envelope->sender),
	    sent, message->envelope->count, spool_bytes(message->spool),
	    log_foreign(xforward_text(message->xforward, arena,
		XFORWARD_NAME)),
	    log_foreign(xforward_text(message->xforward, arena,
		XFORWARD_ADDR)),
	    inject_fault_words[fault], worst->code, worst->enhanced,
	    log_foreign_words(worst->text));
}

void
report_unfinished(const char *id, const char *why)
{
	static struct log_limit limit;

	metric_add(&unfinished, 1);
	if (log_allows(&limit))
		log_warn(*id != '\0' ? log_foreign(id) : "-",
		    "message not finished: %s", why);
}

void
report_unanswered(const struct message *message, const char *why)
{
	static struct log_limit limit;
	const char *id = xforward_text(message->xforward, message->arena,
	    XFORWARD_IDENT);

	metric_add(&unanswered, 1);
	if (log_allows(&limit))
		log_warn(*id != '\0' ? log_foreign(id) : "-",
		    "replies not taken: %s; what was sent comes again", why);
}
