/* SPDX-License-Identifier: ISC */
/* main.c - dkimsign: puts the parts together, in the order that daemon.h asks
 * for. What a message goes through is message.c. */
#include <event2/event.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/daemon.h"
#include "common/http.h"
#include "common/listen.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/metrics.h"
#include "common/secret.h"
#include "common/xmalloc.h"
#include "dkimsign/conf.h"
#include "dkimsign/dkim_entry.h"
#include "dkimsign/report.h"
#include "dkimsign/server.h"
#include "dkimsign/spool.h"

#define FIRST_READING_MS 10000
#define REAP_SECS 10
#define MMAP_BYTES 131072	/* from here on memory goes back at once */

static struct conf *conf;	/* of the start, which sessions go by */
static struct conf *latest;	/* of the last reload, for the loop */
static struct service service;
static struct listener **listeners, *metrics;
static size_t listener_count;
static struct http_server *metrics_server;
static struct event *reaper;

static bool
lists_are_equal(const struct option_list *a, const struct option_list *b)
{
	size_t i;

	for (i = 0; i < a->count && i < b->count; i++)
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	return a->count == b->count;
}

/* What a session may see changes by what is in struct service */
static void
apply(void)
{
	service.max_message_bytes = latest->max_message_bytes;
	service.defers_5xx = latest->next_hop_5xx == 0;
}

static bool
stays_as_it_was(const struct conf *a, const struct conf *b)
{
	return source_settings_are_equal(&a->directory, &b->directory) &&
	    lists_are_equal(&a->listen, &b->listen) &&
	    lists_are_equal(&a->headers, &b->headers) &&
	    lists_are_equal(&a->oversign, &b->oversign) &&
	    a->listen_mode == b->listen_mode &&
	    strcmp(a->listen_group, b->listen_group) == 0 &&
	    strcmp(a->user, b->user) == 0 &&
	    strcmp(a->group, b->group) == 0 &&
	    strcmp(a->passphrase_file, b->passphrase_file) == 0 &&
	    strcmp(a->next_hop, b->next_hop) == 0 &&
	    a->sessions == b->sessions &&
	    strcmp(a->spool_dir, b->spool_dir) == 0 &&
	    strcmp(a->canonicalization, b->canonicalization) == 0 &&
	    a->verify == b->verify && a->min_rsa_bits == b->min_rsa_bits &&
	    a->expire_ms == b->expire_ms &&
	    strcmp(a->metrics, b->metrics) == 0;
}

static int
configure(const char *path, bool is_reload, struct findings *findings)
{
	struct conf *next = conf_read(path, findings);

	if (next == NULL)
		return -1;
	if (!is_reload)
		conf = next;
	else if (!stays_as_it_was(conf, next))
		log_warn(NULL, "only next_hop_5xx, max_message_bytes, log and "
		    "log_level change at a reload, all else at the next start");
	if (latest != conf)
		conf_free(latest);
	latest = next;
	apply();
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
	return latest->log == LOG_TO_SYSLOG;
}

static bool
logs_debug(void)
{
	return latest->log_level > 0;
}

/* -n: the directory, and what the options name */
static void
check(struct findings *findings)
{
	struct snapshot *snapshot;
	const char *reason;
	char *why, *passphrase;

	if (*conf->passphrase_file != '\0') {
		passphrase = secret_read(conf->passphrase_file, &reason);
		if (passphrase == NULL)
			findings_add(findings, FINDING_ERROR, "",
			    "passphrase_file", "", "%s", reason);
		secret_free(passphrase);
	}
	if (spool_check(conf->spool_dir, &reason) == -1)
		findings_add(findings, FINDING_ERROR, "", "", "", "%s",
		    reason);
	snapshot = directory_read(&conf->directory, dkim_entry_parse, &why);
	if (snapshot == NULL) {
		findings_add(findings, FINDING_ERROR, "", "directory.uri",
		    conf->directory.uri, "%s", why);
		free(why);
		return;
	}
	findings_append(findings, snapshot_findings(snapshot));
	snapshot_release(snapshot);
}

static int
open_signer(const char **why)
{
	struct signer_settings settings = {
		.profile = conf->profile, .verify = conf->verify,
		.min_rsa_bits = (unsigned)conf->min_rsa_bits,
	};
	char *passphrase = NULL;

	if (*conf->passphrase_file != '\0' && (passphrase =
	    secret_read(conf->passphrase_file, why)) == NULL)
		return -1;
	settings.passphrase = passphrase;
	service.signer = signer_new(&settings, why);
	secret_free(passphrase);
	return service.signer != NULL ? 0 : -1;
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
	if (*conf->metrics != '\0' &&
	    (metrics = listen_open(conf->metrics, 0, "", why)) == NULL)
		return -1;
	return open_signer(why);
}

static uint64_t
count_sessions(void)
{
	return server_sessions();
}

static uint64_t
count_errors(void)
{
	struct snapshot *snapshot = directory_current(service.directory);

	return snapshot == NULL ? 0
	    : findings_errors(snapshot_findings(snapshot));
}

static uint64_t
count_tenants(void)
{
	struct snapshot *snapshot = directory_current(service.directory);

	return snapshot == NULL ? 0 : snapshot_tenants(snapshot);
}

static struct metric gauges[] = {
	{ .name = "postern_dkimsign_sessions", .labels = "",
	    .is_gauge = true, .read = count_sessions,
	    .help = "Open connections from Postfix." },
	{ .name = "postern_dkimsign_directory_errors", .labels = "",
	    .is_gauge = true, .read = count_errors,
	    .help = "Values of the directory that are not in force." },
	{ .name = "postern_dkimsign_tenants", .labels = "",
	    .is_gauge = true, .read = count_tenants,
	    .help = "Tenants in the directory." },
};

static void
do_metrics(struct http_request *rq)
{
	rq->type = "text/plain; version=0.0.4";
	rq->answer = metrics_text(rq->arena);
}

static void
do_healthz(struct http_request *rq)
{
	bool is_ready = directory_current(service.directory) != NULL;

	rq->type = "text/plain";
	rq->status = is_ready ? 200 : 503;
	rq->answer = is_ready ? "ok\n" : "no directory yet\n";
}

static const struct http_route metrics_routes[] = {
	{ "GET", "/metrics", do_metrics },
	{ "GET", "/healthz", do_healthz },
	{ NULL, NULL, NULL },
};

static void
reap(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	hop_reap(service.hop);
}

static void
start_reaper(void)
{
	static const struct timeval each = { .tv_sec = REAP_SECS };

	reaper = event_new(loop_base(), -1, EV_PERSIST, reap, NULL);
	if (reaper == NULL || event_add(reaper, &each) == -1)
		fatal("libevent: no timer");
}

/* No memory of ours in a core file or a debugger. A change of user makes a
 * process dumpable or not by itself, so this comes behind it. */
static void
keep_secrets(void)
{
	static const struct rlimit none;

	if (prctl(PR_SET_DUMPABLE, 0) == -1 ||
	    setrlimit(RLIMIT_CORE, &none) == -1)
		fatal("memory cannot be kept from others: %m");
}

static void
start(void)
{
	const char *why;
	size_t i;

	keep_secrets();
	if (spool_check(conf->spool_dir, &why) == -1)
		fatal("%s", why);
	report_start();
	for (i = 0; i < sizeof(gauges) / sizeof(gauges[0]); i++)
		metric_register(&gauges[i]);
	service.spool_dir = conf->spool_dir;
	service.body_canon = conf->profile.body_canon;
	service.hop = hop_new(conf->next_hop);
	service.stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (service.stop_fd == -1)
		fatal("eventfd: %m");
	service.directory = directory_new(&conf->directory, dkim_entry_parse,
	    &why);
	directory_start(service.directory, FIRST_READING_MS);
	if (metrics != NULL)
		metrics_server = http_start(metrics, metrics_routes);
	start_reaper();
	server_start(&service, listeners, listener_count, conf->sessions);
}

static void
reload(void)
{
	directory_reload(service.directory);
}

static void
close_listeners(void)
{
	while (listener_count > 0)
		listen_close(listeners[--listener_count]);
}

/* Who waits in a listen queue hears so now, not when the last session ends */
static void
stop(void)
{
	server_stop();
	close_listeners();
}

static void
close_all(void)
{
	http_stop(metrics_server);
	close_listeners();
	listen_close(metrics);
	if (!server_free()) {
		log_warn(NULL, "ended with %zu sessions under way",
		    server_sessions());
		_exit(1);	/* they stand on all that would go now */
	}
	free(listeners);
	if (reaper != NULL)
		event_free(reaper);
	hop_free(service.hop);
	directory_free(service.directory);
	signer_free(service.signer);
	if (reaper != NULL)
		close(service.stop_fd);
	if (latest != conf)
		conf_free(latest);
	conf_free(conf);
}

/* Before the first thread, and before anything is read */
static void
prepare(void)
{
	arena_wipe_all();
	mallopt(M_MMAP_THRESHOLD, MMAP_BYTES);
	signal(SIGXFSZ, SIG_IGN);	/* a full spool_dir is an errno */
}

int
main(int argc, char **argv)
{
	static const struct daemon_program dkimsign = {
		.name = "dkimsign",
		.conf_path = "/etc/postern/dkimsign.conf",
		.configure = configure, .print = print, .check = check,
		.user = user, .group = group,
		.logs_to_syslog = logs_to_syslog, .logs_debug = logs_debug,
		.open = open_sockets, .start = start,
		.reload = reload, .stop = stop, .close = close_all,
	};

	prepare();
	return daemon_main(&dkimsign, argc, argv);
}
