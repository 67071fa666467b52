/* SPDX-License-Identifier: ISC */
/* canon.c - what of a message is signed, byte for byte (RFC 6376 3.4). What is
 * canonical already goes to the hash without being copied, since that is
 * nearly all of it; what might still be dropped waits as a few numbers. Next:
 * sign.c. */
#include "dkimsign/canon.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/xmalloc.h"

#define BUFFER_BYTES 4096
#define BLOCK_BYTES 64	/* looked at in one go: compilers make vectors of it */

struct canon_body {
	EVP_MD_CTX *hash;
	EVP_MD *sha256;		/* fetched once */
	enum canon canon;
	/* What has come but not gone to the hash, in this order */
	uint64_t line_ends;
	bool is_blank;		/* relaxed: blanks, which will be one or none */
	bool is_cr;
	bool is_empty;		/* nothing has gone to the hash */
	char buffer[BUFFER_BYTES];
	size_t used;
};

const char *const canon_words[] = { "simple", "relaxed", NULL };

static bool
is_wsp(char c)
{
	return c == ' ' || c == '\t';
}

/* len bytes of text are the word: which, or -1 */
static int
word_at(const char *text, size_t len)
{
	int i;

	for (i = 0; canon_words[i] != NULL; i++)
		if (strlen(canon_words[i]) == len &&
		    memcmp(canon_words[i], text, len) == 0)
			return i;
	return -1;
}

int
canon_parse(const char *text, enum canon *header, enum canon *body,
    const char **why)
{
	size_t first = strcspn(text, "/");
	int which[2] = { word_at(text, first), -1 };

	*why = "relaxed/relaxed, relaxed/simple, simple/relaxed or "
	    "simple/simple expected";
	if (text[first] == '/')
		which[1] = word_at(text + first + 1, strlen(text + first + 1));
	if (which[0] == -1 || which[1] == -1)
		return -1;
	*header = (enum canon)which[0];
	*body = (enum canon)which[1];
	return 0;
}

static char
ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* The value unfolded, runs of blanks as one, none at the ends */
static size_t
relax_value(const char *text, size_t len, char *to)
{
	size_t at, used = 0;
	bool is_blank = false;

	for (at = 0; at < len; at++) {
		if (text[at] == '\r' && at + 1 < len && text[at + 1] == '\n') {
			at++;
		} else if (is_wsp(text[at])) {
			is_blank = true;
		} else {
			if (is_blank && used > 0)
				to[used++] = ' ';
			is_blank = false;
			to[used++] = text[at];
		}
	}
	return used;
}

static size_t
relax_field(const char *text, size_t len, char *to)
{
	const char *found = memchr(text, ':', len);
	size_t colon = found != NULL ? (size_t)(found - text) : len;
	size_t at, used = 0;

	for (at = 0; at < colon; at++)
		to[used++] = ascii_lower(text[at]);
	while (used > 0 && is_wsp(to[used - 1]))
		used--;
	if (colon == len)
		return used;
	to[used++] = ':';
	return used + relax_value(text + colon + 1, len - colon - 1, to + used);
}

size_t
canon_field(enum canon canon, const char *text, size_t len, char *to)
{
	size_t used = len;

	if (canon == CANON_RELAXED)
		used = relax_field(text, len, to);
	else
		memcpy(to, text, len);
	memcpy(to + used, "\r\n", 2);
	return used + 2;
}

struct canon_body *
canon_body_new(void)
{
	struct canon_body *body = xcalloc(1, sizeof(*body));

	body->hash = EVP_MD_CTX_new();
	body->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (body->hash == NULL || body->sha256 == NULL)
		fatal("out of memory: libcrypto");
	return body;
}

void
canon_body_free(struct canon_body *body)
{
	if (body == NULL)
		return;
	EVP_MD_CTX_free(body->hash);
	EVP_MD_free(body->sha256);
	free(body);
}

void
canon_body_begin(struct canon_body *body, enum canon canon)
{
	if (EVP_DigestInit_ex2(body->hash, body->sha256, NULL) != 1)
		fatal("out of memory: libcrypto");
	body->canon = canon;
	body->line_ends = 0;
	body->is_blank = body->is_cr = false;
	body->is_empty = true;
	body->used = 0;
}

static void
hash_update(struct canon_body *body, const char *bytes, size_t len)
{
	if (EVP_DigestUpdate(body->hash, bytes, len) != 1)
		panic("SHA-256 cannot be updated");
}

static void
flush(struct canon_body *body)
{
	hash_update(body, body->buffer, body->used);
	body->used = 0;
}

/* Small pieces by way of the buffer, large ones as they are */
static void
emit(struct canon_body *body, const char *bytes, size_t len)
{
	body->is_empty = false;
	if (len > sizeof(body->buffer) - body->used)
		flush(body);
	if (len > sizeof(body->buffer) / 2) {
		flush(body);
		hash_update(body, bytes, len);
		return;
	}
	memcpy(body->buffer + body->used, bytes, len);
	body->used += len;
}

/* What waits is not at the end, after all */
static void
emit_waiting(struct canon_body *body)
{
	for (; body->line_ends > 0; body->line_ends--)
		emit(body, "\r\n", 2);
	if (body->is_blank)
		emit(body, " ", 1);
	if (body->is_cr)
		emit(body, "\r", 1);
	body->is_blank = body->is_cr = false;
}

static bool
waits_as_blank(const struct canon_body *body, char c)
{
	return body->canon == CANON_RELAXED && is_wsp(c);
}

/* One byte that may have to wait; false: it need not, and was not taken */
static bool
take_waiting(struct canon_body *body, char c)
{
	if (body->is_cr && c == '\n') {
		body->line_ends++;
		body->is_blank = body->is_cr = false;
		return true;
	}
	if (body->is_cr)
		emit_waiting(body);
	if (c == '\r')
		body->is_cr = true;
	else if (waits_as_blank(body, c))
		body->is_blank = true;
	else
		return false;
	return true;
}

/* Some blank in the block, which has a byte behind it, is not as the relaxed
 * form has it: a tab, or with a blank or a line end behind it. No branches. */
static bool
is_to_relax(const char *block)
{
	unsigned char found = 0;
	size_t i;

	for (i = 0; i < BLOCK_BYTES; i++) {
		unsigned char c = (unsigned char)block[i];
		unsigned char next = (unsigned char)block[i + 1];

		found |= (unsigned char)((c == '\t') | ((c == ' ') &
		    ((next == ' ') | (next == '\t') | (next == '\r'))));
	}
	return found != 0;
}

/* The bytes at the beginning that are their own canonical form whatever comes
 * behind them: they end with neither a blank nor a line end. At least one,
 * since the first is one that need not wait. */
static size_t
canonical_run(enum canon canon, const char *bytes, size_t len)
{
	size_t run = 0;

	if (canon == CANON_SIMPLE) {
		run = len;
	} else {
		while (len - run > BLOCK_BYTES && !is_to_relax(bytes + run))
			run += BLOCK_BYTES;
		while (run < len && bytes[run] != '\t' &&
		    !(bytes[run] == ' ' && (run + 1 == len ||
		    is_wsp(bytes[run + 1]) || bytes[run + 1] == '\r')))
			run++;
	}
	while (run > 1 && (bytes[run - 1] == '\n' || bytes[run - 1] == '\r'))
		run--;
	return run;
}

void
canon_body_update(struct canon_body *body, const char *bytes, size_t len)
{
	size_t run;

	while (len > 0) {
		if (take_waiting(body, *bytes)) {
			run = 1;
		} else {
			emit_waiting(body);
			run = canonical_run(body->canon, bytes, len);
			emit(body, bytes, run);
		}
		bytes += run;
		len -= run;
	}
}

void
canon_body_end(struct canon_body *body, uint8_t hash[CANON_HASH_BYTES])
{
	/* A CR that nothing follows is a byte like others */
	if (body->is_cr)
		emit_waiting(body);
	if (body->canon == CANON_SIMPLE || !body->is_empty)
		emit(body, "\r\n", 2);
	flush(body);
	if (EVP_DigestFinal_ex(body->hash, hash, NULL) != 1)
		panic("SHA-256 cannot be finished");
}
