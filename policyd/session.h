/* SPDX-License-Identifier: ISC */
/* session.h - connections from Postfix: bytes into requests, answers out. */
#ifndef POLICYD_SESSION_H
#define POLICYD_SESSION_H

#include <stddef.h>

#include "policyd/service.h"

struct sessions;

struct sessions *sessions_new(struct service *service);
/* Closes each connection as soon as its request is answered that waits for the
 * counters: what they have charged is said. Then calls ended(), at once where
 * nobody waits. Accept no more before. */
void sessions_end(struct sessions *sessions, void (*ended)(void));
/* Closes all connections, whatever they were doing */
void sessions_free(struct sessions *sessions);	/* NULL is fine */

/* Serve fd (non-blocking), which belongs to the session from here on */
void session_accept(int fd, void *sessions);

size_t sessions_count(const struct sessions *sessions);

#endif
