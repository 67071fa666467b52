/* SPDX-License-Identifier: ISC */
/* log.h - one line per decision, to syslog (facility mail) or stderr.
 * id is the request's or the message's identity and stands first; NULL where there
 * is none. Foreign bytes (whatever a client, a message or the directory says) go
 * through log_foreign(). Never secrets, never the same event twice. Any thread
 * may log. */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdbool.h>
#include <stdint.h>

/* program: shown in syslog as postern/PROGRAM, on stderr as PROGRAM.
 * Until log_open() everything goes to stderr. */
void log_open(const char *program, bool to_syslog, bool debug);
bool log_is_debug(void);

void log_debug(const char *id, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void log_info(const char *id, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void log_warn(const char *id, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void log_error(const char *id, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Start-up and memory only: one line, exit 1 */
_Noreturn void fatal(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));
/* Our bug: one line, abort() */
_Noreturn void panic(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

/* The text with blanks, '"', '\\', control and 8-bit bytes as \xHH, at most
 * 256 bytes of it. Lives until 16 further calls in the same thread. */
const char *log_foreign(const char *text);
/* The same with its blanks, for a text in quotes: reply="%s" */
const char *log_foreign_words(const char *text);

/* A warning that may come once for every request: at most 10 lines a minute for each
 * place in the code, then silence, then "(N more like this)".
 * static struct log_limit limit; if (log_allows(&limit)) log_warn(...) */
struct log_limit {
	int64_t minute;
	unsigned lines;
	unsigned dropped;
};
bool log_allows(struct log_limit *limit);

#endif
