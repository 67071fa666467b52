/* SPDX-License-Identifier: ISC */
/* log.c - one line per decision, to syslog or stderr. Here alone foreign bytes
 * are made harmless: no line of ours can be broken or forged by what a
 * client, a message or the directory says. */
#include "common/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#define LINE_BYTES 4096
#define FOREIGN_BYTES 256
#define FOREIGN_TEXTS 16
#define LINES_A_MINUTE 10

/* Where lines go, and every log_limit: any thread may write */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char ident[64] = "postern";
static bool is_syslog;
static atomic_bool is_debug;

void
log_open(const char *program, bool to_syslog, bool debug)
{
	is_debug = debug;
	pthread_mutex_lock(&lock);
	is_syslog = to_syslog;
	snprintf(ident, sizeof(ident), "%s%s", to_syslog ? "postern/" : "",
	    program);
	if (to_syslog)
		openlog(ident, LOG_PID | LOG_NDELAY, LOG_MAIL);
	pthread_mutex_unlock(&lock);
}

bool
log_is_debug(void)
{
	return is_debug;
}

static void __attribute__((format(printf, 4, 0)))
emit(int priority, const char *word, const char *id, const char *fmt,
    va_list ap)
{
	char line[LINE_BYTES];
	size_t len = 0;
	char *at;

	if (id != NULL)
		len = (size_t)snprintf(line, sizeof(line), "%.128s: ", id);
	vsnprintf(line + len, sizeof(line) - len, fmt, ap);
	for (at = line; *at != '\0'; at++)
		if ((unsigned char)*at < ' ' || (unsigned char)*at > '~')
			*at = '?';
	pthread_mutex_lock(&lock);
	if (is_syslog)
		syslog(priority, "%s%s", word, line);
	else
		fprintf(stderr, "%s: %s%s\n", ident, word, line);
	pthread_mutex_unlock(&lock);
}

#define EMIT(priority, word)				\
	do {						\
		va_list ap;				\
		va_start(ap, fmt);			\
		emit(priority, word, id, fmt, ap);	\
		va_end(ap);				\
	} while (0)

void
log_debug(const char *id, const char *fmt, ...)
{
	if (is_debug)
		EMIT(LOG_DEBUG, "");
}

void
log_info(const char *id, const char *fmt, ...)
{
	EMIT(LOG_INFO, "");
}

void
log_warn(const char *id, const char *fmt, ...)
{
	EMIT(LOG_WARNING, "warning: ");
}

void
log_error(const char *id, const char *fmt, ...)
{
	EMIT(LOG_ERR, "error: ");
}

void
fatal(const char *fmt, ...)
{
	const char *id = NULL;

	EMIT(LOG_CRIT, "fatal: ");
	exit(1);
}

void
panic(const char *fmt, ...)
{
	const char *id = NULL;

	EMIT(LOG_CRIT, "panic: ");
	abort();
}

static const char *
escape(const char *text, char first)
{
	static _Thread_local char texts[FOREIGN_TEXTS][FOREIGN_BYTES * 4 + 4];
	static _Thread_local unsigned turn;
	char *out = texts[turn++ % FOREIGN_TEXTS], *to = out;
	const char *from;

	for (from = text; *from != '\0' && from < text + FOREIGN_BYTES; from++)
		if (*from >= first && *from <= '~' && *from != '"' &&
		    *from != '\\')
			*to++ = *from;
		else
			to += sprintf(to, "\\x%02X", (unsigned char)*from);
	strcpy(to, *from == '\0' ? "" : "...");
	return out;
}

const char *
log_foreign(const char *text)
{
	return escape(text, ' ' + 1);
}

const char *
log_foreign_words(const char *text)
{
	return escape(text, ' ');
}

/* Counts a line in. *dropped: how many were not written the last minute that
 * there were any, told once. */
static bool
limit_take(struct log_limit *limit, int64_t minute, unsigned *dropped)
{
	if (minute != limit->minute) {
		*dropped = limit->dropped;
		*limit = (struct log_limit){ .minute = minute };
	}
	if (limit->lines == LINES_A_MINUTE) {
		limit->dropped++;
		return false;
	}
	limit->lines++;
	return true;
}

bool
log_allows(struct log_limit *limit)
{
	struct timespec now;
	unsigned dropped = 0;
	bool is_allowed;

	/* log.c stands below the loop and its clock, and needs no injecting */
	clock_gettime(CLOCK_MONOTONIC, &now);
	pthread_mutex_lock(&lock);
	is_allowed = limit_take(limit, now.tv_sec / 60 + 1, &dropped);
	pthread_mutex_unlock(&lock);
	if (dropped > 0)
		log_warn(NULL, "(%u more like the next in that minute)",
		    dropped);
	return is_allowed;
}
