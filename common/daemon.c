/* SPDX-License-Identifier: ISC */
/* daemon.c - options, parse, check, bind, drop rights, loop: the order that
 * must hold, once for every daemon. Must never serve as root when told
 * otherwise, nor give up a working configuration for a bad one.
 * Next: program->start(). */
#include "common/daemon.h"

#include <event2/event.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "config.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/notify.h"
#include "common/privs.h"

enum task {
	TASK_SERVE,
	TASK_CHECK,
	TASK_PRINT,
	TASK_VERSION,
	TASK_USAGE
};

static struct {
	const struct daemon_program *program;
	const char *path;	/* of the configuration */
	bool is_verbose;
	bool is_stopping;
} self;

static enum task
arguments(int argc, char **argv)
{
	enum task task = TASK_SERVE;
	int c;

	while ((c = getopt(argc, argv, "c:nTvV")) != -1)
		switch (c) {
		case 'c':
			self.path = optarg;
			break;
		case 'n':
			task = TASK_CHECK;
			break;
		case 'T':
			task = TASK_PRINT;
			break;
		case 'v':
			self.is_verbose = true;
			break;
		case 'V':
			return TASK_VERSION;
		default:
			return TASK_USAGE;
		}
	return optind == argc ? task : TASK_USAGE;
}

static int
usage(void)
{
	fprintf(stderr, "usage: %s [-nTvV] [-c FILE]\n"
	    "  -c FILE  configuration, instead of %s\n"
	    "  -n       check configuration and directory, and exit\n"
	    "  -T       print every option with its value, and exit\n"
	    "  -v       log debug messages\n"
	    "  -V       print the version, and exit\n",
	    self.program->name, self.program->conf_path);
	return 2;
}

static int
version(void)
{
	printf("postern-%s %s\n", self.program->name, PACKAGE_VERSION);
	return 0;
}

static int
configure(bool is_reload)
{
	struct findings *findings = findings_new();
	int rc = self.program->configure(self.path, is_reload, findings);
	const struct finding *at;
	size_t i;

	for (i = 0; i < findings_count(findings); i++) {
		at = findings_at(findings, i);
		if (at->level == FINDING_ERROR)
			log_error(NULL, "%s", finding_text(at));
		else
			log_warn(NULL, "%s", finding_text(at));
	}
	findings_free(findings);
	return rc;
}

static int
check(void)
{
	struct findings *findings = findings_new();
	bool is_configured = self.program->configure(self.path, false,
	    findings) == 0;
	size_t i, errors;

	if (is_configured)
		self.program->check(findings);
	errors = findings_errors(findings) + !is_configured;
	for (i = 0; i < findings_count(findings); i++)
		puts(finding_text(findings_at(findings, i)));
	if (errors == 0)
		printf("%s: all is well with %s and the directory\n",
		    self.program->name, self.path);
	findings_free(findings);
	if (is_configured)
		self.program->close();
	return errors != 0;
}

static int
print(void)
{
	if (configure(false) == -1)
		return 1;
	self.program->print(stdout);
	self.program->close();
	return 0;
}

static void
log_as_configured(void)
{
	log_open(self.program->name, self.program->logs_to_syslog(),
	    self.is_verbose || self.program->logs_debug());
}

static void
on_reload(evutil_socket_t number, short what, void *arg)
{
	(void)number;
	(void)what;
	(void)arg;
	if (self.is_stopping)
		return;
	notify_reloading();
	if (configure(true) == 0) {
		log_as_configured();
		self.program->reload();
		log_info(NULL, "reloaded conf=%s", self.path);
	} else {
		log_error(NULL, "not reloaded, all stays as it was: conf=%s",
		    self.path);
	}
	notify_ready();
}

static void
on_stop(evutil_socket_t number, short what, void *arg)
{
	(void)what;
	(void)arg;
	if (self.is_stopping) {
		log_warn(NULL, "signal %d again: ending at once", (int)number);
		loop_stop();
		return;
	}
	self.is_stopping = true;
	log_info(NULL, "stopping signal=%d", (int)number);
	notify_stopping();
	self.program->stop();
}

static const struct {
	int number;
	event_callback_fn fn;
} signals[] = {
	{ SIGHUP, on_reload },
	{ SIGTERM, on_stop },
	{ SIGINT, on_stop },
};
#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

static void
signals_watch(struct event *events[SIGNALS])
{
	size_t i;

	for (i = 0; i < SIGNALS; i++) {
		events[i] = evsignal_new(loop_base(), signals[i].number,
		    signals[i].fn, NULL);
		if (events[i] == NULL || event_add(events[i], NULL) == -1)
			fatal("libevent: cannot watch signals");
	}
}

static void
signals_forget(struct event *events[SIGNALS])
{
	size_t i;

	for (i = 0; i < SIGNALS; i++)
		event_free(events[i]);
}

static void
descriptors_raise(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
		log_warn(NULL, "the descriptor limit stays where it is");
}

static void
open_and_drop(void)
{
	const struct daemon_program *program = self.program;
	const char *why;

	if (program->open(&why) == -1)
		fatal("%s", why);
	if (privs_drop(program->user(), program->group(), &why) == -1)
		fatal("user %s, group %s: %s", log_foreign(program->user()),
		    log_foreign(program->group()), why);
}

/* Signals are watched before anything is open, so that none of them can end
 * us halfway; the loop hears of them when it runs. */
static int
serve(void)
{
	struct event *events[SIGNALS];

	if (configure(false) == -1)
		return 1;
	descriptors_raise();
	log_as_configured();
	signals_watch(events);
	open_and_drop();
	self.program->start();
	log_info(NULL, "started version=%s conf=%s uid=%u", PACKAGE_VERSION,
	    self.path, (unsigned)getuid());
	notify_ready();
	loop_run();
	/* A close that hangs can still be ended by a signal */
	signals_forget(events);
	self.program->close();
	log_info(NULL, "stopped");
	loop_free();
	return 0;
}

int
daemon_main(const struct daemon_program *program, int argc, char **argv)
{
	static int (*const tasks[])(void) = {
		[TASK_SERVE] = serve,
		[TASK_CHECK] = check,
		[TASK_PRINT] = print,
		[TASK_VERSION] = version,
		[TASK_USAGE] = usage,
	};
	enum task task;

	signal(SIGPIPE, SIG_IGN);	/* -n has peers, too */
	self.program = program;
	self.path = program->conf_path;
	task = arguments(argc, argv);
	log_open(program->name, false, self.is_verbose);
	loop_clock_open();
	return tasks[task]();
}
