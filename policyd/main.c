/* SPDX-License-Identifier: ISC */
/* main.c - policyd: puts the parts together, in the order that daemon.h asks
 * for. What a request goes through is request.c. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "common/daemon.h"
#include "common/listen.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/metrics.h"
#include "common/xmalloc.h"
#include "policyd/advice.h"
#include "policyd/alert.h"
#include "policyd/control.h"
#include "policyd/policy.h"
#include "policyd/report.h"
#include "policyd/session.h"

#define FIRST_READING_MS 10000

static struct conf *conf;
static struct service service;
static struct sessions *sessions;
static struct listener **listeners, *control, *metrics;
static size_t listener_count;
static struct http_server *control_server, *metrics_server;

static bool
lists_are_equal(const struct option_list *a, const struct option_list *b)
{
	size_t i;

	for (i = 0; i < a->count && i < b->count; i++)
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	return a->count == b->count;
}

/* What was bound or opened at start stays as it is until the next start */
static void
keep_opened(const struct conf *now, struct conf *next)
{
	if (!source_settings_are_equal(&now->directory, &next->directory) ||
	    strcmp(now->counters_uri, next->counters_uri) != 0 ||
	    now->counters_max_records != next->counters_max_records ||
	    now->counters_timeout_ms != next->counters_timeout_ms ||
	    strcmp(now->counters_password_file,
		next->counters_password_file) != 0 ||
	    strcmp(now->counters_ca_file, next->counters_ca_file) != 0 ||
	    strcmp(now->control, next->control) != 0 ||
	    strcmp(now->metrics, next->metrics) != 0 ||
	    strcmp(now->user, next->user) != 0 ||
	    strcmp(now->group, next->group) != 0 ||
	    strcmp(now->listen_group, next->listen_group) != 0 ||
	    now->listen_mode != next->listen_mode ||
	    !lists_are_equal(&now->listen, &next->listen))
		log_warn(NULL, "listen, user, group, control, metrics, "
		    "directory and counters change at the next start only");
	source_settings_copy(next->arena, &next->directory, &now->directory);
	next->counters_uri = arena_strdup(next->arena, now->counters_uri);
}

static int
configure(const char *path, bool is_reload, struct findings *findings)
{
	struct conf *next = conf_read(path, findings);

	if (next == NULL)
		return -1;
	if (is_reload)
		keep_opened(conf, next);
	conf_free(conf);
	service.conf = conf = next;
	return 0;
}

static void
print(FILE *to)
{
	conf_print(conf, to);
}

static const char *
user(void)
{
	return conf->user;
}

static const char *
group(void)
{
	return conf->group;
}

static bool
logs_to_syslog(void)
{
	return conf->log == LOG_TO_SYSLOG;
}

static bool
logs_debug(void)
{
	return conf->log_level > 0;
}

/* -n: the directory, too */
static void
check(struct findings *findings)
{
	struct snapshot *snapshot;
	char *why;

	snapshot = directory_read(&conf->directory, policy_parse, &why);
	if (snapshot == NULL) {
		findings_add(findings, FINDING_ERROR, "", "directory.uri",
		    conf->directory.uri, "%s", why);
		free(why);
		return;
	}
	findings_append(findings, snapshot_findings(snapshot));
	advice_find(NULL, snapshot, findings);
	snapshot_release(snapshot);
}

static int
open_counters(const char **why)
{
	struct counter_settings settings = {
		.uri = conf->counters_uri,
		.max_records = conf->counters_max_records,
		.timeout_ms = conf->counters_timeout_ms,
		.password_file = conf->counters_password_file,
		.ca_file = conf->counters_ca_file,
	};

	service.counters = counters_open(&settings, why);
	if (service.counters == NULL)
		return -1;
	if (service.counters->ops == &counters_memory)
		return 0;
	settings.uri = counters_memory.scheme;
	service.local = counters_open(&settings, why);
	return service.local != NULL ? 0 : -1;
}

static int
open_sockets(const char **why)
{
	size_t i;

	listener_count = conf->listen.count;
	listeners = xcalloc(listener_count, sizeof(struct listener *));
	for (i = 0; i < listener_count; i++) {
		listeners[i] = listen_open(conf->listen.items[i],
		    conf->listen_mode, conf->listen_group, why);
		if (listeners[i] == NULL)
			return -1;
	}
	control = listen_open(conf->control, 0660, conf->group, why);
	if (control == NULL)
		return -1;
	if (*conf->metrics != '\0' &&
	    (metrics = listen_open(conf->metrics, 0, "", why)) == NULL)
		return -1;
	return open_counters(why);
}

static uint64_t
count_connections(void)
{
	return sessions_count(sessions);
}

static uint64_t
count_records(void)
{
	const struct counter_store *store = service.local != NULL
	    ? service.local : service.counters;

	return store->ops->records(store);
}

static uint64_t
count_errors(void)
{
	struct snapshot *snapshot = directory_current(service.directory);

	return snapshot == NULL ? 0
	    : snapshot_errors(snapshot);
}

static uint64_t
directory_is_up(void)
{
	struct directory_status status;

	directory_status(service.directory, &status);
	return directory_current(service.directory) != NULL &&
	    *status.problem == '\0';
}

static uint64_t
directory_is_held(void)
{
	struct directory_status status;

	directory_status(service.directory, &status);
	return status.is_held;
}

static uint64_t
count_tenants(void)
{
	struct snapshot *snapshot = directory_current(service.directory);

	return snapshot == NULL ? 0 : snapshot_tenants(snapshot);
}

static uint64_t
serves_state_file(void)
{
	struct directory_status status;

	directory_status(service.directory, &status);
	return status.state_ms != 0;
}

static uint64_t
has_state_file_failed(void)
{
	struct directory_status status;

	directory_status(service.directory, &status);
	return *status.state_problem != '\0';
}

static struct metric gauges[] = {
	{ .name = "postern_policyd_connections", .labels = "",
	    .is_gauge = true, .read = count_connections,
	    .help = "Open connections from Postfix." },
	{ .name = "postern_policyd_records", .labels = "",
	    .is_gauge = true, .read = count_records,
	    .help = "Counters and greylist records held in memory." },
	{ .name = "postern_policyd_directory_up", .labels = "",
	    .is_gauge = true, .read = directory_is_up,
	    .help = "1 while the directory can be read." },
	{ .name = "postern_policyd_directory_held", .labels = "",
	    .is_gauge = true, .read = directory_is_held,
	    .help = "1 while a reading is held back, as it would remove too "
		"many tenants." },
	{ .name = "postern_policyd_directory_errors", .labels = "",
	    .is_gauge = true, .read = count_errors,
	    .help = "Values of the directory that are not in force." },
	{ .name = "postern_policyd_tenants", .labels = "",
	    .is_gauge = true, .read = count_tenants,
	    .help = "Tenants in the directory." },
	{ .name = "postern_policyd_state_file_serves", .labels = "",
	    .is_gauge = true, .read = serves_state_file,
	    .help = "1 until an LDAP server was read since the start." },
	{ .name = "postern_policyd_state_file_failed", .labels = "",
	    .is_gauge = true, .read = has_state_file_failed,
	    .help = "1 while the state file cannot be written." },
};

static void
start(void)
{
	const char *why;
	size_t i;

	signal(SIGCHLD, SIG_IGN);	/* alert.c's children */
	report_start();
	for (i = 0; i < sizeof(gauges) / sizeof(gauges[0]); i++)
		metric_register(&gauges[i]);
	service.transactions = transactions_new();
	sessions = sessions_new(&service);
	service.directory = directory_new(&conf->directory, policy_parse, &why);
	directory_start(service.directory, FIRST_READING_MS);
	if (service.counters->ops->start != NULL)
		service.counters->ops->start(service.counters);
	control_start(&service, sessions);
	control_server = http_start(control, control_routes);
	if (metrics != NULL)
		metrics_server = http_start(metrics, metrics_routes);
	for (i = 0; i < listener_count; i++)
		listen_start(listeners[i], session_accept, sessions);
}

static void
reload(void)
{
	directory_reload(service.directory);
}

static void
stop(void)
{
	size_t i;

	for (i = 0; i < listener_count; i++)
		listen_stop(listeners[i]);
	sessions_end(sessions, loop_stop);
}

static void
close_all(void)
{
	size_t i;

	/* first: whoever still waits is answered, with all that he needs */
	if (service.counters != NULL)
		service.counters->ops->close(service.counters);
	http_stop(control_server);
	http_stop(metrics_server);
	for (i = 0; i < listener_count; i++)
		listen_close(listeners[i]);
	free(listeners);
	listen_close(control);
	listen_close(metrics);
	sessions_free(sessions);
	directory_free(service.directory);
	transactions_free(service.transactions);
	arena_free(service.spare);
	if (service.local != NULL)
		service.local->ops->close(service.local);
	alert_free();
	conf_free(conf);
}

int
main(int argc, char **argv)
{
	static const struct daemon_program policyd = {
		.name = "policyd",
		.conf_path = "/etc/postern/policyd.conf",
		.configure = configure, .print = print, .check = check,
		.user = user, .group = group,
		.logs_to_syslog = logs_to_syslog, .logs_debug = logs_debug,
		.open = open_sockets, .start = start,
		.reload = reload, .stop = stop, .close = close_all,
	};

	return daemon_main(&policyd, argc, argv);
}
