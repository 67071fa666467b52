/* SPDX-License-Identifier: ISC */
/* redis_question.h - questions and resets as commands of Redis. */
#ifndef POLICYD_REDIS_QUESTION_H
#define POLICYD_REDIS_QUESTION_H

#include "policyd/counters.h"
#include "policyd/redis_link.h"

/* The command's words are the arena's, and whatever was in it is gone.
 * sha: of redis_script_ask, as Redis knows it; NULL: its whole text is sent. */
void redis_question_make(struct redis_command *command, struct arena *arena,
    const struct counter_question *q, const char *sha);
/* False: that is no answer */
bool redis_question_read(struct counter_question *q, const redisReply *reply);

/* By key counters are gone, by limit void from now on, uncounted */
void redis_reset_make(struct redis_command *command, struct arena *arena,
    const struct counter_reset *reset);

#endif
