/* SPDX-License-Identifier: ISC */
/* redis_tls.h - TLS to a Redis server, where hiredis has it: from 1.0 on, in
 * libhiredis_ssl. Debian 12's 0.14 has not. */
#ifndef POLICYD_REDIS_TLS_H
#define POLICYD_REDIS_TLS_H

#include <hiredis/async.h>

struct redis_tls;

/* Why there is none; NULL: there is */
const char *redis_tls_missing(void);

/* The server's certificate must be for host, a name or an address, and by a CA
 * in ca_file (PEM; "" for those of the system). The caller frees it; host lives
 * as long. NULL and *why where there is no such file. */
struct redis_tls *redis_tls_new(const char *host, const char *ca_file,
    const char **why);
void redis_tls_free(struct redis_tls *tls);	/* NULL is fine */

/* Before anything is sent. 0, or -1: context->errstr is why */
int redis_tls_begin(struct redis_tls *tls, redisAsyncContext *context);

/* A connection failed: what was wrong with the certificate, which hiredis does
 * not always tell; NULL: nothing, or there is no TLS */
const char *redis_tls_fault(const struct redis_tls *tls);

#endif
