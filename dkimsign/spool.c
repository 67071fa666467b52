/* SPDX-License-Identifier: ISC */
/* spool.c - takes a message's bytes apart just far enough to know its end, its
 * header and that each of its lines is one. Must never take anything but
 * CRLF.CRLF for the end: what one server takes for the end and the next does
 * not is how mail is smuggled. Next: message.c. */
#include "dkimsign/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "common/xmalloc.h"

#define FIRST_ROOM 16384
#define KEPT_ROOM 65536		/* of memory, from message to message */
#define PIECE 65536		/* of the file, in one read or write */

enum state {
	STATE_LINE,		/* a line begins */
	STATE_TEXT,
	STATE_CR,		/* behind a CR in a line */
	STATE_DOT,		/* behind a dot that began the line */
	STATE_DOT_CR		/* and a CR behind that */
};

struct spool {
	const char *dir;
	enum canon canon;
	struct canon_body *body;
	uint64_t max_bytes;
	enum spool_fault fault;

	enum state state;
	bool is_whole, is_in_body;
	size_t line;		/* bytes of it so far */
	const char *run;	/* of spool_feed(): not yet kept */

	char *memory;
	size_t room;
	uint64_t bytes;		/* of the message so far */
	size_t header;		/* bytes of the header */
	uint64_t body_at;
	int fd;			/* what does not fit into memory; -1 */
	char *unwritten;	/* the end of that, up to a PIECE; NULL */
	size_t unwritten_len;
};

/* Not every file system has O_TMPFILE */
static int
file_open(const char *dir)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	char *path;

	if (fd != -1 || (errno != EOPNOTSUPP && errno != EISDIR))
		return fd;
	path = xasprintf("%s/dkimsign.XXXXXX", dir);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd != -1)
		unlink(path);
	free(path);
	return fd;
}

int
spool_check(const char *dir, const char **why)
{
	static _Thread_local char text[512];
	int fd = file_open(dir);

	if (fd != -1) {
		close(fd);
		return 0;
	}
	snprintf(text, sizeof(text), "spool_dir: no file can be made in %s: "
	    "%s", dir, strerror(errno));
	*why = text;
	return -1;
}

struct spool *
spool_new(const char *dir, enum canon body_canon)
{
	struct spool *spool = xcalloc(1, sizeof(*spool));

	spool->dir = dir;
	spool->canon = body_canon;
	spool->body = canon_body_new();
	spool->fd = -1;
	return spool;
}

void
spool_free(struct spool *spool)
{
	if (spool == NULL)
		return;
	spool_empty(spool);
	canon_body_free(spool->body);
	free(spool->memory);
	free(spool);
}

void
spool_empty(struct spool *spool)
{
	if (spool->fd != -1)
		close(spool->fd);
	spool->fd = -1;
	free(spool->unwritten);
	spool->unwritten = NULL;
	spool->unwritten_len = 0;
	spool->bytes = 0;
	if (spool->room <= KEPT_ROOM)
		return;
	free(spool->memory);
	spool->memory = NULL;
	spool->room = 0;
}

void
spool_begin(struct spool *spool, uint64_t max_bytes)
{
	spool_empty(spool);
	spool->max_bytes = max_bytes;
	spool->fault = SPOOL_CLEAN;
	spool->state = STATE_LINE;
	spool->is_whole = spool->is_in_body = false;
	spool->header = 0;
	spool->body_at = 0;
	canon_body_begin(spool->body, spool->canon);
}

static void
set_fault(struct spool *spool, enum spool_fault fault)
{
	if (spool->fault == SPOOL_CLEAN)
		spool->fault = fault;
	spool_empty(spool);
}

static size_t
in_memory(const struct spool *spool)
{
	return spool->bytes < SPOOL_MEMORY ? (size_t)spool->bytes
	    : SPOOL_MEMORY;
}

static void
remember(struct spool *spool, const char *bytes, size_t len)
{
	size_t used = in_memory(spool), room = spool->room;

	if (room == 0)
		room = FIRST_ROOM;
	while (used + len > room)
		room *= 2;
	if (room > spool->room)
		spool->memory = xrealloc(spool->memory, room, 1);
	spool->room = room;
	memcpy(spool->memory + used, bytes, len);
}

static void
write_file(struct spool *spool)
{
	static struct log_limit limit;
	const char *bytes = spool->unwritten;
	size_t len = spool->unwritten_len;
	int error = 0;
	ssize_t n;

	spool->unwritten_len = 0;
	if (len > 0 && spool->fd == -1)
		spool->fd = file_open(spool->dir);
	while (len > 0 && error == 0) {
		n = spool->fd == -1 ? -1 : write(spool->fd, bytes, len);
		if (n == -1) {
			error = errno == EINTR ? 0 : errno;
			continue;
		}
		bytes += n;
		len -= (size_t)n;
	}
	if (error == 0)
		return;
	if (log_allows(&limit))
		log_warn(NULL, "spool_dir %s: %s", spool->dir,
		    strerror(error));
	set_fault(spool, error == ENOSPC || error == EDQUOT || error == EFBIG
	    ? SPOOL_DISK_FULL : SPOOL_FILE_FAILED);
}

/* By pieces: a message of nothing but dots would be a write() a line */
static void
write_later(struct spool *spool, const char *bytes, size_t len)
{
	size_t some;

	if (len > 0 && spool->unwritten == NULL)
		spool->unwritten = xmalloc(PIECE);
	while (len > 0 && spool->fault == SPOOL_CLEAN) {
		some = PIECE - spool->unwritten_len;
		if (some > len)
			some = len;
		memcpy(spool->unwritten + spool->unwritten_len, bytes, some);
		spool->unwritten_len += some;
		bytes += some;
		len -= some;
		if (spool->unwritten_len == PIECE)
			write_file(spool);
	}
}

/* What was found good so far: up to, but without, end */
static void
keep(struct spool *spool, const char *end)
{
	const char *bytes = spool->run;
	size_t len = (size_t)(end - bytes), first;

	spool->run = end;
	if (len == 0 || spool->fault != SPOOL_CLEAN)
		return;
	if (!spool->is_in_body && spool->bytes + len > SPOOL_MEMORY)
		set_fault(spool, SPOOL_LONG_HEADER);
	else if (spool->bytes + len > spool->max_bytes)
		set_fault(spool, SPOOL_TOO_LARGE);
	if (spool->fault != SPOOL_CLEAN)
		return;
	if (spool->is_in_body)
		canon_body_update(spool->body, bytes, len);
	first = SPOOL_MEMORY - in_memory(spool);
	if (first > len)
		first = len;
	if (first > 0)
		remember(spool, bytes, first);
	spool->bytes += len;
	write_later(spool, bytes + first, len - first);
}

/* From at on; of what comes before that something may be wrong already */
static void
refuse(struct spool *spool, const char *at, enum spool_fault fault)
{
	keep(spool, at);
	set_fault(spool, fault);
}

static const char *
step_line(struct spool *spool, const char *at, const char *end)
{
	(void)end;
	spool->line = 0;
	spool->state = STATE_TEXT;
	if (*at != '.')
		return at;
	keep(spool, at);
	spool->run = at + 1;
	spool->state = STATE_DOT;
	return at + 1;
}

/* The first byte that may not be in a line; end: there is none */
static const char *
find_stray(const char *at, const char *end)
{
	const char *lf = memchr(at, '\n', (size_t)(end - at)), *nul;

	if (lf != NULL)
		end = lf;
	nul = memchr(at, '\0', (size_t)(end - at));
	return nul != NULL ? nul : end;
}

/* Of a line, and without its CR */
static void
check_text(struct spool *spool, const char *at, const char *end)
{
	size_t room = SPOOL_LINE - spool->line, len = (size_t)(end - at);
	const char *full = at + (room < len ? room : len);
	const char *stray = find_stray(at, end);

	if (full < stray)
		refuse(spool, full, SPOOL_LONG_LINE);
	else if (stray < end)
		refuse(spool, stray, SPOOL_STRAY);
	spool->line += len;
}

static const char *
step_text(struct spool *spool, const char *at, const char *end)
{
	const char *cr = memchr(at, '\r', (size_t)(end - at));

	if (spool->fault == SPOOL_CLEAN)
		check_text(spool, at, cr != NULL ? cr : end);
	if (cr == NULL)
		return end;
	spool->state = STATE_CR;
	return cr + 1;
}

static const char *
step_stray_cr(struct spool *spool, const char *at)
{
	refuse(spool, at, SPOOL_STRAY);
	spool->state = *at == '\r' ? STATE_CR : STATE_TEXT;
	return *at == '\r' ? at + 1 : at;
}

static const char *
step_cr(struct spool *spool, const char *at, const char *end)
{
	(void)end;
	if (*at != '\n')
		return step_stray_cr(spool, at);
	spool->state = STATE_LINE;
	if (spool->line == 0 && !spool->is_in_body) {
		keep(spool, at + 1);
		spool->header = (size_t)spool->bytes - 2;
		spool->body_at = spool->bytes;
		spool->is_in_body = true;
	}
	return at + 1;
}

static const char *
step_dot(struct spool *spool, const char *at, const char *end)
{
	(void)end;
	spool->state = STATE_TEXT;
	if (*at != '\r')
		return at;
	spool->run = at + 1;
	spool->state = STATE_DOT_CR;
	return at + 1;
}

static const char *
step_dot_cr(struct spool *spool, const char *at, const char *end)
{
	(void)end;
	if (*at != '\n')
		return step_stray_cr(spool, at);
	spool->run = at + 1;
	spool->is_whole = true;
	if (!spool->is_in_body) {
		spool->header = in_memory(spool);
		spool->body_at = spool->bytes;
	}
	return at + 1;
}

size_t
spool_feed(struct spool *spool, const char *bytes, size_t len)
{
	static const char *(*const steps[])(struct spool *spool,
	    const char *at, const char *end) = {
		[STATE_LINE] = step_line,
		[STATE_TEXT] = step_text,
		[STATE_CR] = step_cr,
		[STATE_DOT] = step_dot,
		[STATE_DOT_CR] = step_dot_cr,
	};
	const char *at = bytes, *end = bytes + len;

	spool->run = bytes;
	while (at < end && !spool->is_whole)
		at = steps[spool->state](spool, at, end);
	keep(spool, at);
	if (spool->is_whole)
		write_file(spool);
	return (size_t)(at - bytes);
}

bool
spool_is_whole(const struct spool *spool)
{
	return spool->is_whole;
}

enum spool_fault
spool_fault(const struct spool *spool)
{
	return spool->fault;
}

uint64_t
spool_bytes(const struct spool *spool)
{
	return spool->bytes;
}

const char *
spool_header(const struct spool *spool, size_t *len)
{
	*len = spool->header;
	return spool->header > 0 ? spool->memory : "";
}

void
spool_hash(struct spool *spool, uint8_t hash[CANON_HASH_BYTES])
{
	canon_body_end(spool->body, hash);
}

static int
each_of_file(const struct spool *spool, off_t from,
    int (*fn)(void *to, const char *bytes, size_t len), void *to)
{
	off_t size = (off_t)(spool->bytes - in_memory(spool));
	char *piece = size > from ? xmalloc(PIECE) : NULL;
	ssize_t n;
	int rc = 0;

	while (rc == 0 && from < size) {
		n = pread(spool->fd, piece, PIECE, from);
		if (n > 0)
			rc = fn(to, piece, (size_t)n);
		else if (n == 0 || errno != EINTR)
			rc = -1;
		from += n > 0 ? n : 0;
	}
	free(piece);
	return rc;
}

static int
each_from(const struct spool *spool, uint64_t from,
    int (*fn)(void *to, const char *bytes, size_t len), void *to)
{
	size_t held = in_memory(spool);
	int rc = 0;

	if (from >= held)
		return each_of_file(spool, (off_t)(from - held), fn, to);
	rc = fn(to, spool->memory + from, held - (size_t)from);
	return rc != 0 ? rc : each_of_file(spool, 0, fn, to);
}

int
spool_each(const struct spool *spool,
    int (*fn)(void *to, const char *bytes, size_t len), void *to)
{
	return each_from(spool, 0, fn, to);
}

struct body_reading {
	void (*fn)(void *to, const char *bytes, size_t len);
	void *to;
};

static int
hand_on(void *arg, const char *bytes, size_t len)
{
	const struct body_reading *reading = arg;

	reading->fn(reading->to, bytes, len);
	return 0;
}

/* A piece that cannot be read is missing: what is verified then fails */
void
spool_body(void *spool, void (*fn)(void *to, const char *bytes, size_t len),
    void *to)
{
	struct body_reading reading = { fn, to };

	each_from(spool, ((struct spool *)spool)->body_at, hand_on, &reading);
}
