/* SPDX-License-Identifier: ISC */
/* report.c - one log line per decision, and the counters of them. The fields
 * of the line and their order are a contract with people's scripts. */
#include "policyd/report.h"

#include <inttypes.h>
#include <stddef.h>

#include "common/log.h"
#include "common/metrics.h"

#define REQUESTS "postern_policyd_requests_total"
#define REQUESTS_HELP "Requests answered, by verdict."

/* clang-format off */
static struct metric verdicts[] = {
	[ACTION_PERMIT] = { .name = REQUESTS, .labels = "verdict=\"permit\"", .help = REQUESTS_HELP },
	[ACTION_WARN] = { .name = REQUESTS, .labels = "verdict=\"warn\"", .help = REQUESTS_HELP },
	[ACTION_PREPEND] = { .name = REQUESTS, .labels = "verdict=\"prepend\"", .help = REQUESTS_HELP },
	[ACTION_FILTER] = { .name = REQUESTS, .labels = "verdict=\"filter\"", .help = REQUESTS_HELP },
	[ACTION_REDIRECT] = { .name = REQUESTS, .labels = "verdict=\"redirect\"", .help = REQUESTS_HELP },
	[ACTION_HOLD] = { .name = REQUESTS, .labels = "verdict=\"hold\"", .help = REQUESTS_HELP },
	[ACTION_GREYLIST] = { .name = REQUESTS, .labels = "verdict=\"greylist\"", .help = REQUESTS_HELP },
	[ACTION_SEPARATE] = { .name = REQUESTS, .labels = "verdict=\"separate\"", .help = REQUESTS_HELP },
	[ACTION_DEFER] = { .name = REQUESTS, .labels = "verdict=\"defer\"", .help = REQUESTS_HELP },
	[ACTION_REJECT] = { .name = REQUESTS, .labels = "verdict=\"reject\"", .help = REQUESTS_HELP },
};
/* clang-format on */
static struct metric malformed = {
	.name = "postern_policyd_malformed_total", .labels = "",
	.help = "Connections closed because of a malformed request.",
};
static struct metric counter_failures = {
	.name = "postern_policyd_counter_failures_total", .labels = "",
	.help = "Questions that the counters could not answer.",
};

void
report_start(void)
{
	size_t i;

	for (i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++)
		metric_register(&verdicts[i]);
	metric_register(&malformed);
	metric_register(&counter_failures);
}

/* Before the directory was read, and mostly at DATA, nobody has asked which
 * way */
static const char *
direction_text(const struct facts *facts)
{
	return facts->account_id == NULL ? "-"
	    : direction_words[facts->direction];
}

void
report_verdict(const struct attrs *attrs, const struct facts *facts,
    const struct verdict *verdict)
{
	bool is_quiet = verdict->action == ACTION_PERMIT;

	metric_add(&verdicts[verdict->action], 1);
	if (is_quiet && !log_is_debug())
		return;
	(is_quiet ? log_debug : log_info)(*attrs->instance != '\0'
	    ? log_foreign(attrs->instance) : "-",
	    "verdict=%s rule=%s dir=%s tenant=%s state=%s queue_id=%s "
	    "client=%s[%s] login=%s sender=<%s> recipient=<%s> "
	    "count=%" PRIu64 "/%" PRIu64 " dn=\"%s\"",
	    action_words[verdict->action],
	    verdict->rule != NULL ? verdict->rule : "-",
	    direction_text(facts),
	    facts->account_id != NULL ? log_foreign(facts->account_id) : "-",
	    log_foreign(attrs->protocol_state), log_foreign(attrs->queue_id),
	    log_foreign(attrs->client_name),
	    log_foreign(attrs->client_address),
	    log_foreign(attrs->sasl_username), log_foreign(attrs->sender),
	    log_foreign(attrs->recipient), verdict->used, verdict->count,
	    verdict->dn != NULL ? log_foreign(verdict->dn) : "");
}

void
report_malformed(const char *why)
{
	static struct log_limit limit;

	metric_add(&malformed, 1);
	if (log_allows(&limit))
		log_warn(NULL, "malformed request, connection closed: %s", why);
}

void
report_counter_failure(void)
{
	metric_add(&counter_failures, 1);
}
