/* SPDX-License-Identifier: ISC */
/* policy.h - what one entry says about policy: struct layer's policy. */
#ifndef POLICYD_POLICY_H
#define POLICYD_POLICY_H

#include <stddef.h>
#include <stdint.h>

#include "common/layer.h"
#include "policyd/direction_rule.h"
#include "policyd/limit.h"
#include "policyd/list_line.h"
#include "policyd/words.h"

/* Values with one number: times in ms, words by their enum, decimals in
 * thousandths */
enum policy_value {
	POLICY_STATUS,
	POLICY_GREYLIST,
	POLICY_GREYLIST_DELAY,
	POLICY_GREYLIST_WINDOW,
	POLICY_GREYLIST_PASS,
	POLICY_GREYLIST_PROMOTE,
	POLICY_GREYLIST_THRESHOLD,
	POLICY_QUARANTINE_THRESHOLD,
	POLICY_REJECT_THRESHOLD,
	POLICY_VALUES
};
#define POLICY_UNSET INT64_MIN

struct policy {
	int64_t values[POLICY_VALUES];	/* POLICY_UNSET: not said here */
	const char *alert;		/* NULL: not said here */
	const struct limit *limits;
	size_t limit_count;
	const struct direction_rule *rules;
	size_t rule_count;
	const struct list_line *lines;
	size_t line_count;
};

/* layer.h's parser for policyd */
layer_parser policy_parse;

/* The attributes that it reads; NULL ends */
const char *const *policy_attributes(void);

const struct policy *policy_of(const struct layer *layer);

/* For show: the attribute's name, and the value as an admin writes it (in the arena); "" for none */
const char *policy_attribute(enum policy_value which);
const char *policy_value_text(struct arena *arena, enum policy_value which,
    int64_t value);

#endif
