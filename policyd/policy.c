/* SPDX-License-Identifier: ISC */
/* policy.c - one directory entry's policy attributes, by rows: read, checked,
 * and what is wrong told to the findings. Never decides anything about mail. */
#include "policyd/policy.h"

#include <stdio.h>
#include <string.h>

#include "common/address.h"
#include "common/quantity.h"

/* Each request is held against all limits of its chain, and against each other:
 * no tenant may take the time of all */
#define LIMITS_MAX 100
#define LINES_MAX 2000		/* of allow, and of block */

/* What one attribute's values are read into */
struct reading {
	struct arena *arena;
	struct policy *policy;
	enum layer_kind kind;
	struct limit *limits;
	struct direction_rule *rules;
	struct list_line *lines;
};

static int
read_word(const char *const *words, const char *text, int64_t *out)
{
	*out = word_find(words, text);
	return *out == -1 ? -1 : 0;
}

static int
read_status(const char *text, int64_t *out, const char **why)
{
	*why = "active, suspended or disabled expected";
	return read_word(status_words, text, out);
}

static int
read_greylist(const char *text, int64_t *out, const char **why)
{
	*why = "off, on or score expected";
	return read_word(greylist_words, text, out);
}

static int
read_integer(const char *text, int64_t *out, const char **why)
{
	uint64_t number;

	if (quantity_count(text, &number, why) == -1)
		return -1;
	*why = "at most 1000000";
	*out = (int64_t)number;
	return number <= 1000000 ? 0 : -1;
}

static const char *
show_word(struct arena *arena, enum policy_value which, int64_t value)
{
	(void)arena;
	return which == POLICY_STATUS ? status_words[value]
	    : greylist_words[value];
}

static const char *
show_duration(struct arena *arena, enum policy_value which, int64_t value)
{
	char text[QUANTITY_TEXT];

	(void)which;
	return arena_strdup(arena, quantity_duration_text(value, text));
}

static const char *
show_integer(struct arena *arena, enum policy_value which, int64_t value)
{
	(void)which;
	return arena_printf(arena, "%lld", (long long)value);
}

static const char *
show_decimal(struct arena *arena, enum policy_value which, int64_t value)
{
	(void)which;
	return arena_printf(arena, "%g", (double)value / 1000);
}

/* Attributes with one number, in the order of enum policy_value */
static const struct {
	const char *name;
	int (*read)(const char *text, int64_t *out, const char **why);
	const char *(*show)(struct arena *arena, enum policy_value which,
	    int64_t value);
} rows[POLICY_VALUES] = {
	{ "posternStatus", read_status, show_word },
	{ "posternGreylist", read_greylist, show_word },
	{ "posternGreylistDelay", quantity_duration, show_duration },
	{ "posternGreylistWindow", quantity_duration, show_duration },
	{ "posternGreylistPass", quantity_duration, show_duration },
	{ "posternGreylistPromote", read_integer, show_integer },
	{ "posternGreylistThreshold", quantity_decimal, show_decimal },
	{ "posternQuarantineThreshold", quantity_decimal, show_decimal },
	{ "posternRejectThreshold", quantity_decimal, show_decimal },
};

/* The local part of one address that neither sendmail(1), whose argument it
 * becomes, nor a header reads as anything else (RFC 5322 3.2.3) */
static bool
is_plain_local(const char *local)
{
	for (; *local != '\0'; local++)
		if ((unsigned char)*local <= ' ' || *local == '\x7f' ||
		    strchr("\"(),:;<>@[\\]", *local) != NULL)
			return false;
	return true;
}

static int
read_alert(struct reading *r, const char *text, const char **why)
{
	struct address address;

	*why = "a mail address expected";
	if (address_parse(r->arena, text, "", &address) == -1 ||
	    address.domain[0] == '\0' || address.local[0] == '\0' ||
	    !is_plain_local(address.local))
		return -1;
	r->policy->alert = address.text;
	return 0;
}

static int
read_limit(struct reading *r, const char *text, const char **why)
{
	struct limit *limit = &r->limits[r->policy->limit_count];
	size_t i;

	if (limit_parse(r->arena, text, limit, why) == -1)
		return -1;
	*why = "a mailbox cannot have a limit of the whole domain";
	if (r->kind == LAYER_MAILBOX && !limit->is_off &&
	    limit->subject == SUBJECT_DOMAIN)
		return -1;
	*why = "this name stands twice on this entry";
	for (i = 0; i < r->policy->limit_count; i++)
		if (strcmp(r->limits[i].name, limit->name) == 0) {
			r->limits[i].is_twice = true;
			return -1;
		}
	r->policy->limit_count++;
	return 0;
}

static int
read_rule(struct reading *r, const char *text, const char **why)
{
	struct direction_rule *rule = &r->rules[r->policy->rule_count];
	size_t i;

	if (direction_rule_parse(r->arena, text, rule, why) == -1)
		return -1;
	*why = "this direction and condition stand twice on this entry";
	for (i = 0; i < r->policy->rule_count; i++)
		if (r->rules[i].direction == rule->direction &&
		    r->rules[i].condition == rule->condition) {
			r->rules[i].is_twice = true;
			return -1;
		}
	r->policy->rule_count++;
	return 0;
}

/* LDAP values have no order: of two of one name neither is the right one, and
 * two hosts must not choose differently */
static void
drop_twice(struct reading *r)
{
	size_t i, left = 0;

	for (i = 0; i < r->policy->limit_count; i++)
		if (!r->limits[i].is_twice)
			r->limits[left++] = r->limits[i];
	r->policy->limit_count = left;
	left = 0;
	for (i = 0; i < r->policy->rule_count; i++)
		if (!r->rules[i].is_twice)
			r->rules[left++] = r->rules[i];
	r->policy->rule_count = left;
}

static int
read_line(struct reading *r, const char *text, bool is_allow, const char **why)
{
	if (list_line_parse(r->arena, text, is_allow,
	    &r->lines[r->policy->line_count], why) == -1)
		return -1;
	r->policy->line_count++;
	return 0;
}

static int
read_allow(struct reading *r, const char *text, const char **why)
{
	return read_line(r, text, true, why);
}

static int
read_block(struct reading *r, const char *text, const char **why)
{
	return read_line(r, text, false, why);
}

/* Attributes that are more than a number */
static const struct {
	const char *name;
	bool is_single;
	size_t max;		/* values; 0: no bound */
	int (*read)(struct reading *r, const char *text, const char **why);
} texts[] = {
	{ "posternAlert", true, 0, read_alert },
	{ "posternRateLimit", false, LIMITS_MAX, read_limit },
	{ "posternDirectionRule", false, 0, read_rule },
	{ "posternAllow", false, LINES_MAX, read_allow },
	{ "posternBlock", false, LINES_MAX, read_block },
};

const char *const *
policy_attributes(void)
{
	static const char *names[POLICY_VALUES +
	    sizeof(texts) / sizeof(texts[0]) + 1];
	size_t i;

	for (i = 0; i < POLICY_VALUES; i++)
		names[i] = rows[i].name;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		names[POLICY_VALUES + i] = texts[i].name;
	return names;
}

static size_t
value_count(const struct entry *entry, const char *name)
{
	const struct entry_attribute *attribute = entry_get(entry, name);

	return attribute == NULL ? 0 : attribute->count;
}

/* The faults that any value can have: 0, or -1 and why */
static int
check_value(const struct entry_value *value, size_t at, bool is_single,
    const char **why)
{
	*why = "only one value is allowed";
	if (is_single && at > 0)
		return -1;
	*why = "holds a NUL byte";
	return strlen(value->text) == value->len ? 0 : -1;
}

static void
bad(struct findings *findings, const struct entry *entry, const char *name,
    const char *value, const char *why)
{
	findings_add(findings, FINDING_ERROR, entry->dn, name, value, "%s",
	    why);
}

static void
read_number(const struct entry *entry, enum policy_value which,
    struct policy *policy, struct findings *findings)
{
	const struct entry_attribute *found = entry_get(entry, rows[which].name);
	int64_t number;
	const char *why;
	size_t i;

	for (i = 0; found != NULL && i < found->count; i++)
		if (check_value(&found->values[i], i, true, &why) == -1 ||
		    rows[which].read(found->values[i].text, &number, &why)
		    == -1)
			bad(findings, entry, rows[which].name,
			    found->values[i].text, why);
		else
			policy->values[which] = number;
}

static void
read_texts(const struct entry *entry, size_t row, struct reading *r,
    struct findings *findings)
{
	const struct entry_attribute *found = entry_get(entry, texts[row].name);
	const char *why;
	size_t i;

	if (found != NULL && texts[row].max > 0 &&
	    found->count > texts[row].max) {
		bad(findings, entry, texts[row].name, "",
		    "too many values, none of them is in force");
		return;
	}
	for (i = 0; found != NULL && i < found->count; i++)
		if (check_value(&found->values[i], i, texts[row].is_single,
		    &why) == -1 ||
		    texts[row].read(r, found->values[i].text, &why) == -1)
			bad(findings, entry, texts[row].name,
			    found->values[i].text, why);
}

/* Values that contradict each other on one entry */
static void
check_greylist(const struct entry *entry, struct policy *policy,
    struct findings *findings)
{
	int64_t delay = policy->values[POLICY_GREYLIST_DELAY];
	int64_t window = policy->values[POLICY_GREYLIST_WINDOW];

	if (window == POLICY_UNSET || window > (delay > 0 ? delay : 0))
		return;
	bad(findings, entry, rows[POLICY_GREYLIST_WINDOW].name, "",
	    "not longer than posternGreylistDelay: nobody could pass");
	policy->values[POLICY_GREYLIST_DELAY] = POLICY_UNSET;
	policy->values[POLICY_GREYLIST_WINDOW] = POLICY_UNSET;
}

const void *
policy_parse(struct arena *arena, const struct entry *entry,
    enum layer_kind kind, struct findings *findings)
{
	struct policy *policy = arena_alloc(arena, sizeof(*policy));
	size_t i, limits = value_count(entry, "posternRateLimit");
	size_t rules = value_count(entry, "posternDirectionRule");
	size_t lines = value_count(entry, "posternAllow") +
	    value_count(entry, "posternBlock");
	struct reading r = { .arena = arena, .policy = policy, .kind = kind,
		.limits = arena_alloc(arena, limits * sizeof(*r.limits)),
		.rules = arena_alloc(arena, rules * sizeof(*r.rules)),
		.lines = arena_alloc(arena, lines * sizeof(*r.lines)) };

	for (i = 0; i < POLICY_VALUES; i++) {
		policy->values[i] = POLICY_UNSET;
		read_number(entry, (enum policy_value)i, policy, findings);
	}
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		read_texts(entry, i, &r, findings);
	drop_twice(&r);
	check_greylist(entry, policy, findings);
	policy->limits = r.limits;
	policy->rules = r.rules;
	policy->lines = r.lines;
	return policy;
}

const struct policy *
policy_of(const struct layer *layer)
{
	return layer->policy;
}

const char *
policy_attribute(enum policy_value which)
{
	return rows[which].name;
}

const char *
policy_value_text(struct arena *arena, enum policy_value which, int64_t value)
{
	return value == POLICY_UNSET ? "" : rows[which].show(arena, which,
	    value);
}
