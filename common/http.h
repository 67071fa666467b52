/* SPDX-License-Identifier: ISC */
/* http.h - a small HTTP server on the loop (libevent's evhttp), for the control
 * socket and for metrics. One row per path. */
#ifndef COMMON_HTTP_H
#define COMMON_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"
#include "common/listen.h"

struct evhttp_request;

struct http_request {
	struct arena *arena;	/* until the answer is out */
	const char *query_name;	/* ?name=..., "" where not given, decoded as
				 * forms are: '+' is a blank, %2B a plus */
	const char *body;	/* NUL added, at most 64 KiB; "" for none */
	size_t body_len;
	/* the answer: */
	int status;		/* 200 unless changed */
	const char *type;	/* "application/json" unless changed */
	const char *answer;	/* text in the arena, or a constant */
	bool is_late;		/* handle() set it: http_answer() follows */

	bool is_inside;		/* http.c's own: in handle() */
	struct evhttp_request *from;
};

struct http_route {
	const char *method;	/* "GET" or "POST" */
	const char *path;
	void (*handle)(struct http_request *request);
};

struct http_server;

/* rows end with a NULL path, and must live as long as the server. Unknown
 * path: 404, wrong method: 405, unreadable query: 400, body too large: 413,
 * each with {"error": "..."}. */
struct http_server *http_start(struct listener *listener,
    const struct http_route *rows);
/* The answer of a handler that waits for something, once; also inside handle().
 * The request is gone then. All must be answered before http_stop(). */
void http_answer(struct http_request *request);
/* Before listen_close(), never from within a handler; NULL is fine */
void http_stop(struct http_server *server);

#endif
