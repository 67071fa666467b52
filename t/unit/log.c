/* SPDX-License-Identifier: ISC */
/* log.c - foreign bytes cannot break or forge a line, and a flood of warnings
 * is cut. */
#include "common/log.h"

#include <stdlib.h>
#include <unistd.h>

#include "t/unit/tap.h"

/* What the call wrote to stderr */
#define CAPTURED(call)				\
	do {					\
		rewind(file);			\
		if (ftruncate(2, 0) == -1)	\
			abort();		\
		call;				\
		fflush(stderr);			\
		memset(line, 0, sizeof(line));	\
		if (pread(2, line, sizeof(line) - 1, 0) == -1) \
			abort();		\
	} while (0)

int
main(void)
{
	FILE *file = tmpfile();
	char line[9000], long_text[6000];
	struct log_limit limit = { 0 };
	int i, allowed = 0;

	if (file == NULL || dup2(fileno(file), 2) == -1)
		abort();
	log_open("policyd", false, false);
	CAPTURED(log_info("id1", "verdict=%s", "permit"));
	tap_is(line, "policyd: id1: verdict=permit\n", "the id stands first");
	CAPTURED(log_warn(NULL, "a\nforged: line\x80"));
	tap_is(line, "policyd: warning: a?forged: line?\n",
	    "a line break in a message is no line break");
	CAPTURED(log_debug(NULL, "quiet"));
	tap_is(line, "", "debug is off");
	log_open("policyd", false, true);
	CAPTURED(log_debug(NULL, "loud"));
	tap_is(line, "policyd: loud\n", "and on");
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	CAPTURED(log_info(NULL, "%s", long_text));
	tap_ok(strlen(line) < 4200 && strchr(line, '\n') == strrchr(line, '\n'),
	    "a long message is cut and still one line");

	tap_is(log_foreign("a@b.example"), "a@b.example",
	    "an address is shown as it is");
	tap_is(log_foreign("x> verdict=permit \"\\\n\x80"),
	    "x>\\x20verdict=permit\\x20\\x22\\x5C\\x0A\\x80",
	    "blanks, quotes and control bytes are not");
	tap_is(log_foreign_words("250 Ok: queued \"\n"),
	    "250 Ok: queued \\x22\\x0A", "words keep their blanks alone");
	tap_ok(strlen(log_foreign(long_text)) == 259,
	    "a long one is cut, and says so");

	for (i = 0; i < 100; i++)
		allowed += log_allows(&limit);
	tap_ok(allowed == 10 || allowed == 20,
	    "of a hundred warnings in a minute ten are written");
	fclose(file);
	return tap_done();
}
