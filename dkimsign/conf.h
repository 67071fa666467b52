/* SPDX-License-Identifier: ISC */
/* conf.h - dkimsign.conf, read and checked. One structure, immutable; a reload
 * makes another. */
#ifndef DKIMSIGN_CONF_H
#define DKIMSIGN_CONF_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/conf_rows.h"
#include "common/findings.h"
#include "dkimsign/signing.h"

struct conf {
	struct arena *arena;
	struct option_list listen;
	unsigned listen_mode;
	const char *listen_group;
	const char *user, *group;
	struct source_settings directory;
	const char *passphrase_file;	/* "" for none */
	const char *next_hop;
	int next_hop_5xx;		/* 0 defer, 1 pass */
	uint64_t sessions;
	uint64_t max_message_bytes;
	const char *spool_dir;
	const char *canonicalization;
	struct option_list headers, oversign;
	int verify;			/* enum signing_verify */
	uint64_t min_rsa_bits;
	int64_t expire_ms;
	const char *metrics;		/* "" for none */
	int log;			/* enum log_to */
	int log_level;			/* 0 info, 1 debug */

	/* made of the above; its texts are the arena's */
	struct sign_profile profile;
};

/* NULL with findings where the file is not right; path NULL: all defaults */
struct conf *conf_read(const char *path, struct findings *findings);
void conf_free(struct conf *conf);	/* NULL is fine */
void conf_print(const struct conf *conf, FILE *to);

#endif
