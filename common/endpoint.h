/* SPDX-License-Identifier: ISC */
/* endpoint.h - an end of a connection, as text and as a socket, bound or
 * connecting: unix:/path, inet:host:port, inet:[::1]:port. */
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

/* A socket that connects (non-blocking; TCP_NODELAY): it is done, or SO_ERROR
 * says why not, when it can be written to. -1 and why, as above. A name is
 * looked up, which may take as long as resolv.conf(5) says. */
int endpoint_connect(const struct endpoint *endpoint, const char **why);

/* The text of what fd is bound to, with the real port; the caller frees it */
char *endpoint_name(int fd);

#endif
