/* SPDX-License-Identifier: ISC */
/* signing.c - is this message signed, by whose keys, and if not, why not? A
 * list of stages, each of which may end it with one reason; whatever is
 * doubtful does. Nothing here waits for a network. Next: the fields go to
 * inject.c. */
#include "dkimsign/signing.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/address.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/metrics.h"
#include "common/xmalloc.h"
#include "dkimsign/author.h"
#include "dkimsign/dkim_entry.h"
#include "dkimsign/keyring.h"

#define SAMPLE 64	/* one message in so many is verified */
#define KEYS_MAX 10000	/* parsed ones */

enum reason {
	REASON_NONE,		/* go on */
	REASON_SIGNED,
	REASON_NO_DIRECTORY,
	REASON_MALFORMED_HEADER,
	REASON_NO_AUTHOR,
	REASON_SEVERAL_AUTHORS,
	REASON_UNCLEAR_AUTHOR,
	REASON_NOT_OURS,
	REASON_OFF,
	REASON_NULL_SENDER,
	REASON_FOREIGN_SENDER,
	REASON_NO_KEY,
	REASON_BAD_KEY,
	REASON_NOT_VERIFIED,
	REASONS
};

#define TOTAL "postern_dkimsign_signing_total"
#define TOTAL_HELP "Messages by what became of their signature."
#define ROW(word, result) { word, result, \
    { .name = TOTAL, .labels = "reason=\"" word "\"", .help = TOTAL_HELP } }

/* A tenant whose posternDkimSigning is required has its mail deferred for
 * want of a key */
static struct row {
	const char *word;
	enum signing_outcome outcome;
	struct metric count;
} rows[REASONS] = {
	[REASON_SIGNED] = ROW("signed", SIGNING_SIGNED),
	[REASON_NO_DIRECTORY] = ROW("no-directory", SIGNING_DEFER),
	[REASON_MALFORMED_HEADER] = ROW("malformed-header", SIGNING_UNSIGNED),
	[REASON_NO_AUTHOR] = ROW("no-author", SIGNING_UNSIGNED),
	[REASON_SEVERAL_AUTHORS] = ROW("several-authors", SIGNING_UNSIGNED),
	[REASON_UNCLEAR_AUTHOR] = ROW("unclear-author", SIGNING_UNSIGNED),
	[REASON_NOT_OURS] = ROW("not-ours", SIGNING_UNSIGNED),
	[REASON_OFF] = ROW("off", SIGNING_UNSIGNED),
	[REASON_NULL_SENDER] = ROW("null-sender", SIGNING_UNSIGNED),
	[REASON_FOREIGN_SENDER] = ROW("foreign-sender", SIGNING_UNSIGNED),
	[REASON_NO_KEY] = ROW("no-key", SIGNING_UNSIGNED),
	[REASON_BAD_KEY] = ROW("bad-key", SIGNING_UNSIGNED),
	[REASON_NOT_VERIFIED] = ROW("not-verified", SIGNING_DEFER),
};

static struct metric verified = {
	.name = "postern_dkimsign_verified_total", .labels = "",
	.help = "Signed messages that libopendkim verified before they went."
};
static struct metric unverifiable = {
	.name = "postern_dkimsign_unverifiable_total", .labels = "",
	.help = "Signed messages that libopendkim does not take."
};

const char *const signing_verify_words[] = { "none", "sample", "all", NULL };

struct signer {
	struct signer_settings settings;
	struct verifier *verifier;
	struct keycache *cache;
	atomic_uint signed_count;
};

/* One message on its way through the stages */
struct work {
	struct signer *signer;
	struct signing *signing;
	struct author author;
	const struct tenant *tenant;	/* of the author's domain */
	enum dkim_signing policy;	/* the tenant's */
	struct cached_key keys[SIGNKEY_ALGORITHMS];
	const char *fields[SIGNKEY_ALGORITHMS];	/* one by each key */
	size_t key_count;
};

static enum reason
stage_directory(struct work *w)
{
	return w->signing->snapshot == NULL ? REASON_NO_DIRECTORY
	    : REASON_NONE;
}

/* The next hop would take what follows a line that is no field for the body:
 * nobody would verify that */
static enum reason
stage_header(struct work *w)
{
	return w->signing->header->is_malformed ? REASON_MALFORMED_HEADER
	    : REASON_NONE;
}

static enum reason
stage_author(struct work *w)
{
	static const enum reason reasons[] = {
		[AUTHOR_FOUND] = REASON_NONE,
		[AUTHOR_NONE] = REASON_NO_AUTHOR,
		[AUTHOR_SEVERAL] = REASON_SEVERAL_AUTHORS,
		[AUTHOR_UNCLEAR] = REASON_UNCLEAR_AUTHOR,
	};
	struct signing *signing = w->signing;
	enum author_outcome outcome = author_find(signing->arena,
	    signing->header, &w->author);

	signing->author = w->author.domain;
	signing->detail = w->author.why;
	return reasons[outcome];
}

static enum reason
stage_tenant(struct work *w)
{
	struct signing *signing = w->signing;

	w->tenant = tenant_nearest(signing->snapshot, w->author.domain,
	    &signing->domain);
	if (w->tenant == NULL)
		return REASON_NOT_OURS;
	w->policy = dkim_signing_of(signing->snapshot, w->tenant);
	return w->policy == DKIM_SIGNING_OFF ? REASON_OFF : REASON_NONE;
}

/* As the messages that Postfix makes itself */
static bool
is_from_postfix(const struct author *author)
{
	return author->count == 1 &&
	    (strcasecmp(author->local, "mailer-daemon") == 0 ||
	    strcasecmp(author->local, "postmaster") == 0);
}

/* What is bound to a login is the envelope sender: who could do without might
 * be any tenant's author */
static enum reason
null_sender(const struct work *w)
{
	switch (w->signing->origin) {
	case ORIGIN_LOCAL:
		return REASON_NONE;
	case ORIGIN_UNKNOWN:
		return is_from_postfix(&w->author) ? REASON_NONE
		    : REASON_NULL_SENDER;
	default:
		return REASON_NULL_SENDER;
	}
}

/* The tenant guard */
static enum reason
stage_sender(struct work *w)
{
	const struct signing *signing = w->signing;
	struct address sender;
	const char *own;

	if (*signing->sender == '\0')
		return null_sender(w);
	if (address_parse(signing->arena, signing->sender, "", &sender) == -1)
		return REASON_FOREIGN_SENDER;
	return tenant_nearest(signing->snapshot, sender.domain, &own) ==
	    w->tenant ? REASON_NONE : REASON_FOREIGN_SENDER;
}

static enum reason
stage_key(struct work *w)
{
	bool has_bad;

	w->key_count = keyring_choose(w->signer->cache, w->signing->snapshot,
	    w->tenant, loop_now(), w->signing->arena, w->keys, &has_bad);
	if (w->key_count > 0)
		return REASON_NONE;
	return has_bad ? REASON_BAD_KEY : REASON_NO_KEY;
}

static const char *
join(struct arena *arena, const char *const *texts, size_t count,
    const char *between)
{
	const char *all = count > 0 ? texts[0] : "";
	size_t i;

	for (i = 1; i < count; i++)
		all = arena_printf(arena, "%s%s%s", all, between, texts[i]);
	return all;
}

static enum reason
stage_sign(struct work *w)
{
	struct signing *signing = w->signing;
	struct sign_message message = {
		.profile = &w->signer->settings.profile,
		.header = signing->header, .body_hash = signing->body_hash,
		.now_ms = loop_now() };
	const char *selectors[SIGNKEY_ALGORITHMS];
	size_t i;

	if (sign_prepare(signing->arena, &message, &signing->detail) == -1)
		return REASON_MALFORMED_HEADER;
	for (i = 0; i < w->key_count; i++) {
		selectors[i] = w->keys[i].selector;
		w->fields[i] = sign_field(signing->arena, &message,
		    w->keys[i].key, signing->domain, selectors[i]);
		signing->detail = "libcrypto cannot sign";
		if (w->fields[i] == NULL)
			return REASON_NOT_VERIFIED;
	}
	signing->detail = "";
	signing->fields = join(signing->arena, w->fields, w->key_count, "");
	signing->selectors = join(signing->arena, selectors, w->key_count,
	    ",");
	return REASON_NONE;
}

static const char *
record_of(void *arg, const char *selector, const char *domain)
{
	const struct work *w = arg;
	size_t i;

	(void)domain;
	for (i = 0; i < w->key_count; i++)
		if (strcasecmp(w->keys[i].selector, selector) == 0)
			return signkey_record(w->keys[i].key);
	return NULL;
}

static enum verify_outcome
verify(struct work *w, const char *fields, const char **why)
{
	struct header signatures;
	struct verify_message message = { .header = w->signing->header,
		.signatures = &signatures, .body = w->signing->body,
		.body_arg = w->signing->body_arg, .record = record_of,
		.record_arg = w };

	header_parse(w->signing->arena, fields, strlen(fields), &signatures);
	return verify_message(w->signer->verifier, &message, why);
}

/* One of the signatures is bad: which? Its key goes. */
static void
take_out_bad(struct work *w)
{
	const char *why;
	size_t i;

	for (i = 0; i < w->key_count; i++)
		if (verify(w, w->fields[i], &why) == VERIFY_BAD)
			keycache_take_out(w->signer->cache, &w->keys[i], why);
}

static bool
is_verified(struct signer *signer)
{
	switch (signer->settings.verify) {
	case SIGNING_VERIFY_ALL:
		return true;
	case SIGNING_VERIFY_SAMPLE:
		return atomic_fetch_add(&signer->signed_count, 1) % SAMPLE ==
		    0;
	default:
		return false;
	}
}

static enum reason
stage_verify(struct work *w)
{
	struct signing *signing = w->signing;
	const char *why;

	if (!is_verified(w->signer))
		return REASON_SIGNED;
	switch (verify(w, signing->fields, &why)) {
	case VERIFY_GOOD:
		metric_add(&verified, 1);
		return REASON_SIGNED;
	case VERIFY_REFUSED:
		metric_add(&unverifiable, 1);
		return REASON_SIGNED;
	case VERIFY_BAD:
		log_error(signing->id, "signature does not verify: domain=%s "
		    "selectors=%s reason=\"%s\"", signing->domain,
		    signing->selectors, why);
		take_out_bad(w);
		break;
	case VERIFY_UNKNOWN:
		break;
	}
	signing->detail = why;
	return REASON_NOT_VERIFIED;
}

/* In this order; the first that says anything ends it */
static enum reason (*const stages[])(struct work *w) = {
	stage_directory,
	stage_header,
	stage_author,		/* whom does From: name? */
	stage_tenant,		/* whose domain is that? */
	stage_sender,		/* may the envelope sender sign for it? */
	stage_key,
	stage_sign,
	stage_verify,
};

static enum reason
run_stages(struct work *w)
{
	enum reason reason = REASON_NONE;
	size_t i;

	for (i = 0; i < sizeof(stages) / sizeof(stages[0]) &&
	    reason == REASON_NONE; i++)
		reason = stages[i](w);
	return reason;
}

static enum signing_outcome
outcome_of(const struct work *w, enum reason reason)
{
	if ((reason == REASON_NO_KEY || reason == REASON_BAD_KEY) &&
	    w->policy == DKIM_SIGNING_REQUIRED)
		return SIGNING_DEFER;
	return rows[reason].outcome;
}

void
signer_sign(struct signer *signer, struct signing *signing)
{
	struct work w = { .signer = signer, .signing = signing };
	enum reason reason;
	size_t i;

	signing->detail = signing->fields = signing->author = "";
	signing->domain = signing->selectors = "";
	reason = run_stages(&w);
	for (i = 0; i < w.key_count; i++)
		signkey_release(w.keys[i].key);
	metric_add(&rows[reason].count, 1);
	signing->reason = rows[reason].word;
	signing->outcome = outcome_of(&w, reason);
	if (signing->outcome != SIGNING_SIGNED)
		signing->fields = signing->domain = signing->selectors = "";
	signing->fields_len = strlen(signing->fields);
}

static void
register_metrics(void)
{
	static bool is_done;
	size_t i;

	if (is_done)
		return;
	is_done = true;
	for (i = REASON_SIGNED; i < REASONS; i++)
		metric_register(&rows[i].count);
	metric_register(&verified);
	metric_register(&unverifiable);
	keycache_metrics();
}

struct signer *
signer_new(const struct signer_settings *settings, const char **why)
{
	struct keycache_settings keys = { .passphrase = settings->passphrase,
		.min_rsa_bits = settings->min_rsa_bits, .max_keys = KEYS_MAX };
	struct signer *signer;

	if (sign_profile_check(&settings->profile, why) == -1)
		return NULL;
	register_metrics();
	signer = xcalloc(1, sizeof(*signer));
	signer->settings = *settings;
	signer->settings.passphrase = NULL;	/* the cache has its own */
	if ((signer->verifier = verifier_new(why)) == NULL) {
		signer_free(signer);
		return NULL;
	}
	signer->cache = keycache_new(&keys, signer->verifier);
	return signer;
}

void
signer_free(struct signer *signer)
{
	if (signer == NULL)
		return;
	keycache_free(signer->cache);
	verifier_free(signer->verifier);
	free(signer);
}

void
signer_check(const struct signer *signer, const struct snapshot *snapshot,
    struct findings *findings)
{
	keyring_check(signer->cache, snapshot, loop_now(), findings);
}
