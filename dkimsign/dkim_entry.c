/* SPDX-License-Identifier: ISC */
/* dkim_entry.c - one directory entry's DKIM attributes: read, checked, and
 * what is wrong told to the findings. A key with a fault has no private half,
 * so it never signs. Never looks into a key. Next: keyring.c. */
#include "dkimsign/dkim_entry.h"

#include <openssl/sha.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/address.h"

#define MS_PER_MINUTE INT64_C(60000)

static int
read_digits(const char **at, int count, int *out)
{
	for (*out = 0; count > 0; count--, (*at)++) {
		if (**at < '0' || **at > '9')
			return -1;
		*out = *out * 10 + (**at - '0');
	}
	return 0;
}

/* "Z", "+0100", "-01": minutes to be taken off */
static int
read_zone(const char **at, int *out_minutes)
{
	int hours = 0, minutes = 0, sign = **at == '-' ? -1 : 1;

	*out_minutes = 0;
	if (**at == 'Z') {
		(*at)++;
		return 0;
	}
	if (**at != '+' && **at != '-')
		return -1;
	(*at)++;
	if (read_digits(at, 2, &hours) == -1 || hours > 23 ||
	    (**at != '\0' && (read_digits(at, 2, &minutes) == -1 ||
	    minutes > 59)))
		return -1;
	*out_minutes = sign * (hours * 60 + minutes);
	return 0;
}

/* Parts of a smaller unit are for nobody here */
static int
skip_fraction(const char **at)
{
	if (**at != '.' && **at != ',')
		return 0;
	(*at)++;
	if (**at < '0' || **at > '9')
		return -1;
	while (**at >= '0' && **at <= '9')
		(*at)++;
	return 0;
}

/* Does the calendar have it? */
static int
to_seconds(struct tm *tm, int64_t *out)
{
	struct tm same = *tm;

	*out = timegm(&same);
	return tm->tm_hour <= 23 && tm->tm_min <= 59 && tm->tm_sec <= 59 &&
	    same.tm_mday == tm->tm_mday && same.tm_mon == tm->tm_mon ? 0 : -1;
}

int
generalized_time(const char *text, int64_t *out_ms, const char **why)
{
	struct tm tm = { 0 };
	int64_t seconds;
	int minutes;

	*why = "a time as 20261120103000Z expected";
	if (read_digits(&text, 4, &tm.tm_year) == -1 ||
	    read_digits(&text, 2, &tm.tm_mon) == -1 ||
	    read_digits(&text, 2, &tm.tm_mday) == -1 ||
	    read_digits(&text, 2, &tm.tm_hour) == -1)
		return -1;
	if (*text >= '0' && *text <= '9' &&
	    read_digits(&text, 2, &tm.tm_min) == -1)
		return -1;
	if (*text >= '0' && *text <= '9' &&
	    read_digits(&text, 2, &tm.tm_sec) == -1)
		return -1;
	if (skip_fraction(&text) == -1 || read_zone(&text, &minutes) == -1 ||
	    *text != '\0')
		return -1;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	*why = "no such time";
	if (to_seconds(&tm, &seconds) == -1)
		return -1;
	*out_ms = seconds * 1000 - minutes * MS_PER_MINUTE;
	return 0;
}

struct reading {
	struct arena *arena;
	struct dkim_entry *entry;
};

static int
read_signing(struct reading *r, const struct entry_value *value,
    const char **why)
{
	static const char *const words[] = { "off", "on", "required" };
	size_t i;

	*why = "on, off or required expected";
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(value->text, words[i]) == 0) {
			r->entry->signing = (enum dkim_signing)i;
			return 0;
		}
	return -1;
}

static int
read_selector(struct reading *r, const struct entry_value *value,
    const char **why)
{
	char selector[DOMAIN_MAX];

	*why = "not DNS labels";
	if (domain_normalise(value->text, value->len, selector) == -1)
		return -1;
	r->entry->selector = arena_strdup(r->arena, selector);
	return 0;
}

static int
read_private(struct reading *r, const struct entry_value *value,
    const char **why)
{
	*why = "empty";
	r->entry->private_key = arena_strndup(r->arena, value->text,
	    value->len);
	r->entry->private_key_len = value->len;
	return value->len > 0 ? 0 : -1;
}

static int
read_public(struct reading *r, const struct entry_value *value,
    const char **why)
{
	char *text = arena_alloc(r->arena, value->len + 1);
	const char *at;
	size_t used = 0;

	for (at = value->text; *at != '\0'; at++)
		if (strchr(" \t\r\n", *at) == NULL)
			text[used++] = *at;
	*why = "base64 as p= has it expected";
	r->entry->public_key = text;
	return used > 0 && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/=") == used ? 0 : -1;
}

static int
read_not_before(struct reading *r, const struct entry_value *value,
    const char **why)
{
	return generalized_time(value->text, &r->entry->not_before_ms, why);
}

static int
read_not_after(struct reading *r, const struct entry_value *value,
    const char **why)
{
	return generalized_time(value->text, &r->entry->not_after_ms, why);
}

static const struct row {
	const char *name;
	bool is_key;		/* on keys; else on all others */
	bool is_secret;		/* not for findings */
	int (*read)(struct reading *r, const struct entry_value *value,
	    const char **why);
} rows[] = {
	{ "posternDkimSigning", false, false, read_signing },
	{ "posternDkimSelector", true, false, read_selector },
	{ "posternDkimPrivateKey", true, true, read_private },
	{ "posternDkimPublicKey", true, false, read_public },
	{ "posternDkimNotBefore", true, false, read_not_before },
	{ "posternDkimNotAfter", true, false, read_not_after },
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

const char *const *
dkim_entry_attributes(void)
{
	static const char *names[ROWS + 1];
	size_t i;

	for (i = 0; i < ROWS; i++)
		names[i] = rows[i].name;
	return names;
}

static int
read_value(struct reading *r, const struct row *row,
    const struct entry_attribute *found, const char **why)
{
	const struct entry_value *value = &found->values[0];

	*why = "only one value is allowed";
	if (found->count > 1)
		return -1;
	*why = "holds a NUL byte";
	if (strlen(value->text) != value->len)
		return -1;
	return row->read(r, value, why);
}

/* How many rows are bad */
static size_t
read_rows(struct reading *r, const struct entry *entry, bool is_key,
    struct findings *findings)
{
	const struct entry_attribute *found;
	const char *why;
	size_t i, bad = 0;

	for (i = 0; i < ROWS; i++) {
		if (rows[i].is_key != is_key ||
		    (found = entry_get(entry, rows[i].name)) == NULL ||
		    read_value(r, &rows[i], found, &why) == 0)
			continue;
		findings_add(findings, FINDING_ERROR, entry->dn, rows[i].name,
		    rows[i].is_secret ? "" : found->values[0].text, "%s", why);
		bad++;
	}
	return bad;
}

/* Each with its NUL, so that no two keys read alike */
static void
make_version(struct dkim_entry *key)
{
	const char *const texts[] = { key->selector, key->public_key,
		key->private_key };
	unsigned char hashes[3][SHA256_DIGEST_LENGTH];
	size_t i;

	for (i = 0; i < 3; i++)
		SHA256((const unsigned char *)(texts[i] != NULL ? texts[i]
		    : ""), texts[i] != NULL ? strlen(texts[i]) + 1 : 0,
		    hashes[i]);
	SHA256((const unsigned char *)hashes, sizeof(hashes), key->version);
}

const void *
dkim_entry_parse(struct arena *arena, const struct entry *entry,
    enum layer_kind kind, struct findings *findings)
{
	struct dkim_entry *out = arena_alloc(arena, sizeof(*out));
	struct reading r = { .arena = arena, .entry = out };
	bool is_key = kind == LAYER_KEY;
	size_t bad;

	*out = (struct dkim_entry){ .signing = DKIM_SIGNING_UNSET,
		.not_before_ms = INT64_MIN, .not_after_ms = INT64_MAX };
	bad = read_rows(&r, entry, is_key, findings);
	if (!is_key)
		return out;
	if (entry_get(entry, "posternDkimSelector") == NULL) {
		findings_add(findings, FINDING_ERROR, entry->dn,
		    "posternDkimSelector", "", "missing");
		bad++;
	}
	if (bad > 0 || out->selector == NULL)
		out->private_key = NULL;
	make_version(out);
	return out;
}

const struct dkim_entry *
dkim_entry_of(const struct layer *layer)
{
	return layer->policy;
}

enum dkim_signing
dkim_signing_of(const struct snapshot *snapshot, const struct tenant *tenant)
{
	enum dkim_signing signing;
	struct chain chain;
	size_t i;

	chain_of(snapshot, tenant, NULL, &chain);
	for (i = 0; i < chain.count; i++) {
		signing = dkim_entry_of(chain.layers[i])->signing;
		if (signing != DKIM_SIGNING_UNSET)
			return signing;
	}
	return DKIM_SIGNING_ON;
}
