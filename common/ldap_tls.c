/* SPDX-License-Identifier: ISC */
/* ldap_tls.c - certificates for connections, read when their files have
 * changed, not for each connection: libldap with GnuTLS never gives back what
 * it has read of a certificate of ours and its key. */
#include "common/ldap_tls.h"

#include <string.h>
#include <sys/stat.h>

#define FILES 3

struct file {
	int option;
	const char *path;	/* "": none */
};

static const int demand = LDAP_OPT_X_TLS_DEMAND;
static LDAP *holder;		/* of what was read last */
static void *context;		/* its; each that asks for it holds it */
static struct stat seen[FILES];	/* when it was read */

static bool
are_seen(const struct file files[FILES], struct stat now[FILES])
{
	size_t i;
	bool is_same = holder != NULL;

	memset(now, 0, FILES * sizeof(*now));
	for (i = 0; i < FILES; i++) {
		if (stat(files[i].path, &now[i]) != 0)
			memset(&now[i], 0, sizeof(*now));
		is_same = is_same && now[i].st_dev == seen[i].st_dev &&
		    now[i].st_ino == seen[i].st_ino &&
		    now[i].st_size == seen[i].st_size &&
		    now[i].st_mtim.tv_sec == seen[i].st_mtim.tv_sec &&
		    now[i].st_mtim.tv_nsec == seen[i].st_mtim.tv_nsec;
	}
	return is_same;
}

static void
forget(void)
{
	if (holder != NULL)
		ldap_unbind_ext(holder, NULL, NULL);
	holder = NULL;
}

/* Into a new holder, or none */
static int
read_files(const struct file files[FILES])
{
	int is_server = 0, rc;
	size_t i;

	forget();
	rc = ldap_initialize(&holder, NULL);
	if (rc == 0)
		rc = ldap_set_option(holder, LDAP_OPT_X_TLS_REQUIRE_CERT,
		    &demand);
	for (i = 0; rc == 0 && i < FILES; i++)
		if (*files[i].path != '\0')
			rc = ldap_set_option(holder, files[i].option,
			    files[i].path);
	if (rc == 0)
		rc = ldap_set_option(holder, LDAP_OPT_X_TLS_NEWCTX,
		    &is_server);
	if (rc == 0)
		rc = ldap_get_option(holder, LDAP_OPT_X_TLS_CTX, &context);
	if (rc != 0)
		forget();
	return rc == 0 ? 0 : -1;
}

int
ldap_tls_set(LDAP *ld, const struct source_settings *settings)
{
	const struct file files[FILES] = {
		{ LDAP_OPT_X_TLS_CACERTFILE, settings->ca_file },
		{ LDAP_OPT_X_TLS_CERTFILE, settings->cert_file },
		{ LDAP_OPT_X_TLS_KEYFILE, settings->key_file },
	};
	struct stat now[FILES];

	if (!are_seen(files, now)) {
		if (read_files(files) != 0)
			return -1;
		memcpy(seen, now, sizeof(seen));
	}
	if (ldap_set_option(ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand) != 0 ||
	    ldap_set_option(ld, LDAP_OPT_X_TLS_CTX, context) != 0)
		return -1;
	return 0;
}
