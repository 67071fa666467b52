/* SPDX-License-Identifier: ISC */
/* spool.c - fuzz target: the first octets say how the message is cut and how
 * large it may be; whole it is the same. Its end is CRLF.CRLF alone, and what
 * is kept of it has neither a bare CR or LF nor a long line. */
#include "dkimsign/spool.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct kept {
	char *bytes;		/* as many as came in */
	size_t len;
};

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static size_t
feed(struct spool *spool, const char *bytes, size_t len, size_t piece,
    uint64_t max_bytes)
{
	size_t at = 0, part, used;

	spool_begin(spool, max_bytes);
	while (at < len && !spool_is_whole(spool)) {
		part = len - at < piece ? len - at : piece;
		used = spool_feed(spool, bytes + at, part);
		must(used == part || spool_is_whole(spool));
		at += used;
	}
	return at;
}

/* The first line that is a dot alone; 0: none. Also where it is dirty before
 * that: it is read to its end. */
static size_t
end_of(const char *bytes, size_t len)
{
	const char *end = len >= 3 && memcmp(bytes, ".\r\n", 3) == 0 ? bytes
	    : memmem(bytes, len, "\r\n.\r\n", 5);

	return end == NULL ? 0
	    : (size_t)(end - bytes) + (end == bytes && *end == '.' ? 3 : 5);
}

static int
gather(void *to, const char *bytes, size_t len)
{
	struct kept *kept = to;

	memcpy(kept->bytes + kept->len, bytes, len);
	kept->len += len;
	return 0;
}

static void
check_lines(const char *at, const char *end)
{
	const char *cr;

	for (; at < end; at = cr + 2) {
		cr = memchr(at, '\r', (size_t)(end - at));
		must(cr != NULL && cr + 1 < end && cr[1] == '\n');
		must(cr - at <= SPOOL_LINE);
		must(memchr(at, '\n', (size_t)(cr - at)) == NULL);
		must(memchr(at, '\0', (size_t)(cr - at)) == NULL);
	}
}

/* The message in kept, and the hash of its body */
static void
take(struct spool *spool, struct kept *kept, uint8_t hash[CANON_HASH_BYTES])
{
	size_t len;

	must(spool_each(spool, gather, kept) == 0);
	must(kept->len == spool_bytes(spool));
	spool_header(spool, &len);
	must(len <= kept->len);
	check_lines(kept->bytes, kept->bytes + kept->len);
	spool_hash(spool, hash);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct spool *one, *two;
	uint8_t hash[CANON_HASH_BYTES], other[CANON_HASH_BYTES];
	const char *bytes = (const char *)data + 2;
	struct kept kept = { 0 }, again = { 0 };
	uint64_t max_bytes;
	size_t used;

	if (one == NULL) {
		one = spool_new("/tmp", CANON_SIMPLE);
		two = spool_new("/tmp", CANON_SIMPLE);
	}
	if (size < 2)
		return 0;
	size -= 2;
	max_bytes = data[1] < 128 ? 8u * data[1] : 1u << 20;
	used = feed(one, bytes, size, size + 1, max_bytes);
	must(feed(two, bytes, size, 1 + data[0], max_bytes) == used);
	must(spool_is_whole(one) == (end_of(bytes, size) > 0));
	must(used == (spool_is_whole(one) ? end_of(bytes, size) : size));
	must(spool_is_whole(two) == spool_is_whole(one));
	must(spool_fault(two) == spool_fault(one));
	if (!spool_is_whole(one) || spool_fault(one) != SPOOL_CLEAN)
		return 0;
	kept.bytes = malloc(size);
	again.bytes = malloc(size);
	take(one, &kept, hash);
	take(two, &again, other);
	must(kept.len <= max_bytes && kept.len == again.len);
	must(memcmp(kept.bytes, again.bytes, kept.len) == 0);
	must(memcmp(hash, other, sizeof(hash)) == 0);
	free(kept.bytes);
	free(again.bytes);
	return 0;
}
