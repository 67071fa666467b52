/* SPDX-License-Identifier: ISC */
/* ldap_link.c - connect, StartTLS, bind, each with a time-out. A server whose
 * certificate does not hold gets no password. Never follows a referral, and
 * asks for no attribute that is not wanted. Next: ldap_pages.c,
 * ldap_persist.c. */
#include "common/ldap_link.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/ldap_tls.h"
#include "common/secret.h"
#include "common/xmalloc.h"

#define CONNECT_SECS 5
#define ANSWER_SECS 10
#define SLICE_MS 100		/* how soon a stop is seen */
#define CONNECT_SLICE_MS 10

/* What GnuTLS, that of Debian 12's libldap, says of a certificate that libldap
 * has refused; Debian 13's has OpenSSL, which says what is wrong with it */
#define NO_WORD "(unknown error code)"

/* What layer.c reads */
static const char *const own_attributes[] = { "objectClass",
	"associatedDomain", "mail", "createTimestamp", "posternTemplate" };
#define OWN (sizeof(own_attributes) / sizeof(own_attributes[0]))

static bool
is_scheme(const struct ldap_link *link, const char *scheme)
{
	size_t len = strlen(scheme);

	return strncasecmp(link->uri, scheme, len) == 0 &&
	    link->uri[len] == ':';
}

static const char *
reason(const struct ldap_link *link, const char *said)
{
	if (said != NULL && strcmp(said, NO_WORD) == 0)
		return "its certificate is not by a CA of ca_file, or is not "
		    "for the name in the URI";
	if (said != NULL && *said != '\0')
		return said;
	return link->refused != 0 ? strerror(link->refused) : "";
}

int
ldap_link_fail(struct ldap_link *link, int rc, const char *detail)
{
	char *said = NULL;

	if (detail == NULL && link->ld != NULL)
		ldap_get_option(link->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &said);
	if (detail == NULL)
		detail = reason(link, said);
	snprintf(link->why, sizeof(link->why), "%s: %s%s%s", link->uri,
	    rc != LDAP_SUCCESS ? ldap_err2string(rc) : detail,
	    rc != LDAP_SUCCESS && *detail != '\0' ? ": " : "",
	    rc != LDAP_SUCCESS ? detail : "");
	ldap_memfree(said);
	return -1;
}

LDAPMessage *
ldap_link_next(struct ldap_link *link, int msgid)
{
	LDAPMessage *message = NULL;
	struct timeval slice;
	int i, rc, code = LDAP_SERVER_DOWN;

	for (i = 0; i < ANSWER_SECS * 1000 / SLICE_MS; i++) {
		slice = (struct timeval){ 0, SLICE_MS * 1000 };
		rc = ldap_result(link->ld, msgid, LDAP_MSG_ONE, &slice,
		    &message);
		if (rc > 0)
			return message;
		if (rc < 0)
			ldap_get_option(link->ld, LDAP_OPT_RESULT_CODE, &code);
		if (rc < 0 || *link->must_stop) {
			ldap_link_fail(link, code, NULL);
			return NULL;
		}
	}
	ldap_link_fail(link, LDAP_TIMEOUT, "");
	return NULL;
}

/* libldap does not open the connection before the first operation, which is
 * to be asked again until it is open. 0 and the message's id, or -1 and
 * link->why. */
static int
begin(struct ldap_link *link, int (*ask)(struct ldap_link *, int *),
    int *msgid)
{
	int i, rc = LDAP_X_CONNECTING;

	for (i = 0; i < CONNECT_SECS * 1000 / CONNECT_SLICE_MS; i++) {
		rc = ask(link, msgid);
		if (rc != LDAP_X_CONNECTING || *link->must_stop)
			break;
		poll(NULL, 0, CONNECT_SLICE_MS);
	}
	if (rc == LDAP_SUCCESS)
		return 0;
	return ldap_link_fail(link, rc == LDAP_X_CONNECTING ? LDAP_TIMEOUT
	    : rc, NULL);
}

/* An operation that has one answer: 0, or -1 and link->why */
static int
do_one(struct ldap_link *link, int (*ask)(struct ldap_link *, int *))
{
	LDAPMessage *answer;
	char *said = NULL;
	int msgid, rc, code = LDAP_OTHER;

	if (begin(link, ask, &msgid) != 0 ||
	    (answer = ldap_link_next(link, msgid)) == NULL)
		return -1;
	rc = ldap_parse_result(link->ld, answer, &code, NULL, &said, NULL,
	    NULL, 1);
	if (rc == LDAP_SUCCESS)
		rc = code;
	if (rc != LDAP_SUCCESS)
		ldap_link_fail(link, rc, said != NULL ? said : "");
	ldap_memfree(said);
	return rc == LDAP_SUCCESS ? 0 : -1;
}

/* 0, or errno */
static int
wait_connected(const struct ldap_link *link, int fd)
{
	struct pollfd end = { .fd = fd, .events = POLLOUT };
	int i, error = 0;
	socklen_t len = sizeof(error);

	for (i = 0; i < CONNECT_SECS * 1000 / SLICE_MS; i++) {
		if (*link->must_stop)
			return ECANCELED;
		if (poll(&end, 1, SLICE_MS) > 0)
			return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error,
			    &len) == 0 ? error : errno;
	}
	return ETIMEDOUT;
}

/* libldap has begun to connect to one of the addresses that the server's name
 * has. It takes the next one only where this fails at once, so that is waited
 * for here; a socket that it does not get to know again is closed here.
 * Afterwards it waits for the first byte of an answer for no longer than it is
 * told, but for the rest of it, above all in a handshake, without an end. */
static int
connected(LDAP *ld, Sockbuf *buffer, LDAPURLDesc *server,
    struct sockaddr *address, struct ldap_conncb *self)
{
	static const struct timeval most = { 1, 0 };
	struct ldap_link *link = self->lc_arg;
	int fd, none = -1;

	(void)ld;
	(void)server;
	(void)address;
	if (ber_sockbuf_ctrl(buffer, LBER_SB_OPT_GET_FD, &fd) != 1)
		return -1;
	if ((link->refused = wait_connected(link, fd)) != 0) {
		close(fd);
		ber_sockbuf_ctrl(buffer, LBER_SB_OPT_SET_FD, &none);
		return -1;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most));
	return 0;
}

static void
disconnected(LDAP *ld, Sockbuf *buffer, struct ldap_conncb *self)
{
	(void)ld;
	(void)buffer;
	(void)self;
}

static int
set_limits(struct ldap_link *link)
{
	static const int version = LDAP_VERSION3, keep_idle = 60,
	    keep_interval = 10, keep_probes = 3;
	static const struct timeval connect = { CONNECT_SECS, 0 },
	    answer = { ANSWER_SECS, 0 };
	const struct {
		int option;
		const void *value;
	} rows[] = {
		{ LDAP_OPT_PROTOCOL_VERSION, &version },
		{ LDAP_OPT_REFERRALS, LDAP_OPT_OFF },
		{ LDAP_OPT_RESTART, LDAP_OPT_ON },
		{ LDAP_OPT_CONNECT_ASYNC, LDAP_OPT_ON },
		{ LDAP_OPT_CONNECT_CB, &link->connected },
		{ LDAP_OPT_NETWORK_TIMEOUT, &connect },
		{ LDAP_OPT_TIMEOUT, &answer },
		{ LDAP_OPT_X_KEEPALIVE_IDLE, &keep_idle },
		{ LDAP_OPT_X_KEEPALIVE_INTERVAL, &keep_interval },
		{ LDAP_OPT_X_KEEPALIVE_PROBES, &keep_probes },
	};
	size_t i;
	int rc;

	link->connected = (struct ldap_conncb){ .lc_add = connected,
		.lc_del = disconnected, .lc_arg = link };
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		rc = ldap_set_option(link->ld, rows[i].option, rows[i].value);
		if (rc != LDAP_OPT_SUCCESS)
			return ldap_link_fail(link, rc, "time-outs");
	}
	return 0;
}

static int
ask_starttls(struct ldap_link *link, int *msgid)
{
	return ldap_start_tls(link->ld, NULL, NULL, msgid);
}

/* A server that is silent now holds us for CONNECT_SECS, if libldap waits at
 * all: 2.5 does so where connections are opened by and by, and else asks again
 * without a pause or an end; 2.6 waits where they are not. */
static int
shake_hands(struct ldap_link *link)
{
	LDAPAPIInfo info = { .ldapai_info_version = LDAP_API_INFO_VERSION };
	int rc;

	ldap_get_option(NULL, LDAP_OPT_API_INFO, &info);
	ber_memvfree((void **)info.ldapai_extensions);
	ldap_memfree(info.ldapai_vendor_name);
	if (info.ldapai_vendor_version >= 20600)
		ldap_set_option(link->ld, LDAP_OPT_CONNECT_ASYNC,
		    LDAP_OPT_OFF);
	rc = ldap_install_tls(link->ld);
	return rc == LDAP_SUCCESS ? 0 : ldap_link_fail(link, rc, NULL);
}

static int
secure(struct ldap_link *link)
{
	if (is_scheme(link, "ldapi") || (is_scheme(link, "ldap") &&
	    link->settings->tls == SOURCE_TLS_OFF))
		return 0;
	if (ldap_tls_set(link->ld, link->settings) != 0)
		return ldap_link_fail(link, LDAP_SUCCESS,
		    "ca_file, cert_file or key_file cannot be used");
	if (is_scheme(link, "ldaps"))
		return 0;
	return do_one(link, ask_starttls) == 0 ? shake_hands(link) : -1;
}

static int
ask_bind(struct ldap_link *link, int *msgid)
{
	const struct source_settings *s = link->settings;

	return ldap_sasl_bind(link->ld, s->bind_dn,
	    s->sasl == SOURCE_SASL_EXTERNAL ? "EXTERNAL" : LDAP_SASL_SIMPLE,
	    &link->secret, NULL, NULL, msgid);
}

static int
bind_to(struct ldap_link *link)
{
	const struct source_settings *s = link->settings;
	char *password = NULL;
	const char *why;
	int rc;

	link->secret = (struct berval){ 0, "" };	/* there, and empty */
	if (s->bind_password != NULL) {
		link->secret.bv_val = (char *)s->bind_password;
		link->secret.bv_len = strlen(s->bind_password);
	} else if (*s->bind_dn != '\0') {
		password = secret_read(s->bind_password_file, &why);
		if (password == NULL) {
			snprintf(link->why, sizeof(link->why), "%s", why);
			return -1;
		}
		link->secret.bv_val = password;
		link->secret.bv_len = strlen(password);
	}
	rc = do_one(link, ask_bind);
	secret_free(password);
	link->secret = (struct berval){ 0, NULL };
	return rc;
}

static char **
attributes_of(const struct source_settings *settings)
{
	const char *const *more = settings->attributes;
	size_t i, count = 0;
	char **all;

	while (more != NULL && more[count] != NULL)
		count++;
	all = xcalloc(OWN + count + 1, sizeof(*all));
	for (i = 0; i < OWN + count; i++)
		all[i] = (char *)(i < OWN ? own_attributes[i] : more[i - OWN]);
	return all;
}

int
ldap_link_open(struct ldap_link *link,
    const struct source_settings *settings, const char *uri,
    const atomic_bool *must_stop)
{
	int rc;

	*link = (struct ldap_link){ .settings = settings, .uri = uri,
		.must_stop = must_stop };
	link->attributes = attributes_of(settings);
	if ((rc = ldap_initialize(&link->ld, uri)) != LDAP_SUCCESS)
		return ldap_link_fail(link, rc, NULL);
	if (set_limits(link) != 0 || secure(link) != 0)
		return -1;
	return bind_to(link);
}

void
ldap_link_close(struct ldap_link *link)
{
	if (link->ld != NULL)
		ldap_unbind_ext(link->ld, NULL, NULL);
	link->ld = NULL;
	free(link->attributes);
	link->attributes = NULL;
}

void
ldap_link_filter(const struct ldap_link *link, const char *more,
    char out[LDAP_LINK_FILTER])
{
	snprintf(out, LDAP_LINK_FILTER, "(|(objectClass=posternTemplate)"
	    "(objectClass=posternDomain)(objectClass=posternMailbox)"
	    "(objectClass=posternPolicy)%s%s)",
	    link->settings->wants_keys ? "(objectClass=posternDkimKey)" : "",
	    more);
}

int
ldap_link_offers(struct ldap_link *link, const char *control)
{
	char *names[] = { "supportedControl", NULL };
	LDAPMessage *answer;
	struct berval **values = NULL;
	int rc, i, msgid, is_offered = 0;

	rc = ldap_search_ext(link->ld, "", LDAP_SCOPE_BASE, "(objectClass=*)",
	    names, 0, NULL, NULL, NULL, LDAP_NO_LIMIT, &msgid);
	if (rc != LDAP_SUCCESS)
		return ldap_link_fail(link, rc, NULL);
	if ((answer = ldap_link_next(link, msgid)) == NULL)
		return -1;
	if (ldap_msgtype(answer) == LDAP_RES_SEARCH_ENTRY)
		values = ldap_get_values_len(link->ld, answer, names[0]);
	for (i = 0; values != NULL && values[i] != NULL; i++)
		is_offered |= strcmp(values[i]->bv_val, control) == 0;
	ldap_value_free_len(values);
	ldap_msgfree(answer);
	ldap_abandon_ext(link->ld, msgid, NULL, NULL);	/* its end, too */
	return is_offered;
}
