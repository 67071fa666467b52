/* SPDX-License-Identifier: ISC */
/* state_file.h - the directory as it was last in force, in a file: LDIF that
 * says whose it is and proves that it is whole. */
#ifndef COMMON_STATE_FILE_H
#define COMMON_STATE_FILE_H

#include <stdint.h>

#include "common/source.h"

#define STATE_FILE_DIGEST 32

struct state_file_mark {
	int64_t written_ms;
	unsigned char content[STATE_FILE_DIGEST];	/* but for the time */
};

/* Gives all entries */
typedef void state_file_giver(void *arg, const struct source_reader *to);

/* settings->state_file has this and mark is of it, or on any failure both are
 * what they were; where the content is that of mark, too. 0; or -1 and *why (of
 * this thread, until the next call). */
int state_file_write(const struct source_settings *settings,
    state_file_giver *give, void *arg, struct state_file_mark *mark,
    const char **why);

/* 0; or -1 and *why as above, "" where there is no such file: it is torn, or of
 * other servers or another base than these settings; then what was taken must
 * not be used. */
int state_file_read(const struct source_settings *settings,
    const struct source_reader *to, struct state_file_mark *out,
    const char **why);

#define STATE_FILE_TIME sizeof("2026-11-21T00:53:00Z")
void state_file_time(int64_t ms, char out[STATE_FILE_TIME]);

#endif
