/* SPDX-License-Identifier: ISC */
/* redis_tls.c - TLS to Redis: TLS 1.2 at least, and only to the host that we
 * mean, which hiredis by itself does not check. The one file that knows which
 * hiredis this is. */
#include "policyd/redis_tls.h"

#include "common/log.h"
#include "common/xmalloc.h"

#include "config.h"

#ifdef HAVE_HIREDIS_SSL

#include <hiredis/hiredis_ssl.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

struct redis_tls {
	const char *host;
	SSL_CTX *settings;
	const char *fault;	/* of the last certificate */
};

const char *
redis_tls_missing(void)
{
	return NULL;
}

static int
on_verified(int is_fine, X509_STORE_CTX *chain)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(chain,
	    SSL_get_ex_data_X509_STORE_CTX_idx());
	struct redis_tls *tls = SSL_get_app_data(ssl);

	if (!is_fine)
		tls->fault = X509_verify_cert_error_string(
		    X509_STORE_CTX_get_error(chain));
	return is_fine;
}

struct redis_tls *
redis_tls_new(const char *host, const char *ca_file, const char **why)
{
	struct redis_tls *tls = xcalloc(1, sizeof(*tls));

	tls->host = host;
	tls->settings = SSL_CTX_new(TLS_client_method());
	if (tls->settings == NULL)
		fatal("out of memory");
	SSL_CTX_set_min_proto_version(tls->settings, TLS1_2_VERSION);
	SSL_CTX_set_verify(tls->settings, SSL_VERIFY_PEER, on_verified);
	if (*ca_file == '\0'
	    ? SSL_CTX_set_default_verify_paths(tls->settings) == 1
	    : SSL_CTX_load_verify_file(tls->settings, ca_file) == 1)
		return tls;
	*why = "counters.ca_file: has no certificates that can be read";
	redis_tls_free(tls);
	return NULL;
}

void
redis_tls_free(struct redis_tls *tls)
{
	if (tls == NULL)
		return;
	SSL_CTX_free(tls->settings);
	free(tls);
}

int
redis_tls_begin(struct redis_tls *tls, redisAsyncContext *context)
{
	SSL *ssl = SSL_new(tls->settings);

	if (ssl == NULL)
		fatal("out of memory");
	tls->fault = NULL;
	SSL_set_app_data(ssl, tls);
	/* a name is told to the server, too; an address must not be */
	if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), tls->host) != 1 &&
	    (SSL_set1_host(ssl, tls->host) != 1 ||
	    SSL_set_tlsext_host_name(ssl, tls->host) != 1))
		fatal("out of memory");
	if (redisInitiateSSL(&context->c, ssl) == REDIS_OK)
		return 0;
	SSL_free(ssl);
	context->errstr = context->c.errstr;
	return -1;
}

const char *
redis_tls_fault(const struct redis_tls *tls)
{
	return tls != NULL ? tls->fault : NULL;
}

#else

const char *
redis_tls_missing(void)
{
	return "rediss:// needs a hiredis with TLS, libhiredis_ssl, when "
	    "Postern is built; Debian has it from 13 on";
}

struct redis_tls *
redis_tls_new(const char *host, const char *ca_file, const char **why)
{
	(void)host;
	(void)ca_file;
	*why = redis_tls_missing();
	return NULL;
}

void
redis_tls_free(struct redis_tls *tls)
{
	(void)tls;
}

int
redis_tls_begin(struct redis_tls *tls, redisAsyncContext *context)
{
	(void)tls;
	(void)context;
	return -1;
}

const char *
redis_tls_fault(const struct redis_tls *tls)
{
	(void)tls;
	return NULL;
}

#endif
