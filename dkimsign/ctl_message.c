/* SPDX-License-Identifier: ISC */
/* ctl_message.c - reads a message, and brings its lines to CRLF. Its first line
 * says how lines end; where another ends otherwise nobody can tell what was
 * meant, and dkimsign would refuse it, too. */
#include "dkimsign/ctl_message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/xmalloc.h"

#define MESSAGE_MAX (256 << 20)
#define PIECE 65536

static int
read_all(struct ctl_message *m, const char **why)
{
	size_t room = 0;
	ssize_t n = 1;

	while (n != 0) {
		if (m->len + PIECE > room) {
			room = room > 0 ? 2 * room : 2 * PIECE;
			m->bytes = xrealloc(m->bytes, room, 1);
		}
		n = read(STDIN_FILENO, m->bytes + m->len, room - m->len);
		if (n == -1 && errno != EINTR) {
			*why = strerror(errno);
			return -1;
		}
		m->len += n > 0 ? (size_t)n : 0;
		*why = "larger than 256 MiB";
		if (m->len > MESSAGE_MAX)
			return -1;
	}
	*why = "no message";
	return m->len > 0 ? 0 : -1;
}

/* Text with CRLF from bytes with either. 0, or the line that ends otherwise. */
static size_t
bring_to_crlf(struct ctl_message *m)
{
	const char *at = m->bytes, *end = m->bytes + m->len, *lf;
	size_t line, len;
	bool has_cr;

	lf = memchr(at, '\n', m->len);
	m->is_unix = lf != NULL && (lf == at || lf[-1] != '\r');
	m->text = xmalloc(2 * m->len + 1);
	for (line = 1; at < end; line++, at += len) {
		lf = memchr(at, '\n', (size_t)(end - at));
		len = (size_t)((lf != NULL ? lf + 1 : end) - at);
		has_cr = lf != NULL && lf > at && lf[-1] == '\r';
		if ((lf != NULL && has_cr == m->is_unix) ||
		    memchr(at, '\r', len - (has_cr ? 2 : 0)) != NULL)
			return line;
		memcpy(m->text + m->text_len, at, len);
		m->text_len += len;
		if (lf != NULL && m->is_unix)
			memcpy(m->text + m->text_len++ - 1, "\r\n", 2);
	}
	return 0;
}

static void
find_body(const struct ctl *ctl, struct ctl_message *m)
{
	const char *gap = memmem(m->text, m->text_len, "\r\n\r\n", 4);
	size_t len = gap != NULL ? (size_t)(gap - m->text) + 2 : m->text_len;

	if (m->text_len >= 2 && memcmp(m->text, "\r\n", 2) == 0)
		len = 0;
	m->body_at = len < m->text_len ? len + 2 : len;
	header_parse(ctl->arena, m->text, len, &m->header);
}

enum ctl_exit
ctl_message_read(const struct ctl *ctl, struct ctl_message *out)
{
	const char *why;
	size_t line;

	*out = (struct ctl_message){ .bytes = NULL };
	if (read_all(out, &why) == -1) {
		ctl_complain(ctl, "standard input", why);
		return CTL_UNASKED;
	}
	if ((line = bring_to_crlf(out)) != 0) {
		ctl_complain(ctl, "standard input", arena_printf(ctl->arena,
		    "line %zu has a bare CR, or does not end as the first "
		    "line does", line));
		return CTL_WRONG;
	}
	find_body(ctl, out);
	return CTL_FINE;
}

void
ctl_message_free(struct ctl_message *message)
{
	free(message->bytes);
	free(message->text);
}

void
ctl_message_body(void *arg,
    void (*fn)(void *to, const char *bytes, size_t len), void *to)
{
	const struct ctl_message *m = arg;

	fn(to, m->text + m->body_at, m->text_len - m->body_at);
}
