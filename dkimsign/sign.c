/* SPDX-License-Identifier: ISC */
/* sign.c - which header fields a signature covers, and the DKIM-Signature
 * field itself, folded so that no line is longer than 78 (RFC 6376 3.5, 5.4).
 * Two keys share all but the last few hundred bytes that are hashed. Next:
 * signing.c. */
#include "dkimsign/sign.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/log.h"

/* libopendkim, which many receivers have, reads no more than 4,096 bytes of
 * h=. The folds are in it. */
#define LIST_MAX 3000
#define NAME_MAX_BYTES 60
#define LINE_MAX_BYTES 78
#define FOLD "\r\n\t"
#define FOLD_WIDTH 8	/* of the tab, for people */

static bool
is_name(const char *name, size_t len)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	size_t i;

	for (i = 0; i < len; i++)
		if (memchr(letters, name[i], sizeof(letters) - 1) == NULL)
			return false;
	return len > 0 && len <= NAME_MAX_BYTES;
}

/* Changed or removed on the way (RFC 6376 5.4.1), and our own */
static bool
is_never_signed(const char *name, size_t len)
{
	static const char *const names[] = { "Return-Path", "Received",
		"Bcc", "Resent-Bcc", "DKIM-Signature",
		"Authentication-Results" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == len &&
		    strncasecmp(names[i], name, len) == 0)
			return true;
	return false;
}

/* How many bytes of a name count: all but the star of "List-*" */
static size_t
name_length(const char *name, bool is_star_allowed)
{
	size_t len = strlen(name);

	return is_star_allowed && len > 0 && name[len - 1] == '*'
	    ? len - 1 : len;
}

static int
check_names(const char *const *names, size_t count, bool is_star_allowed,
    bool *has_from, const char **why)
{
	size_t i;

	for (i = 0; i < count; i++) {
		*why = "not the name of a header field";
		if (!is_name(names[i], name_length(names[i], is_star_allowed)))
			return -1;
		*why = "a header field that must not be signed";
		if (is_never_signed(names[i], strlen(names[i])))
			return -1;
		if (strcasecmp(names[i], "From") == 0)
			*has_from = true;
	}
	return 0;
}

int
sign_profile_check(const struct sign_profile *profile, const char **why)
{
	bool has_from = false;

	if (check_names(profile->oversign, profile->oversign_count, false,
	    &has_from, why) == -1 ||
	    check_names(profile->headers, profile->header_count, true,
	    &has_from, why) == -1)
		return -1;
	*why = "From must be signed";
	return has_from ? 0 : -1;
}

/* What is chosen so far */
struct choice {
	const struct header *header;
	struct header_field *fields;
	size_t count, room;
	size_t list_bytes;	/* of h=, with colons */
	bool *is_taken;		/* by place in the header */
};

static void
add(struct choice *choice, const struct header_field *field)
{
	choice->fields[choice->count++] = *field;
	choice->list_bytes += field->name_len + 1;
}

static bool
has_room(const struct choice *choice, size_t name_len)
{
	return choice->count < choice->room &&
	    choice->list_bytes + name_len + 1 <= LIST_MAX;
}

/* Bottom up (5.4.2), since that is how they are found again. 0; or -1: they do
 * not all have room */
static int
add_all(struct choice *choice, const char *name, size_t len, bool is_prefix)
{
	const struct header_field *field;
	size_t i;

	for (i = choice->header->count; i-- > 0;) {
		field = &choice->header->fields[i];
		if (choice->is_taken[i] || field->name_len < len ||
		    (field->name_len > len && !is_prefix) ||
		    strncasecmp(field->name, name, len) != 0 ||
		    !is_name(field->name, field->name_len) ||
		    is_never_signed(field->name, field->name_len))
			continue;
		if (!has_room(choice, field->name_len))
			return -1;
		choice->is_taken[i] = true;
		add(choice, field);
	}
	return 0;
}

/* What is not signed once more often than it stands there could be added by
 * anybody: so of these it does not matter whether all have room. Of the
 * others it does. */
static int
choose(struct choice *choice, const struct sign_profile *profile)
{
	struct header_field absent = { 0 };
	const char *name;
	size_t i, len;

	for (i = 0; i < profile->oversign_count; i++) {
		absent.name = profile->oversign[i];
		absent.name_len = strlen(absent.name);
		if (add_all(choice, absent.name, absent.name_len, false)
		    == -1 || !has_room(choice, absent.name_len))
			return -1;
		add(choice, &absent);
	}
	for (i = 0; i < profile->header_count; i++) {
		name = profile->headers[i];
		len = name_length(name, true);
		if (add_all(choice, name, len, name[len] == '*') == -1 &&
		    strcasecmp(name, "From") == 0)
			return -1;
	}
	return 0;
}

/* libopendkim's isspace() takes VT and FF for blanks; NUL ends its text */
static bool
has_control(const struct header_field *field)
{
	size_t i;

	for (i = 0; i < field->len; i++)
		if ((unsigned char)field->text[i] < ' ' &&
		    memchr("\t\r\n", field->text[i], 3) == NULL)
			return true;
	return false;
}

int
sign_prepare(struct arena *arena, struct sign_message *message,
    const char **why)
{
	const struct header *header = message->header;
	struct choice choice = { .header = header,
		.room = header->count < LIST_MAX
		    ? header->count + message->profile->oversign_count
		    : LIST_MAX };
	size_t i, bytes = 0;

	choice.fields = arena_alloc(arena, choice.room *
	    sizeof(*choice.fields));
	choice.is_taken = arena_alloc(arena, header->count + 1);
	*why = "too many header fields to be signed";
	if (choose(&choice, message->profile) == -1)
		return -1;
	*why = "a control character in the header";
	for (i = 0; i < choice.count; i++) {
		if (has_control(&choice.fields[i]))
			return -1;
		bytes += choice.fields[i].len + 2;
	}
	message->chosen = choice.fields;
	message->chosen_count = choice.count;
	message->canonical = arena_alloc(arena, bytes + 1);
	message->canonical_len = 0;
	for (i = 0; i < choice.count; i++)
		if (choice.fields[i].text != NULL)
			message->canonical_len += canon_field(
			    message->profile->header_canon,
			    choice.fields[i].text, choice.fields[i].len,
			    message->canonical + message->canonical_len);
	return 0;
}

/* A field being written */
struct writer {
	char *text;
	size_t used, column;
};

static void
put(struct writer *w, const char *text, size_t len)
{
	memcpy(w->text + w->used, text, len);
	w->used += len;
	w->column += len;
}

static void
fold(struct writer *w)
{
	put(w, FOLD, strlen(FOLD));
	w->column = FOLD_WIDTH;
}

/* A piece that cannot be divided, behind a blank or on a new line */
static void
put_tag(struct writer *w, const char *text)
{
	size_t len = strlen(text);

	if (w->column + 1 + len > LINE_MAX_BYTES)
		fold(w);
	else
		put(w, " ", 1);
	put(w, text, len);
}

static void
put_list(struct writer *w, const struct sign_message *message)
{
	const struct header_field *field;
	size_t i;

	put_tag(w, "h=");
	for (i = 0; i < message->chosen_count; i++) {
		field = &message->chosen[i];
		if (w->column + field->name_len + 1 > LINE_MAX_BYTES)
			fold(w);
		put(w, field->name, field->name_len);
		put(w, i + 1 < message->chosen_count ? ":" : ";", 1);
	}
}

static void
put_base64(struct writer *w, const unsigned char *bytes, size_t len)
{
	unsigned char text[SIGNKEY_SIGNATURE_MAX * 4 / 3 + 4];
	size_t left = (size_t)EVP_EncodeBlock(text, bytes, (int)len);
	size_t at = 0, piece;

	while (left > 0) {
		piece = LINE_MAX_BYTES - w->column;
		if (piece > left)
			piece = left;
		put(w, (const char *)text + at, piece);
		at += piece;
		left -= piece;
		if (left > 0)
			fold(w);
	}
}

/* All up to and with "b=" */
static void
write_tags(struct arena *arena, struct writer *w,
    const struct sign_message *message, const struct signkey *key,
    const char *domain, const char *selector)
{
	const struct sign_profile *profile = message->profile;
	long long now = message->now_ms / 1000;
	char bh[2 * CANON_HASH_BYTES];

	EVP_EncodeBlock((unsigned char *)bh, message->body_hash,
	    CANON_HASH_BYTES);
	put(w, "DKIM-Signature:", 15);
	put_tag(w, "v=1;");
	put_tag(w, arena_printf(arena, "a=%s-sha256;",
	    signkey_words[signkey_algorithm(key)]));
	put_tag(w, arena_printf(arena, "c=%s/%s;",
	    canon_words[profile->header_canon],
	    canon_words[profile->body_canon]));
	put_tag(w, arena_printf(arena, "d=%s;", domain));
	put_tag(w, arena_printf(arena, "s=%s;", selector));
	put_tag(w, arena_printf(arena, "t=%lld;", now));
	if (profile->expire_ms > 0)
		put_tag(w, arena_printf(arena, "x=%lld;",
		    now + (long long)profile->expire_ms / 1000));
	put_list(w, message);
	put_tag(w, arena_printf(arena, "bh=%s;", bh));
	put_tag(w, "b=");
}

/* RFC 6376 3.7: the chosen fields, then this one with b= empty, which has no
 * CRLF */
static void
header_hash(struct arena *arena, const struct sign_message *message,
    const struct writer *w, uint8_t hash[SIGNKEY_HASH_BYTES])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	char *own = arena_alloc(arena, w->used + 2);
	size_t len = canon_field(message->profile->header_canon, w->text,
	    w->used, own) - 2;

	if (ctx == NULL || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1 ||
	    EVP_DigestUpdate(ctx, message->canonical,
	    message->canonical_len) != 1 ||
	    EVP_DigestUpdate(ctx, own, len) != 1 ||
	    EVP_DigestFinal_ex(ctx, hash, NULL) != 1)
		fatal("out of memory: libcrypto");
	EVP_MD_CTX_free(ctx);
}

/* Enough for every fold that there can be */
static size_t
room_for(const struct sign_message *message, const char *domain,
    const char *selector)
{
	size_t i, list = 0;

	for (i = 0; i < message->chosen_count; i++)
		list += message->chosen[i].name_len + 1 + strlen(FOLD);
	return 512 + list + strlen(domain) + strlen(selector) +
	    2 * SIGNKEY_SIGNATURE_MAX;
}

const char *
sign_field(struct arena *arena, const struct sign_message *message,
    const struct signkey *key, const char *domain, const char *selector)
{
	uint8_t hash[SIGNKEY_HASH_BYTES], signature[SIGNKEY_SIGNATURE_MAX];
	struct writer w = { .text = arena_alloc(arena,
	    room_for(message, domain, selector)) };
	size_t len;

	write_tags(arena, &w, message, key, domain, selector);
	header_hash(arena, message, &w, hash);
	if (signkey_sign(key, hash, signature, &len) == -1)
		return NULL;
	put_base64(&w, signature, len);
	put(&w, "\r\n", 3);	/* and the NUL */
	return w.text;
}
