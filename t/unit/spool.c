/* SPDX-License-Identifier: ISC */
/* spool.c - messages cut at every position, every known way to smuggle an end
 * into one, and what is kept of them in memory and in a file. */
#include "dkimsign/spool.h"

#include <openssl/sha.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "common/xmalloc.h"
#include "t/unit/tap.h"

#define CR "\r"
#define LF "\n"
#define H "Subject: x\r\n\r\n"
#define END "\r\n.\r\n"

static struct spool *spool;

struct kept {
	char *bytes;
	size_t len, room;
};

static int
gather(void *to, const char *bytes, size_t len)
{
	struct kept *kept = to;

	if (kept->len + len + 1 > kept->room) {
		kept->room = (kept->len + len + 1) * 2;
		kept->bytes = xrealloc(kept->bytes, kept->room, 1);
	}
	memcpy(kept->bytes + kept->len, bytes, len);
	kept->len += len;
	kept->bytes[kept->len] = '\0';
	return 0;
}

static void
gather_body(void *to, const char *bytes, size_t len)
{
	gather(to, bytes, len);
}

/* In two pieces; how much of it was used */
static size_t
feed(const char *text, size_t len, size_t cut, uint64_t max_bytes)
{
	size_t used;

	spool_begin(spool, max_bytes);
	used = spool_feed(spool, text, cut);
	if (used == cut)
		used += spool_feed(spool, text + cut, len - cut);
	return used;
}

/* clang-format off */
static const struct {
	const char *name;
	const char *wire;	/* behind DATA */
	const char *want;	/* the message; NULL: refused for a stray byte */
	const char *body;
	const char *rest;	/* what is a command again; NULL: it has no end */
} rows[] = {
	{ "a message", H "hello" END, H "hello\r\n", "hello\r\n", "" },
	{ "no body", "Subject: x\r\n\r\n.\r\n", H, "", "" },
	{ "no empty line", "Subject: x" END, "Subject: x\r\n", "", "" },
	{ "nothing at all", ".\r\n", "", "", "" },
	{ "no header", "\r\nhello" END, "\r\nhello\r\n", "hello\r\n", "" },
	{ "dots that begin lines lose one", H "..\r\n...x\r\n.y" END,
	    H ".\r\n..x\r\ny\r\n", ".\r\n..x\r\ny\r\n", "" },
	{ "a dot in the header", "A: b\r\n..c: d\r\n\r\ne" END,
	    "A: b\r\n.c: d\r\n\r\ne\r\n", "e\r\n", "" },
	{ "a dot and an empty line are no end", H "a\r\n..\r\n\r\n" "b" END,
	    H "a\r\n.\r\n\r\nb\r\n", "a\r\n.\r\n\r\nb\r\n", "" },
	{ "what follows is the next command", H "a" END "RSET\r\n",
	    H "a\r\n", "a\r\n", "RSET\r\n" },
	{ "the first of two ends is the end", H "a" END ".\r\n",
	    H "a\r\n", "a\r\n", ".\r\n" },
	{ "8-bit bytes stay", H "\xc3\xa4\xff" END, H "\xc3\xa4\xff\r\n",
	    "\xc3\xa4\xff\r\n", "" },

	/* CVE-2023-51764, -51765, -51766 and what else is about */
	{ "LF . LF", H "a" LF "." LF "MAIL" END, NULL, NULL, "" },
	{ "LF . CRLF", H "a" LF "." CR LF "MAIL" END, NULL, NULL, "" },
	{ "CRLF . LF", H "a" CR LF "." LF "MAIL" END, NULL, NULL, "" },
	{ "CRLF . CR", H "a" CR LF "." CR "MAIL" END, NULL, NULL, "" },
	{ "CR . CR", H "a" CR "." CR "MAIL" END, NULL, NULL, "" },
	{ "CR . CRLF", H "a" CR "." CR LF "MAIL" END, NULL, NULL, "" },
	{ "CR . LF", H "a" CR "." LF "MAIL" END, NULL, NULL, "" },
	{ "LF . CR", H "a" LF "." CR "MAIL" END, NULL, NULL, "" },
	{ "CR CRLF . CRLF", H "a" CR CR LF "." CR LF, NULL, NULL, "" },
	{ "CRLF . CR CRLF", H "a" CR LF "." CR CR LF "MAIL" END, NULL, NULL, "" },
	{ "CRLF . CRLF split by CR", H "a" CR LF CR "." CR LF "MAIL" END, NULL, NULL, "" },
	{ "LF LF . CRLF", H "a" LF LF "." CR LF "MAIL" END, NULL, NULL, "" },
	{ "LF CR . CRLF", H "a" LF CR "." CR LF "MAIL" END, NULL, NULL, "" },
	{ "a bare LF in the header", "A: b" LF "C: d\r\n\r\ne" END, NULL, NULL, "" },
	{ "a bare CR at the end of a line", H "a" CR CR LF "b" END, NULL, NULL, "" },
	{ "a bare LF that begins it", LF H "a" END, NULL, NULL, "" },
	{ "a bare CR that begins it", CR "." CR LF H "a" END, NULL, NULL, "" },
	{ "an end by LF alone is none", H "a" LF "." LF, NULL, NULL, NULL },
	{ "an end by CR alone is none", H "a" CR "." CR, NULL, NULL, NULL },
	{ "nor is half an end", H "a\r\n.\r", "", NULL, NULL },
};
/* clang-format on */

/* The first thing that is not as it should be, at any cut; NULL */
static const char *
wrong_at(size_t row, size_t cut)
{
	const char *wire = rows[row].wire, *rest = rows[row].rest;
	size_t used = feed(wire, strlen(wire), cut, 10000);
	struct kept all = { 0 }, body = { 0 };
	const char *wrong = NULL;

	if (spool_is_whole(spool) != (rest != NULL))
		return "its end";
	if (rest != NULL && strcmp(wire + used, rest) != 0)
		return "what follows";
	if (spool_fault(spool) != (rows[row].want == NULL ? SPOOL_STRAY
	    : SPOOL_CLEAN))
		return "its fault";
	if (rows[row].want == NULL || rest == NULL)
		return NULL;
	gather(&all, "", 0);
	gather(&body, "", 0);
	spool_each(spool, gather, &all);
	spool_body(spool, gather_body, &body);
	if (strcmp(all.bytes, rows[row].want) != 0)
		wrong = "the message";
	else if (strcmp(body.bytes, rows[row].body) != 0)
		wrong = "the body";
	free(all.bytes);
	free(body.bytes);
	return wrong;
}

static void
test_rows(void)
{
	size_t row, cut;
	const char *wrong;

	for (row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
		wrong = NULL;
		for (cut = 0; cut <= strlen(rows[row].wire) && wrong == NULL;
		    cut++)
			wrong = wrong_at(row, cut);
		tap_is(wrong, NULL, rows[row].name);
	}
}

static void
test_nul(void)
{
	static const char text[] = H "a\0b" END;
	size_t cut;
	bool is_found = true;

	for (cut = 0; cut < sizeof(text); cut++) {
		feed(text, sizeof(text) - 1, cut, 10000);
		is_found = is_found && spool_is_whole(spool) &&
		    spool_fault(spool) == SPOOL_STRAY;
	}
	tap_ok(is_found, "a NUL is found wherever it is cut");
}

/* A line of so many bytes in the body */
static enum spool_fault
fault_of_line(size_t bytes)
{
	char text[2000] = H;
	size_t len = strlen(H);

	memset(text + len, 'x', bytes);
	strcpy(text + len + bytes, END);
	feed(text, strlen(text), 700, 10000);
	return spool_is_whole(spool) ? spool_fault(spool) : SPOOL_FILE_FAILED;
}

/* What begins with 10 bytes of header and has two faults, at any cut */
static void
test_two_faults(void)
{
	static const struct {
		const char *name;
		size_t bytes;		/* of the body before a bare LF */
		uint64_t max_bytes;
		enum spool_fault want;
	} both[] = {
		{ "too large, then a bare LF", 30, 30, SPOOL_TOO_LARGE },
		{ "a bare LF, then too large", 30, 45, SPOOL_STRAY },
		{ "a long line, then a bare LF", 1010, 5000, SPOOL_LONG_LINE },
		{ "a bare LF, then a long line", 998, 5000, SPOOL_STRAY },
		{ "too large, then a long line", 1010, 900, SPOOL_TOO_LARGE },
		{ "a long line, then too large", 1010, 1014, SPOOL_LONG_LINE },
	};
	char text[4096];
	size_t cut, len;

	for (size_t i = 0; i < sizeof(both) / sizeof(both[0]); i++) {
		bool is_first = true;

		len = (size_t)snprintf(text, sizeof(text), "X: abc\r\n\r\n"
		    "%0*d\n%01010d" END, (int)both[i].bytes, 0, 0);
		for (cut = 0; cut <= len; cut++) {
			feed(text, len, cut, both[i].max_bytes);
			is_first = is_first && spool_is_whole(spool) &&
			    spool_fault(spool) == both[i].want;
		}
		tap_ok(is_first, both[i].name);
	}
}

/* header and body of so many bytes, in lines of 64 */
static enum spool_fault
fault_of_size(size_t header, size_t body, uint64_t max_bytes)
{
	static const char line[] = "X: 0123456789012345678901234567890123456"
	    "7890123456789012345678\r\n";
	char *text = xmalloc(header + body + 100), *to = text;
	size_t len = sizeof(line) - 1;
	enum spool_fault fault;

	for (; to < text + header; to += len)
		memcpy(to, line, len);
	memcpy(to, "\r\n", 2);
	for (to += 2; to < text + header + 2 + body; to += len)
		memcpy(to, line, len);
	memcpy(to, ".\r\n", 3);
	feed(text, (size_t)(to + 3 - text), header / 2, max_bytes);
	fault = spool_is_whole(spool) ? spool_fault(spool)
	    : SPOOL_FILE_FAILED;
	free(text);
	return fault;
}

static void
test_bounds(void)
{
	size_t len;

	tap_int(fault_of_line(998), SPOOL_CLEAN, "998 bytes are a line");
	tap_int(fault_of_line(999), SPOOL_LONG_LINE, "999 are not");
	tap_int(fault_of_size(64, 640, 706), SPOOL_CLEAN,
	    "as large as may be");
	tap_int(fault_of_size(64, 640, 705), SPOOL_TOO_LARGE,
	    "a byte too large");
	tap_int((int64_t)spool_bytes(spool), 0, "and nothing of it is kept");
	tap_int(fault_of_size(SPOOL_MEMORY - 64, 64, 10000000), SPOOL_CLEAN,
	    "nearly 1 MiB of header");
	spool_header(spool, &len);
	tap_int((int64_t)len, SPOOL_MEMORY - 64, "which is all in memory");
	tap_int(fault_of_size(SPOOL_MEMORY + 64, 64, 10000000),
	    SPOOL_LONG_HEADER, "more than 1 MiB of header");
}

/* 5 MiB of lines that are all different, some of them dots, fed by pieces that
 * have nothing to do with lines */
static void
test_large(void)
{
	struct kept wire = { 0 }, want = { 0 }, got = { 0 };
	uint8_t ours[CANON_HASH_BYTES], theirs[SHA256_DIGEST_LENGTH];
	char line[80];
	size_t i, at, piece;

	gather(&wire, H, strlen(H));
	for (i = 0; i < 200000; i++) {
		snprintf(line, sizeof(line), "%sline %zu of many\r\n",
		    i % 97 == 0 ? "." : "", i);
		if (*line == '.')
			gather(&wire, ".", 1);
		gather(&wire, line, strlen(line));
		gather(&want, line, strlen(line));
	}
	gather(&wire, ".\r\n", 3);
	spool_begin(spool, 100000000);
	for (at = 0; at < wire.len; at += piece) {
		piece = 1 + (at * 7919) % 40000;
		if (piece > wire.len - at)
			piece = wire.len - at;
		spool_feed(spool, wire.bytes + at, piece);
	}
	tap_ok(spool_is_whole(spool) && spool_fault(spool) == SPOOL_CLEAN,
	    "a large message is whole");
	spool_body(spool, gather_body, &got);
	tap_ok(got.len == want.len && memcmp(got.bytes, want.bytes,
	    got.len) == 0, "and comes back from memory and file as it was");
	spool_hash(spool, ours);
	SHA256((const unsigned char *)want.bytes, want.len, theirs);
	tap_ok(memcmp(ours, theirs, sizeof(ours)) == 0,
	    "its body's hash is that of its bytes");
	free(wire.bytes);
	free(want.bytes);
	free(got.bytes);
}

/* So far, of this process; 0: nobody counts them */
static long long
count_writes(void)
{
	FILE *io = fopen("/proc/self/io", "r");
	char line[80];
	long long count = 0;

	while (io != NULL && fgets(line, sizeof(line), io) != NULL)
		sscanf(line, "syscw: %lld", &count);
	if (io != NULL)
		fclose(io);
	return count;
}

/* A tenant's way to make us work */
static void
test_dots(void)
{
	struct kept wire = { 0 };
	long long before;
	size_t i;

	gather(&wire, H, strlen(H));
	for (i = 0; i < 500000; i++)
		gather(&wire, "..\r\n", 4);
	gather(&wire, ".\r\n", 3);
	spool_begin(spool, 100000000);
	before = count_writes();
	spool_feed(spool, wire.bytes, wire.len);
	tap_ok(count_writes() - before < 100,
	    "lines of one dot are not written one by one");
	tap_ok(spool_is_whole(spool) && spool_bytes(spool) ==
	    strlen(H) + 3 * 500000, "and are all there");
	free(wire.bytes);
}

static void
test_disk_full(void)
{
	struct rlimit limit = { 1 << 20, RLIM_INFINITY };
	const char *why;

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	tap_int(fault_of_size(64, 4 << 20, 10000000), SPOOL_DISK_FULL,
	    "a full disk is told from other faults");
	limit.rlim_cur = RLIM_INFINITY;
	setrlimit(RLIMIT_FSIZE, &limit);
	tap_int(fault_of_size(64, 4 << 20, 10000000), SPOOL_CLEAN,
	    "and is over when there is room again");
	tap_int(spool_check("/nonexistent", &why), -1,
	    "a directory that is not there is found out");
	tap_ok(strstr(why, "/nonexistent: No such file") != NULL,
	    "and it is said why");
}

int
main(void)
{
	tap_log();
	/* simple: bytes as they are */
	spool = spool_new("/tmp", CANON_SIMPLE);
	test_rows();
	test_nul();
	test_two_faults();
	test_bounds();
	test_large();
	test_dots();
	test_disk_full();
	spool_free(spool);
	return tap_done();
}
