/* SPDX-License-Identifier: ISC */
/* memory_records.h - the records of the memory store: found by key, listed by
 * tenant, bounded in number. At the bound the least recently used of those
 * that may go do go; a tenant holds at most a quarter of all with such, and
 * half with others.
 * Decides nothing about mail. */
#ifndef POLICYD_MEMORY_RECORDS_H
#define POLICYD_MEMORY_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policyd/counters.h"
#include "policyd/window.h"

#define RECORDS_MIN 4
#define RECORDS_MAX INT32_MAX

struct records;
struct record_owner;

/* The lists a record is in, least recently used first */
enum record_list {
	LIST_OWNER,		/* of its tenant, kept ones apart */
	LIST_USE,		/* of all that may go */
	LIST_KINDS
};

/* Records name each other by number, 0 is none: half the bytes of pointers */
struct record {
	/* memory_records.c's own: */
	struct counter_key key;
	struct record_owner *owner;	/* NULL: free */
	struct {
		uint32_t older, newer;
	} links[LIST_KINDS];
	uint32_t self;
	uint32_t next;		/* in the bucket, or among the free */
	uint32_t limit_tag;	/* 0: greylisting */
	bool is_kept;		/* never goes */

	/* the user's, zero at first: */
	bool is_pinned;		/* must not go now */
	bool is_passed;		/* greylisting: its sender came back */
	int64_t expires_ms;	/* may go from then on */
	union {
		struct window window;	/* a limit */
		int64_t first_ms;	/* greylisting: first seen */
		uint32_t passes;	/* greylisting: a promotion */
	};
};

struct records *records_new(uint32_t max);	/* RECORDS_MIN to _MAX */
void records_free(struct records *records);	/* NULL is fine */

struct record *records_find(struct records *records,
    const struct counter_key *key);
/* key must not be there. Others may go for it, except pinned ones; NULL where
 * none can. */
struct record *records_add(struct records *records, const char *tenant,
    const struct counter_key *key, uint32_t limit_tag, bool is_kept);
void records_touch(struct records *records, struct record *record);
void records_drop(struct records *records, struct record *record);

/* Look at the next few records for expired ones: called at every question,
 * so that there is never a pause to clean up. */
void records_sweep(struct records *records, int64_t now_ms);

/* Drop a tenant's limits, all or (tag != 0) those of one; how many */
uint64_t records_reset(struct records *records, const char *tenant,
    uint32_t limit_tag);

uint64_t records_count(const struct records *records);
uint64_t records_evicted(const struct records *records);

#endif
