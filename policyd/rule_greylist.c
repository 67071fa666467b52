/* SPDX-License-Identifier: ISC */
/* rule_greylist.c - greylisting of strangers: what is asked of the counters,
 * and what their answer means. Never for trusted clients; never blocks on a
 * store that cannot answer (request.c does not call greylist_decide then). */
#include "policyd/rule_greylist.h"

#include "common/quantity.h"
#include "policyd/counter_key.h"
#include "policyd/effective.h"
#include "policyd/stranger.h"

static struct counter_key
record_key(const struct facts *facts)
{
	const char *parts[] = { facts->account_id, "greylist",
		stranger_client(facts->arena, facts->client,
		    facts->attrs->client_name),
		stranger_sender(facts->arena, &facts->sender),
		facts->recipient.bare };

	return counter_key_of(parts, 5);
}

static struct counter_key
promotion_key(const struct facts *facts)
{
	const char *parts[] = { facts->account_id, "promotion",
		stranger_network(facts->arena, facts->client),
		facts->sender.domain };

	return counter_key_of(parts, 4);
}

/* Two entries may contradict each other: where the window ends with the delay
 * nobody could ever pass, so that it begins after the delay then */
static int64_t
window_ms(const struct chain *chain, int64_t delay_ms)
{
	int64_t window = effective_value(chain, POLICY_GREYLIST_WINDOW, NULL);

	return window > delay_ms ? window : delay_ms + window;
}

bool
greylist_ask(const struct facts *facts, const struct decision *decision,
    struct counter_grey *out)
{
	const struct chain *chain = &facts->chain;

	if (facts->direction != DIR_INBOUND || facts->trust != TRUST_NONE ||
	    decision->is_allowed ||
	    effective_value(chain, POLICY_GREYLIST, NULL) != GREYLIST_ON)
		return false;
	*out = (struct counter_grey){
		.record = record_key(facts),
		.promotion = promotion_key(facts),
		.delay_ms = effective_value(chain, POLICY_GREYLIST_DELAY, NULL),
		.pass_ms = effective_value(chain, POLICY_GREYLIST_PASS, NULL),
		.promote = (uint32_t)effective_value(chain,
		    POLICY_GREYLIST_PROMOTE, NULL),
	};
	out->window_ms = window_ms(chain, out->delay_ms);
	/* they may come from two entries, and then nobody could ever pass */
	if (out->window_ms <= out->delay_ms)
		out->window_ms = 2 * out->delay_ms;
	return true;
}

void
greylist_decide(const struct facts *facts, const struct counter_grey *grey,
    struct decision *decision)
{
	const struct layer *from;
	char wait[QUANTITY_TEXT];

	if (grey->answer == GREY_PASS)
		return;
	effective_value(&facts->chain, POLICY_GREYLIST, &from);
	verdict_raise(&decision->verdict, &(struct verdict){
		.action = ACTION_GREYLIST,
		.rule = grey->answer == GREY_NEW ? "greylist:new"
		    : "greylist:early",
		.dn = from != NULL ? from->dn : "",
		.text = arena_printf(facts->arena,
		    "%sgreylisted, try again in %s", rule_prefix(facts),
		    quantity_wait_text(grey->wait_ms, wait)),
	});
}
