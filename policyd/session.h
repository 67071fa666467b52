/* SPDX-License-Identifier: ISC */
/* session.h - connections from Postfix: bytes into requests, answers out. */
#ifndef POLICYD_SESSION_H
#define POLICYD_SESSION_H

#include <stddef.h>

#include "policyd/service.h"

struct sessions;

struct sessions *sessions_new(struct service *service);
/* Closes all connections, whatever they were doing */
void sessions_free(struct sessions *sessions);	/* NULL is fine */

/* Serve fd (non-blocking), which belongs to the session from here on */
void session_accept(int fd, void *sessions);

size_t sessions_count(const struct sessions *sessions);

#endif
