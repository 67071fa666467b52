/* SPDX-License-Identifier: ISC */
/* listen.h - sockets to listen on: unix:/path, inet:host:port,
 * inet:[::1]:port. Bound before privileges are dropped, served by the loop.
 * Short of descriptors: accepting pauses for a second and goes on. */
#ifndef COMMON_LISTEN_H
#define COMMON_LISTEN_H

#include <sys/socket.h>

struct listener;
struct evconnlistener;

/* The option's check: is this an endpoint? 0, or -1 and why (static) */
int listen_check(const char *endpoint, const char **why);

/* Bind and listen (non-blocking, close-on-exec; TCP_NODELAY on what is
 * accepted). A unix socket: a stale file is replaced, one that answers is an
 * error; mode, and group where it is not "". inet:host is an IPv4 address or a
 * name's first one; inet:[::] is IPv6 alone; port 0 takes a free one.
 * NULL and *why (of this thread, until the next call). */
struct listener *listen_open(const char *endpoint, unsigned mode,
    const char *group, const char **why);
/* Closes, and removes the unix socket that it made */
void listen_close(struct listener *listener);	/* NULL is fine */

/* Serve: fn gets each accepted descriptor (non-blocking), which it owns then */
void listen_start(struct listener *listener, void (*fn)(int fd, void *arg),
    void *arg);
/* The same for evhttp, which sets a callback of its own and frees the
 * evconnlistener with itself: call listen_stop() before evhttp_free(). */
struct evconnlistener *listen_lend(struct listener *listener);
void listen_stop(struct listener *listener);	/* no more accepts */

/* As it is bound: "inet:127.0.0.1:10031" with the real port */
const char *listen_name(const struct listener *listener);
int listen_fd(const struct listener *listener);

#endif
