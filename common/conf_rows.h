/* SPDX-License-Identifier: ISC */
/* conf_rows.h - the options that every daemon has, each row once. A daemon's
 * conf.c puts them among its own rows; its structure has members of these
 * names, and AT() is where one is in it. */
#ifndef COMMON_CONF_ROWS_H
#define COMMON_CONF_ROWS_H

#include "common/option.h"
#include "common/source.h"

enum log_to { LOG_TO_SYSLOG, LOG_TO_STDERR };

extern const char *const conf_tls_words[];	/* enum source_tls */
extern const char *const conf_sasl_words[];	/* enum source_sasl */
extern const char *const conf_log_words[];	/* enum log_to */
extern const char *const conf_level_words[];	/* 0 info, 1 debug */

/* Also "": the option's check of a socket that need not be */
int conf_check_listen_or_none(const char *value, const char **why);

/* clang-format off */
#define CONF_ROWS_SOCKET \
	{ "listen_mode", OPTION_MODE, AT(listen_mode), "0660", 0, 0777, NULL, NULL, \
	    "permissions of a unix socket in listen" }, \
	{ "listen_group", OPTION_STRING, AT(listen_group), "postfix", 0, 0, NULL, NULL, \
	    "group of a unix socket in listen; \"\" leaves it" }

#define CONF_ROWS_ACCOUNT(account) \
	{ "user", OPTION_STRING, AT(user), account, 0, 0, NULL, NULL, \
	    "account to run as when started by root; \"\" stays who we are" }, \
	{ "group", OPTION_STRING, AT(group), account, 0, 0, NULL, NULL, \
	    "group to run as; \"\" takes the user's own" }

#define CONF_ROWS_DIRECTORY \
	{ "directory.uri", OPTION_STRING, AT(directory.uri), "ldif:///etc/postern/directory.ldif", 0, 0, NULL, NULL, \
	    "the tenants: ldif:///path, or ldap:// ldaps:// ldapi:// in order" }, \
	{ "directory.base", OPTION_STRING, AT(directory.base), "", 0, 0, NULL, NULL, \
	    "LDAP: the DN below which all entries are" }, \
	{ "directory.bind_dn", OPTION_STRING, AT(directory.bind_dn), "", 0, 0, NULL, NULL, \
	    "LDAP: who we are there; \"\" for anonymous, or as sasl says" }, \
	{ "directory.bind_password_file", OPTION_STRING, AT(directory.bind_password_file), "", 0, 0, NULL, NULL, \
	    "LDAP: the password of bind_dn, the first line of this file" }, \
	{ "directory.tls", OPTION_WORD, AT(directory.tls), "starttls", 0, 0, conf_tls_words, NULL, \
	    "LDAP: on ldap:// starttls or off; ldaps:// always has it, ldapi:// never" }, \
	{ "directory.ca_file", OPTION_STRING, AT(directory.ca_file), "", 0, 0, NULL, NULL, \
	    "LDAP: CA certificates that servers are checked against; \"\" as in ldap.conf(5)" }, \
	{ "directory.cert_file", OPTION_STRING, AT(directory.cert_file), "", 0, 0, NULL, NULL, \
	    "LDAP: our certificate for a server that asks; \"\" for none" }, \
	{ "directory.key_file", OPTION_STRING, AT(directory.key_file), "", 0, 0, NULL, NULL, \
	    "LDAP: the key of cert_file" }, \
	{ "directory.sasl", OPTION_WORD, AT(directory.sasl), "", 0, 0, conf_sasl_words, NULL, \
	    "LDAP: EXTERNAL: we are who the socket or our certificate says; \"\" for bind_dn" }, \
	{ "directory.poll", OPTION_DURATION, AT(directory.poll_ms), "1m", 1000, 86400000, NULL, NULL, \
	    "LDAP: how often a server is asked that does not tell its changes" }

#define CONF_ROWS_METRICS \
	{ "metrics", OPTION_STRING, AT(metrics), "", 0, 0, NULL, conf_check_listen_or_none, \
	    "inet:host:port for /metrics and /healthz; \"\" for none" }

#define CONF_ROWS_LOG(levels) \
	{ "log", OPTION_WORD, AT(log), "syslog", 0, 0, conf_log_words, NULL, \
	    "syslog (facility mail) or stderr" }, \
	{ "log_level", OPTION_WORD, AT(log_level), "info", 0, 0, conf_level_words, NULL, \
	    levels }
/* clang-format on */

#endif
