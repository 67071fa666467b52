/* SPDX-License-Identifier: ISC */
/* t/unit/canon.c - canonical forms (RFC 6376 3.4), and the same hash however
 * the body's bytes come. */
#include "dkimsign/canon.h"

#include <openssl/sha.h>
#include <stdlib.h>

#include "t/unit/tap.h"

static const struct {
	const char *name, *text, *simple, *relaxed;
} fields[] = {
	{ "RFC 6376 3.4.5, first field", "A: X", "A: X\r\n", "a:X\r\n" },
	{ "RFC 6376 3.4.5, second field", "B : Y\t\r\n\tZ  ",
	    "B : Y\t\r\n\tZ  \r\n", "b:Y Z\r\n" },
	{ "an empty value", "X-A: ", "X-A: \r\n", "x-a:\r\n" },
	{ "a value that begins with a fold", "To:\r\n a@b", "To:\r\n a@b\r\n",
	    "to:a@b\r\n" },
	{ "a fold before blanks is one blank", "To: a\r\n  \tb",
	    "To: a\r\n  \tb\r\n", "to:a b\r\n" },
	{ "a line of blanks", "S: a\r\n \r\n b", "S: a\r\n \r\n b\r\n",
	    "s:a b\r\n" },
	{ "only ASCII letters of the name change", "X-\xc3\x84Z[: A",
	    "X-\xc3\x84Z[: A\r\n", "x-\xc3\x84z[:A\r\n" },
	{ "vertical tab and form feed are no blanks", "S: a\v \fb\f",
	    "S: a\v \fb\f\r\n", "s:a\v \fb\f\r\n" },
};

/* The canonical form of these bodies, whose hash is asked for */
static const struct {
	const char *name, *text, *simple, *relaxed;
} bodies[] = {
	{ "RFC 6376 3.4.5", " C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n",
	    " C\r\nD E\r\n" },
	{ "nothing", "", "\r\n", "" },
	{ "one line end", "\r\n", "\r\n", "" },
	{ "line ends", "\r\n\r\n\r\n", "\r\n", "" },
	{ "blanks", "  \t", "  \t\r\n", "" },
	{ "lines of blanks", " \r\n\t\r\n", " \r\n\t\r\n", "" },
	{ "lines of blanks at the end", "a\r\n \r\n\t\r\n",
	    "a\r\n \r\n\t\r\n", "a\r\n" },
	{ "lines of blanks between", "a\r\n \r\n\r\nb", "a\r\n \r\n\r\nb\r\n",
	    "a\r\n\r\n\r\nb\r\n" },
	{ "no line end at the end", "a", "a\r\n", "a\r\n" },
	{ "blanks and no line end", "a \t", "a \t\r\n", "a\r\n" },
	{ "empty lines at the beginning", "\r\n\r\na\r\n",
	    "\r\n\r\na\r\n", "\r\n\r\na\r\n" },
	{ "a bare CR is a byte like others", "a\rb \r \rc\r\n",
	    "a\rb \r \rc\r\n", "a\rb \r \rc\r\n" },
	{ "CR CR LF", "a\r\r\n\r\r\n", "a\r\r\n\r\r\n", "a\r\r\n\r\r\n" },
	{ "a CR at the end", "a\r", "a\r\r\n", "a\r\r\n" },
	{ "a bare LF is a byte like others", "a \n\nb\n", "a \n\nb\n\r\n",
	    "a \n\nb\n\r\n" },
	{ "NUL and 8-bit bytes stay", "a\x80  \xff\r\n", "a\x80  \xff\r\n",
	    "a\x80 \xff\r\n" },
	{ "dots stay", ".\r\n..\r\n", ".\r\n..\r\n", ".\r\n..\r\n" },
	{ "long lines with a tab far behind",
	    "0123456789012345678901234567890123456789012345678901234567890123"
	    "0123456789012345678901234567890123456789012345678901234567890 3"
	    "0123456789012345678901234567890123456789012345678901234567890\t3"
	    "\r\n",
	    "0123456789012345678901234567890123456789012345678901234567890123"
	    "0123456789012345678901234567890123456789012345678901234567890 3"
	    "0123456789012345678901234567890123456789012345678901234567890\t3"
	    "\r\n",
	    "0123456789012345678901234567890123456789012345678901234567890123"
	    "0123456789012345678901234567890123456789012345678901234567890 3"
	    "0123456789012345678901234567890123456789012345678901234567890 3"
	    "\r\n" },
};

static const struct {
	const char *text;
	int header, body;	/* -1: refused */
} words[] = {
	{ "relaxed/relaxed", CANON_RELAXED, CANON_RELAXED },
	{ "relaxed/simple", CANON_RELAXED, CANON_SIMPLE },
	{ "simple/relaxed", CANON_SIMPLE, CANON_RELAXED },
	{ "relaxed", -1, -1 }, { "", -1, -1 }, { "/", -1, -1 },
	{ "relaxed/", -1, -1 }, { "relaxed/simple/", -1, -1 },
	{ "Relaxed/simple", -1, -1 }, { "simple /simple", -1, -1 },
};

static struct canon_body *body;

static void
hash_of(const char *text, size_t len, uint8_t hash[CANON_HASH_BYTES])
{
	SHA256((const unsigned char *)text, len, hash);
}

static bool
is_hash_of(enum canon canon, const char *text, const char *want)
{
	uint8_t got[CANON_HASH_BYTES], hash[CANON_HASH_BYTES];

	canon_body_begin(body, canon);
	canon_body_update(body, text, strlen(text));
	canon_body_end(body, got);
	hash_of(want, strlen(want), hash);
	return memcmp(got, hash, sizeof(hash)) == 0;
}

static void
test_fields(void)
{
	char got[256];
	size_t i, k;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		for (k = 0; k < 2; k++) {
			got[canon_field((enum canon)k, fields[i].text,
			    strlen(fields[i].text), got)] = '\0';
			tap_is(got, k == CANON_SIMPLE ? fields[i].simple
			    : fields[i].relaxed, fields[i].name);
		}
}

static void
test_bodies(void)
{
	size_t i;

	for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		tap_ok(is_hash_of(CANON_SIMPLE, bodies[i].text,
		    bodies[i].simple), bodies[i].name);
		tap_ok(is_hash_of(CANON_RELAXED, bodies[i].text,
		    bodies[i].relaxed), "relaxed, too");
	}
}

/* A slow and plain second opinion, by the words of 3.4.3 and 3.4.4 */
static size_t
plain_form(enum canon canon, const char *text, size_t len, char *to)
{
	size_t at, used = 0;

	for (at = 0; at < len; at++) {
		if (canon == CANON_RELAXED &&
		    (text[at] == ' ' || text[at] == '\t')) {
			if (used == 0 || to[used - 1] != ' ')
				to[used++] = ' ';
			continue;
		}
		if (canon == CANON_RELAXED && text[at] == '\r' &&
		    at + 1 < len && text[at + 1] == '\n' && used > 0 &&
		    to[used - 1] == ' ')
			used--;
		to[used++] = text[at];
	}
	if (canon == CANON_RELAXED && used > 0 && to[used - 1] == ' ')
		used--;
	while (used >= 2 && memcmp(to + used - 2, "\r\n", 2) == 0)
		used -= 2;
	if (used > 0 || canon == CANON_SIMPLE) {
		memcpy(to + used, "\r\n", 2);
		used += 2;
	}
	return used;
}

/* Bytes that matter often, others seldom, and long stretches that do not */
static size_t
random_body(char *text, size_t max)
{
	static const char often[] = " \t\r\n\r\n\r\nabc. ";
	size_t len = (size_t)random() % max, at = 0;
	int chance = (int)(random() % 12) * (int)(random() % 12);

	while (at < len) {
		if (random() % (chance + 1) == 0)
			text[at++] = often[(size_t)random() %
			    (sizeof(often) - 1)];
		else if (random() % 8 == 0 && at + 2 <= len) {
			memcpy(text + at, "\r\n", 2);
			at += 2;
		} else
			text[at++] = (char)('!' + random() % 90);
	}
	return len;
}

static void
test_random(void)
{
	enum { MAX = 600, BIG = 40000 };
	static char text[BIG], want[BIG + 2];
	uint8_t got[CANON_HASH_BYTES], hash[CANON_HASH_BYTES];
	size_t len, bad = 0, cut, round;
	enum canon canon;

	srandom(6376);
	for (round = 0; round < 4000; round++) {
		canon = (enum canon)(round % 2);
		len = random_body(text, round % 100 < 98 ? MAX : BIG);
		hash_of(want, plain_form(canon, text, len, want), hash);
		canon_body_begin(body, canon);
		for (cut = 0; cut < len; ) {
			size_t piece = 1 + (size_t)random() % (len - cut);

			canon_body_update(body, text + cut, piece);
			cut += piece;
		}
		canon_body_end(body, got);
		bad += memcmp(got, hash, sizeof(hash)) != 0;
	}
	tap_int((int64_t)bad, 0, "random bodies in random pieces");
}

static void
test_cuts(void)
{
	static char text[700], want[702];
	uint8_t got[CANON_HASH_BYTES], hash[CANON_HASH_BYTES];
	size_t bad = 0, cut, round, len;

	for (round = 0; round < 40; round++) {
		enum canon canon = (enum canon)(round % 2);

		len = random_body(text, sizeof(text));
		hash_of(want, plain_form(canon, text, len, want), hash);
		for (cut = 0; cut <= len; cut++) {
			canon_body_begin(body, canon);
			canon_body_update(body, text, cut);
			canon_body_update(body, text + cut, len - cut);
			canon_body_end(body, got);
			bad += memcmp(got, hash, sizeof(hash)) != 0;
		}
	}
	tap_int((int64_t)bad, 0, "the same hash wherever a body is cut");
}

static void
test_words(void)
{
	enum canon header, relaxed;
	const char *why;
	size_t i;
	int rc;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		rc = canon_parse(words[i].text, &header, &relaxed, &why);
		tap_ok(words[i].header == -1 ? rc == -1
		    : rc == 0 && (int)header == words[i].header &&
		    (int)relaxed == words[i].body, words[i].text);
	}
}

int
main(void)
{
	body = canon_body_new();
	test_fields();
	test_bodies();
	test_random();
	test_cuts();
	test_words();
	canon_body_begin(body, CANON_RELAXED);
	canon_body_update(body, "half a ", 7);
	tap_ok(is_hash_of(CANON_RELAXED, "b\r\n", "b\r\n"),
	    "a body that was not ended is forgotten");
	canon_body_free(body);
	return tap_done();
}
