/* SPDX-License-Identifier: ISC */
/* source.h - what the directory is read from: one implementation per kind of
 * URI, all of whose calls come from the directory's thread. It reads entries
 * and says when that is worth while; never what becomes of them. */
#ifndef COMMON_SOURCE_H
#define COMMON_SOURCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/entry.h"
#include "common/findings.h"

enum source_tls { SOURCE_TLS_STARTTLS, SOURCE_TLS_OFF };
enum source_sasl { SOURCE_SASL_NONE, SOURCE_SASL_EXTERNAL };

/* All but the URI is for LDAP alone. NULL counts as "". */
struct source_settings {
	const char *uri;
	const char *base;
	const char *bind_dn, *bind_password_file;
	const char *bind_password;	/* instead of the file, of whoever asks
					 * once; NULL in every source */
	const char *ca_file, *cert_file, *key_file;
	int tls;			/* enum source_tls, for ldap:// */
	int sasl;			/* enum source_sasl */
	int64_t poll_ms;
	bool wants_keys;		/* posternDkimKey, too: without it
					 * they are not even asked for */
	const char *state_file;		/* see state_file.h; "": there is none */
	/* What the layers' parser reads beside layer.c; static; NULL ends */
	const char *const *attributes;
};

/* The texts go to the arena */
void source_settings_copy(struct arena *arena, struct source_settings *to,
    const struct source_settings *from);
bool source_settings_are_equal(const struct source_settings *a,
    const struct source_settings *b);

/* Each implementation's own, which begins with it */
struct source {
	const struct source_ops *ops;
};

/* Where the entries of one reading go */
struct source_reader {
	void (*take)(void *arg, const struct entry *entry);
	void *arg;
	struct findings *findings;
	void (*gone)(void *arg, const char *key);	/* a normalised DN:
					 * only of SOURCE_TOLD_NEWS */
};

enum source_wish {
	SOURCE_NEWS,	/* what has changed since the last reading */
	SOURCE_ALL,	/* all entries there are */
	SOURCE_ANEW	/* these, asked for now: also where nothing seems to
			 * have changed */
};

enum source_told {
	SOURCE_FAILED,	/* it is not whole: what was taken must not be used */
	SOURCE_TOLD_ALL,	/* no other entry is there */
	SOURCE_TOLD_NEWS	/* for SOURCE_NEWS alone, where it can tell */
};

struct source_ops {
	const char *const *schemes;	/* of its URIs; NULL ends */
	/* 0, or -1 and *why (of this thread, until the next call) */
	int (*check)(const struct source_settings *settings, const char **why);
	/* The settings outlive the source. Never waits; what waits later ends
	 * soon once *must_stop is set. */
	struct source *(*open)(const struct source_settings *settings,
	    const atomic_bool *must_stop);
	void (*close)(struct source *source);

	/* Has something changed, or is it time to try again? */
	bool (*is_due)(struct source *source);
	/* *why (until the next call) where it failed */
	enum source_told (*read)(struct source *source, enum source_wish wish,
	    const struct source_reader *to, const char **why);

	/* All entries of the last reading once more, without asking anybody;
	 * not where the server has said more since then. Both NULL for a
	 * source that is as near as our own disk. */
	bool (*can_recall)(struct source *source);
	void (*recall)(struct source *source, const struct source_reader *to);

	/* Ask is_due() after so many milliseconds, or when this descriptor (-1:
	 * there is none) can be read */
	int (*wait_ms)(struct source *source);
	int (*wait_fd)(struct source *source);
};

extern const struct source_ops source_ldif;	/* ldif:///path */
extern const struct source_ops source_ldap;	/* ldap:// ldaps:// ldapi:// */

#endif
