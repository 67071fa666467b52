/* SPDX-License-Identifier: ISC */
/* verify.c - libopendkim, wrapped: it gets the message, and instead of DNS the
 * record that the caller holds. What it is known to choke on, and what no
 * signature covers, it never sees. Never says GOOD where it did not look. */
#include "dkimsign/verify.h"

#include <stdbool.h>	/* dkim.h wants it */

#include <dkim.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/xmalloc.h"
#include "dkimsign/sign.h"

struct verifier {
	DKIM_LIB *lib;
};

/* libopendkim's "DNS" */
static DKIM_CBSTAT
look_up(DKIM *dkim, DKIM_SIGINFO *sig, u_char *buf, size_t size)
{
	const struct verify_message *message = dkim_get_user_context(dkim);
	const char *record = message->record(message->record_arg,
	    (const char *)dkim_sig_getselector(sig),
	    (const char *)dkim_sig_getdomain(sig));

	if (record == NULL)
		return DKIM_CBSTAT_NOTFOUND;
	if (strlen(record) >= size)
		return DKIM_CBSTAT_ERROR;
	memcpy(buf, record, strlen(record) + 1);
	return DKIM_CBSTAT_CONTINUE;
}

struct verifier *
verifier_new(const char **why)
{
	/* Seconds by which clocks may differ. It takes them off t= without a
	 * sign: more than there are in t= would be in the future. */
	uint64_t drift = UINT64_C(1) << 30;
	struct verifier *verifier = xcalloc(1, sizeof(*verifier));

	*why = "libopendkim cannot be set up";
	verifier->lib = dkim_init(NULL, NULL);
	if (verifier->lib == NULL || !dkim_libfeature(verifier->lib,
	    DKIM_FEATURE_ED25519))
		goto fail;
	if (dkim_options(verifier->lib, DKIM_OP_SETOPT, DKIM_OPTS_CLOCKDRIFT,
	    &drift, sizeof(drift)) != DKIM_STAT_OK ||
	    dkim_set_key_lookup(verifier->lib, look_up) != DKIM_STAT_OK)
		goto fail;
	return verifier;
fail:
	verifier_free(verifier);
	return NULL;
}

void
verifier_free(struct verifier *verifier)
{
	if (verifier == NULL)
		return;
	if (verifier->lib != NULL)
		dkim_close(verifier->lib);
	free(verifier);
}

static bool
is_fed(const struct header_field *field)
{
	/* It refuses a message for a name with a semicolon, or for another
	 * DKIM-Signature that is malformed */
	return field->name_len > 0 && !header_is(field, "DKIM-Signature") &&
	    memchr(field->name, ';', field->name_len) == NULL;
}

static bool
feed_field(DKIM *dkim, const struct header_field *field)
{
	return dkim_header(dkim, (u_char *)(uintptr_t)field->text,
	    field->len) == DKIM_STAT_OK;
}

static bool
feed_signatures(DKIM *dkim, const struct verify_message *message)
{
	size_t i;

	for (i = 0; i < message->signatures->count; i++)
		if (!feed_field(dkim, &message->signatures->fields[i]))
			return false;
	return true;
}

static bool
feed_header(DKIM *dkim, const struct verify_message *message)
{
	DKIM_STAT status;
	size_t i;

	for (i = 0; i < message->header->count; i++)
		if (is_fed(&message->header->fields[i]) &&
		    !feed_field(dkim, &message->header->fields[i]))
			return false;
	status = dkim_eoh(dkim);
	return status == DKIM_STAT_OK || status == DKIM_STAT_NOSIG;
}

struct feed {
	DKIM *dkim;
	bool is_failed;
	char last[2];		/* the bytes that came last */
};

static void
feed_body(void *to, const char *bytes, size_t len)
{
	struct feed *feed = to;

	if (len == 0 || feed->is_failed)
		return;
	if (dkim_body(feed->dkim, (u_char *)(uintptr_t)bytes, len) !=
	    DKIM_STAT_OK)
		feed->is_failed = true;
	feed->last[0] = len > 1 ? bytes[len - 2] : feed->last[1];
	feed->last[1] = bytes[len - 1];
}

/* Its relaxed form fails where the last line has no end, which RFC 6376 3.4.4
 * adds */
static bool
feed_whole_body(DKIM *dkim, const struct verify_message *message)
{
	struct feed feed = { .dkim = dkim, .last = "\r\n" };

	message->body(message->body_arg, feed_body, &feed);
	if (memcmp(feed.last, "\r\n", 2) != 0)
		feed_body(&feed, "\r\n", 2);
	return !feed.is_failed;
}

/* What it found out about each signature */
static enum verify_outcome
judge(DKIM *dkim, const struct verify_message *message, const char **why)
{
	DKIM_SIGINFO **sigs;
	int count, i;

	*why = "libopendkim sees not all signatures";
	if (dkim_getsiglist(dkim, &sigs, &count) != DKIM_STAT_OK ||
	    (size_t)count != message->signatures->count)
		return VERIFY_BAD;
	for (i = 0; i < count; i++) {
		*why = "libopendkim cannot judge the signature";
		if (dkim_sig_process(dkim, sigs[i]) != DKIM_STAT_OK)
			return VERIFY_UNKNOWN;
		if (DKIM_SIG_CHECK(sigs[i]))
			continue;
		*why = dkim_sig_getbh(sigs[i]) == DKIM_SIGBH_MISMATCH
		    ? "body hash mismatch"
		    : dkim_sig_geterrorstr(dkim_sig_geterror(sigs[i]));
		return VERIFY_BAD;
	}
	return VERIFY_GOOD;
}

enum verify_outcome
verify_message(struct verifier *verifier,
    const struct verify_message *message, const char **why)
{
	enum verify_outcome outcome = VERIFY_UNKNOWN;
	DKIM_STAT status;
	DKIM *dkim = dkim_verify(verifier->lib, (const u_char *)"postern",
	    NULL, &status);

	*why = "libopendkim has no memory";
	if (dkim == NULL)
		return VERIFY_UNKNOWN;
	dkim_set_user_context(dkim, (void *)(uintptr_t)message);
	outcome = VERIFY_BAD;
	*why = "a DKIM-Signature that is malformed";
	if (!feed_signatures(dkim, message))
		goto done;
	outcome = VERIFY_REFUSED;
	*why = "libopendkim refuses the header";
	if (!feed_header(dkim, message))
		goto done;
	*why = "libopendkim refuses the body";
	if (!feed_whole_body(dkim, message))
		goto done;
	/* judge() looks at each; this is about the message */
	(void)dkim_eom(dkim, NULL);
	outcome = judge(dkim, message, why);
done:
	dkim_free(dkim);
	return outcome;
}

static const char sample_body[] = "Does it sign?\r\n";

static void
give_sample(void *arg, void (*fn)(void *to, const char *bytes, size_t len),
    void *to)
{
	(void)arg;
	fn(to, sample_body, strlen(sample_body));
}

static const char *
own_record(void *key, const char *selector, const char *domain)
{
	(void)selector;
	(void)domain;
	return signkey_record(key);
}

enum verify_outcome
verify_key(struct verifier *verifier, struct signkey *key, const char **why)
{
	static const char text[] = "From: a@b.example\r\n";
	static const char *const from = "From";
	static const struct sign_profile profile = {
		.header_canon = CANON_RELAXED, .body_canon = CANON_SIMPLE,
		.oversign = &from, .oversign_count = 1 };
	struct arena *arena = arena_new(0);
	struct canon_body *body = canon_body_new();
	uint8_t hash[CANON_HASH_BYTES];
	struct header header, signatures;
	struct sign_message sign = { .profile = &profile, .header = &header,
		.body_hash = hash, .now_ms = INT64_C(1600000000000) };
	struct verify_message verify = { .header = &header,
		.signatures = &signatures, .body = give_sample,
		.record = own_record, .record_arg = key };
	enum verify_outcome outcome = VERIFY_BAD;
	const char *field;

	header_parse(arena, text, strlen(text), &header);
	canon_body_begin(body, profile.body_canon);
	canon_body_update(body, sample_body, strlen(sample_body));
	canon_body_end(body, hash);
	if (sign_prepare(arena, &sign, why) == 0 &&
	    (field = sign_field(arena, &sign, key, "b.example", "s")) != NULL) {
		header_parse(arena, field, strlen(field), &signatures);
		outcome = verify_message(verifier, &verify, why);
	} else
		*why = "it cannot sign";
	canon_body_free(body);
	arena_free(arena);
	return outcome;
}
