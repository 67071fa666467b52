/* SPDX-License-Identifier: ISC */
/* source.h - what the directory is read from: one implementation per kind of
 * URI, all of whose calls come from the directory's thread. It reads entries
 * and says when that is worth while; never what becomes of them. */
#ifndef COMMON_SOURCE_H
#define COMMON_SOURCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/entry.h"
#include "common/findings.h"

struct source_settings {	/* all texts outlive the source */
	const char *uri;
};

/* Each implementation's own, which begins with it */
struct source {
	const struct source_ops *ops;
};

/* Where the entries of one reading go */
struct source_reader {
	void (*take)(void *arg, const struct entry *entry);
	void *arg;
	struct findings *findings;
};

struct source_ops {
	const char *const *schemes;	/* of its URIs; NULL ends */
	/* 0, or -1 and *why (of this thread, until the next call) */
	int (*check)(const struct source_settings *settings, const char **why);
	/* Never waits. What waits later ends soon once *must_stop is set. */
	struct source *(*open)(const struct source_settings *settings,
	    const atomic_bool *must_stop);
	void (*close)(struct source *source);

	/* Has something changed, or is it time to try again? */
	bool (*is_due)(struct source *source);
	/* All entries there are. is_asked: someone wants it anew, also where
	 * nothing seems to have changed. 0; or -1 and *why (until the next
	 * call) where it is not whole: what was taken must not be used. */
	int (*read)(struct source *source, bool is_asked,
	    const struct source_reader *to, const char **why);

	/* Ask is_due() after so many milliseconds, or when this descriptor (-1:
	 * there is none) can be read */
	int (*wait_ms)(struct source *source);
	int (*wait_fd)(struct source *source);
};

extern const struct source_ops source_ldif;	/* ldif:///path */

#endif
