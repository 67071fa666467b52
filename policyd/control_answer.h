/* SPDX-License-Identifier: ISC */
/* control_answer.h - what the control socket's handlers share: the service
 * they tell about, JSON answers, and whom a NAME names. */
#ifndef POLICYD_CONTROL_ANSWER_H
#define POLICYD_CONTROL_ANSWER_H

#include <jansson.h>
#include <stdbool.h>

#include "common/http.h"
#include "policyd/service.h"

extern struct service *control_service;

/* The answer is json, whose reference is taken */
void control_answer(struct http_request *rq, json_t *json);
void control_fail(struct http_request *rq, int status, const char *why);

/* Whom a NAME names */
struct control_name {
	const struct snapshot *snapshot;
	const struct tenant *tenant;
	const struct layer *entry;	/* the mailbox's own, or NULL */
	const char *mailbox;		/* NULL: the whole tenant */
	struct chain chain;
};

/* rq->query_name: a domain, an address of one, or a tenant's id. False:
 * there is none, and that was answered. */
bool control_find(struct http_request *rq, struct control_name *out);
/* {"name", "tenant", "mailbox"} */
json_t *control_named(const struct http_request *rq,
    const struct control_name *named);

#endif
