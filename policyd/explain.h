/* SPDX-License-Identifier: ISC */
/* explain.h - one request walked through aloud, without charging. */
#ifndef POLICYD_EXPLAIN_H
#define POLICYD_EXPLAIN_H

#include <jansson.h>
#include <stddef.h>

#include "common/arena.h"
#include "policyd/service.h"

/* A new reference; NULL and why where the text is no request or the counters
 * cannot be asked */
typedef void explain_done(void *arg, json_t *json, const char *why);

/* text: name=value lines; request= and protocol_state= may be missing. Each
 * rule, the greylist record and every limit that applies, with what it would
 * say, and the reply at RCPT. The arena lives until done, which may be called
 * at once. */
void explain_request(struct service *service, struct arena *arena,
    const char *text, size_t len, explain_done *done, void *arg);

#endif
