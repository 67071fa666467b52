/* SPDX-License-Identifier: ISC */
/* ctl_http.h - one question to the daemon over its control socket. */
#ifndef POLICYD_CTL_HTTP_H
#define POLICYD_CTL_HTTP_H

#include <jansson.h>

#define CTL_HTTP_OK 200
#define CTL_HTTP_UNKNOWN 404	/* the daemon knows no such NAME */

struct ctl_question {
	const char *path;	/* "/show" */
	const char *name;	/* NULL: none */
	const char *body;	/* NULL: GET, else POST */
};

/* control: "unix:/path", "inet:host:port", or only a path. The HTTP status
 * with *answer, an object; or -1 and *why (until the next call). */
int ctl_http_ask(const char *control, const struct ctl_question *question,
    json_t **answer, const char **why);

#endif
