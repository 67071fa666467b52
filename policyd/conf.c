/* SPDX-License-Identifier: ISC */
/* conf.c - the options of policyd.conf, a row each: the only place where an
 * option's name, default, bounds and help stand. */
#include "policyd/conf.h"

#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/conf_rows.h"
#include "common/directory.h"
#include "common/listen.h"
#include "common/xmalloc.h"
#include "policyd/counters.h"
#include "policyd/policy.h"

#define AT(member) offsetof(struct conf, member)

static const char *const failure_words[] = { "local", "permit", "defer", NULL };
static const char *const no_directory_words[] = { "permit", "defer", NULL };
static const char *const charge_words[] = { "rcpt", "end-of-message", NULL };

static int
check_network(const char *value, const char **why)
{
	struct cidr cidr;

	return cidr_parse(value, &cidr, why);
}

static int
check_domain(const char *value, const char **why)
{
	char domain[DOMAIN_MAX];

	*why = "not a domain name";
	return *value == '\0' ? 0 : domain_normalise(value, strlen(value),
	    domain);
}

static int
check_delimiter(const char *value, const char **why)
{
	*why = "delimiters are characters such as + and -, at most 8, not @";
	return strlen(value) <= 8 && strpbrk(value, "@ .\"") == NULL ? 0 : -1;
}

/* clang-format off */
static const struct option rows[] = {
	{ "listen", OPTION_LIST, AT(listen), "unix:/var/spool/postfix/private/policyd", 0, 0, NULL, listen_check,
	    "where Postfix asks: unix:/path, inet:host:port, inet:[::1]:port" },
	CONF_ROWS_SOCKET,
	CONF_ROWS_ACCOUNT("postern"),
	CONF_ROWS_DIRECTORY,
	{ "directory.state_file", OPTION_STRING, AT(directory.state_file), "/var/lib/postern/policyd.state", 0, 0, NULL, NULL,
	    "LDAP: a copy of the directory, to start from while no server answers; \"\" for none" },
	{ "counters.uri", OPTION_STRING, AT(counters_uri), "memory:", 0, 0, NULL, counters_check_uri,
	    "where limits and greylisting are counted: memory:, redis[s]://[user:pass@]host:port/db, redis+unix:///path, redis-sentinel://host,host/master, redis-cluster://host,host" },
	{ "counters.timeout", OPTION_DURATION, AT(counters_timeout_ms), "200ms", 10, 10000, NULL, NULL,
	    "how long Redis has for its answer to one question" },
	{ "counters.password_file", OPTION_STRING, AT(counters_password_file), "", 0, 0, NULL, NULL,
	    "a file whose first line is the password for Redis" },
	{ "counters.ca_file", OPTION_STRING, AT(counters_ca_file), "", 0, 0, NULL, NULL,
	    "rediss: CA certificates that the server is checked against; \"\" for the system's" },
	{ "counters.max_records", OPTION_COUNT, AT(counters_max_records), "1M", 1000, 100000000, NULL, NULL,
	    "most records that memory: holds" },
	{ "on_counter_failure", OPTION_WORD, AT(on_counter_failure), "local", 0, 0, failure_words, NULL,
	    "when counters cannot be asked: local, permit, defer" },
	{ "on_no_directory", OPTION_WORD, AT(on_no_directory), "permit", 0, 0, no_directory_words, NULL,
	    "until a directory was read for the first time: permit, defer" },
	{ "charge_at", OPTION_WORD, AT(charge_at), "rcpt", 0, 0, charge_words, NULL,
	    "when outbound mail is charged: rcpt, end-of-message" },
	{ "trusted_networks", OPTION_LIST, AT(trusted_networks_text), "", 0, 0, NULL, check_network,
	    "clients that may send without a login, as Postfix's mynetworks" },
	{ "trusted_ccerts", OPTION_LIST, AT(trusted_ccerts), "", 0, 0, NULL, NULL,
	    "fingerprints of client certificates (or of their keys) that may send" },
	{ "login_domain", OPTION_STRING, AT(login_domain), "", 0, 0, NULL, check_domain,
	    "domain of a login that has none" },
	{ "recipient_delimiter", OPTION_STRING, AT(recipient_delimiter), "+", 0, 0, NULL, check_delimiter,
	    "as in Postfix: what separates a mailbox from its extension" },
	{ "control", OPTION_STRING, AT(control), "unix:/run/postern/policyd.sock", 0, 0, NULL, listen_check,
	    "where policyctl asks" },
	CONF_ROWS_METRICS,
	{ "sendmail", OPTION_STRING, AT(sendmail), "/usr/sbin/sendmail", 0, 0, NULL, NULL,
	    "what sends the mail to posternAlert; \"\" sends none" },
	CONF_ROWS_LOG("info: every verdict but permit; debug: every one"),
};
/* clang-format on */
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
derive(struct conf *conf)
{
	const struct option_list *texts = &conf->trusted_networks_text;
	char domain[DOMAIN_MAX];
	const char *why;
	size_t i;

	conf->trusted_networks = arena_alloc(conf->arena,
	    texts->count * sizeof(*conf->trusted_networks));
	for (i = 0; i < texts->count; i++)
		cidr_parse(texts->items[i], &conf->trusted_networks[i], &why);
	domain_normalise(conf->login_domain, strlen(conf->login_domain),
	    domain);
	conf->login_domain = arena_strdup(conf->arena, domain);
}

struct conf *
conf_read(const char *path, struct findings *findings)
{
	struct conf *conf = xcalloc(1, sizeof(*conf));
	const char *why;

	conf->arena = arena_new(0);
	if (options_read(rows, ROWS, path, conf, conf->arena, findings)
	    == -1) {
		conf_free(conf);
		return NULL;
	}
	conf->directory.attributes = policy_attributes();
	if (directory_check(&conf->directory, &why) == -1) {
		findings_add(findings, FINDING_ERROR, path != NULL ? path : "",
		    "directory.uri", conf->directory.uri, "%s", why);
		conf_free(conf);
		return NULL;
	}
	derive(conf);
	return conf;
}

void
conf_free(struct conf *conf)
{
	if (conf == NULL)
		return;
	arena_free(conf->arena);
	free(conf);
}

void
conf_print(const struct conf *conf, FILE *to)
{
	options_print(rows, ROWS, conf, to);
}
