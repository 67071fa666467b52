/* SPDX-License-Identifier: ISC */
/* endpoint.h - where to listen, as text and as a bound socket:
 * unix:/path, inet:host:port, inet:[::1]:port. listen.h serves it. */
#ifndef COMMON_ENDPOINT_H
#define COMMON_ENDPOINT_H

struct endpoint {
	const char *text;	/* the whole, as given; not copied */
	const char *path;	/* in text; NULL: inet */
	int family;
	char host[256];
	const char *port;	/* in text */
};

/* 0, or -1 and why (static) */
int endpoint_parse(const char *text, struct endpoint *out, const char **why);

/* A listening socket, or -1 and why (of this thread, until the next call).
 * mode, and group where it is not "", are those of a unix socket. */
int endpoint_bind(const struct endpoint *endpoint, unsigned mode,
    const char *group, const char **why);

/* The text of what fd is bound to, with the real port; the caller frees it */
char *endpoint_name(int fd);

#endif
