/* SPDX-License-Identifier: ISC */
/* memory_grey.c - is this a stranger, or one who came back in time?
 * On the records of the memory store. Never refuses for want of room: then
 * the mail passes. A peek changes nothing. */
#include "policyd/memory_grey.h"

#include "common/log.h"

static bool
grey_is_promoted(struct records *records, const struct counter_question *q,
    int64_t now)
{
	const struct counter_grey *grey = q->grey;
	struct record *promotion;

	if (grey->promote == 0)
		return false;
	promotion = records_find(records, &grey->promotion);
	if (promotion == NULL || promotion->expires_ms <= now ||
	    promotion->passes < grey->promote)
		return false;
	if (!q->is_peek) {
		promotion->expires_ms = now + grey->pass_ms;
		records_touch(records, promotion);
	}
	return true;
}

static void
grey_promote(struct records *records, const struct counter_question *q,
    int64_t now)
{
	const struct counter_grey *grey = q->grey;
	struct record *promotion;

	if (grey->promote == 0)
		return;
	promotion = records_find(records, &grey->promotion);
	if (promotion == NULL)
		promotion = records_add(records, q->tenant,
		    &grey->promotion, 0, false);
	if (promotion == NULL)
		return;
	if (promotion->expires_ms <= now)
		promotion->passes = 0;
	promotion->passes++;
	promotion->expires_ms = now + grey->pass_ms;
	records_touch(records, promotion);
}

static enum grey_answer
grey_begin(struct records *records, const struct counter_question *q,
    struct record *record, int64_t now)
{
	static struct log_limit limit;
	struct counter_grey *grey = q->grey;

	grey->wait_ms = grey->delay_ms;
	if (q->is_peek)
		return GREY_NEW;
	if (record == NULL)
		record = records_add(records, q->tenant, &grey->record, 0,
		    false);
	if (record == NULL) {
		if (log_allows(&limit))
			log_warn(NULL, "counters: no room for a greylist "
			    "record, let pass: tenant=%s",
			    log_foreign(q->tenant));
		grey->wait_ms = 0;
		return GREY_PASS;
	}
	record->first_ms = now;
	record->is_passed = false;
	record->expires_ms = now + grey->window_ms;
	records_touch(records, record);
	return GREY_NEW;
}

static void
grey_pass(struct records *records, const struct counter_question *q,
    struct record *record, int64_t now)
{
	bool is_first_pass = !record->is_passed;

	record->is_passed = true;
	record->expires_ms = now + q->grey->pass_ms;
	if (is_first_pass)
		grey_promote(records, q, now);	/* the record may go for it */
}

/* A record that was made when the clock stood more than a window later has
 * no say */
static bool
grey_is_known(const struct counter_question *q, const struct record *record,
    int64_t now)
{
	static struct log_limit limit;

	if (record == NULL || record->expires_ms <= now)
		return false;
	if (record->first_ms <= now + q->grey->window_ms)
		return true;
	if (!q->is_peek && log_allows(&limit))
		log_warn(NULL, "counters: a greylist record lay ahead of the "
		    "clock and was dropped: tenant=%s",
		    log_foreign(q->tenant));
	return false;
}

static enum grey_answer
grey_decide(struct records *records, const struct counter_question *q,
    int64_t now)
{
	struct counter_grey *grey = q->grey;
	struct record *record;

	grey->wait_ms = 0;
	if (grey_is_promoted(records, q, now))
		return GREY_PASS;
	record = records_find(records, &grey->record);
	if (!grey_is_known(q, record, now))
		return grey_begin(records, q, record, now);
	if (!q->is_peek)
		records_touch(records, record);
	if (!record->is_passed && now < record->first_ms + grey->delay_ms) {
		grey->wait_ms = record->first_ms + grey->delay_ms - now;
		return GREY_EARLY;
	}
	if (!q->is_peek)
		grey_pass(records, q, record, now);
	return GREY_PASS;
}

void
memory_grey_ask(struct records *records, const struct counter_question *q,
    int64_t now)
{
	q->grey->answer = grey_decide(records, q, now);
}
