/* SPDX-License-Identifier: ISC */
/* counters.h - what is asked of a counter store, and the stores there are.
 * All limits and the greylist record of one request are one question,
 * decided and charged together. Every question is answered exactly once. */
#ifndef POLICYD_COUNTERS_H
#define POLICYD_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COUNTER_KEY_BYTES 16

/* A hash over tenant, limit, direction, subject, unit and window (each with
 * its length before it), cut to 128 bits: foreign text is hashed, never cut */
struct counter_key {
	uint8_t bytes[COUNTER_KEY_BYTES];
};

/* One limit that applies to the request */
struct counter_limit {
	struct counter_key key;
	uint32_t limit_tag;	/* counter_tag() of its name, for reset */
	int64_t window_ms;	/* > 0 */
	uint64_t count;		/* COUNT */
	uint64_t cost;		/* what this request adds, may be 0 */
	bool refuses;		/* defer or reject; false: warn or hold */
	bool is_kept;		/* domain or mailbox: never evicted */
	/* the answer: */
	uint64_t used;		/* exceeded, or a peek: in the window, before
				 * this request */
	bool is_exceeded;	/* used + cost > count */
	int64_t wait_ms;	/* exceeded: until cost fits; 0 = never will */
};

enum grey_answer {
	GREY_PASS,		/* known, or promoted, or just in time */
	GREY_NEW,		/* never seen: recorded now */
	GREY_EARLY		/* came back before the delay was over */
};

struct counter_grey {
	struct counter_key record;	/* (client, sender, recipient) */
	struct counter_key promotion;	/* (client network, sender domain) */
	int64_t delay_ms, window_ms, pass_ms;
	uint32_t promote;	/* passes needed, 0 = never */
	/* the answer: */
	enum grey_answer answer;
	int64_t wait_ms;	/* GREY_NEW, GREY_EARLY: until it would pass */
};

struct counter_question {
	const char *tenant;	/* id, or "-" */
	struct counter_grey *grey;	/* NULL: not asked */
	struct counter_limit *limits;	/* no key twice */
	size_t limit_count;
	bool is_peek;		/* tell, change nothing (explain, usage, and
				 * RCPT where END-OF-MESSAGE charges) */
	/* the answer: */
	bool is_unknown;	/* the store could not say; all else is void */
	bool is_charged;	/* false: peeked, greylisted or refused */
	void (*done)(struct counter_question *question);
	void *arg;		/* the asker's */
};

/* Forget counters, never greylist records: all of a tenant, those of one of its
 * limits, or those that keys names */
struct counter_reset {
	const char *tenant;
	uint32_t limit_tag;		/* 0: of all its limits */
	const struct counter_key *keys;	/* NULL: by limit_tag */
	size_t key_count;
	/* the answer: */
	bool is_unknown;		/* the store could not be asked */
	int64_t forgotten;		/* how many; -1: it does not count */
	void (*done)(struct counter_reset *reset);
	void *arg;
};

struct counter_store_ops;
struct counter_store {
	const struct counter_store_ops *ops;
	const char *name;	/* its URI without secrets */
};

struct counter_settings {
	const char *uri;
	uint64_t max_records;		/* memory: */
	int64_t timeout_ms;		/* redis://, of a question */
	const char *password_file;	/* redis://; "" for none */
	const char *ca_file;		/* rediss://; "" for the system's */
};

/* One row per store */
struct counter_store_ops {
	const char *scheme;	/* "memory:", or how it begins */
	/* Of a URI with this scheme: 0, or -1 and *why */
	int (*check_uri)(const char *uri, const char **why);
	struct counter_store *(*open)(const struct counter_settings *settings,
	    const char **why);
	/* With the user's rights, before the loop runs. NULL: nothing to do */
	void (*start)(struct counter_store *store);
	/* What is not answered is so now, as unknown */
	void (*close)(struct counter_store *store);
	/* Greylist first: if it does not pass, no limit is looked at. Then all
	 * limits: any exceeded one that refuses: none is charged.
	 * q->done may be called inside ask(), but no other question's. */
	void (*ask)(struct counter_store *store, struct counter_question *q);
	/* Answered exactly once, as a question is */
	void (*reset)(struct counter_store *store, struct counter_reset *reset);
	uint64_t (*records)(const struct counter_store *store);
	uint64_t (*evicted)(const struct counter_store *store);
	/* What should be set otherwise, a sentence; NULL: nothing */
	const char *(*advice)(const struct counter_store *store);
};

/* The rows */
extern const struct counter_store_ops counters_memory;
extern const struct counter_store_ops counters_redis;

/* NULL and *why where no store knows the URI or the store cannot open */
struct counter_store *counters_open(const struct counter_settings *settings,
    const char **why);

/* The option's check */
int counters_check_uri(const char *uri, const char **why);

uint32_t counter_tag(const char *limit_name);	/* never 0 */

#endif
