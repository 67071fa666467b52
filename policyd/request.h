/* SPDX-License-Identifier: ISC */
/* request.h - one policy request, from its bytes to its one answer. */
#ifndef POLICYD_REQUEST_H
#define POLICYD_REQUEST_H

#include <stddef.h>

#include "policyd/service.h"

struct request;

/* Called exactly once, perhaps before request_start() returns. action is the
 * value of action=; NULL: the request is malformed, close without an
 * answer. */
typedef void request_answer(void *arg, const char *action);

/* bytes: one whole request, as attrs_length() found it; copied. Returns the
 * request while it waits for the counters, NULL if it is answered. */
struct request *request_start(struct service *service, const char *bytes,
    size_t len, request_answer *answer, void *arg);

/* Nobody wants the answer of a waiting request any more */
void request_forget(struct request *request);

#endif
