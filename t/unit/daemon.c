/* SPDX-License-Identifier: ISC */
/* daemon.c - the order of start, reload and stop, and what each option prints:
 * a daemon that does nothing but write a letter for each call, in a child. */
#include "common/daemon.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/loop.h"
#include "t/unit/tap.h"

static int calls_fd;		/* where the letters go */
static bool is_bad, is_bad_reload, is_noted, is_bad_directory, is_unopenable;
static bool is_lingering;

static void
call(char letter)
{
	if (write(calls_fd, &letter, 1) != 1)
		abort();
}

static int
fake_configure(const char *path, bool is_reload, struct findings *findings)
{
	call(is_reload ? 'R' : 'C');
	if (is_noted)
		findings_add(findings, FINDING_NOTE, path, "", "", "a note");
	if (!(is_reload ? is_bad_reload : is_bad))
		return 0;
	findings_add(findings, FINDING_ERROR, path, "key", "v", "is bad");
	return -1;
}

static void
fake_print(FILE *to)
{
	call('p');
	fputs("key = \"v\";\n", to);
}

static void
fake_check(struct findings *findings)
{
	call('n');
	if (is_bad_directory)
		findings_add(findings, FINDING_ERROR, "dc=x", "", "", "bad");
}

static const char *
fake_user(void)
{
	call('u');
	return "nobody";
}

static const char *
fake_group(void)
{
	return "";
}

static bool
no(void)
{
	return false;
}

static int
fake_open(const char **why)
{
	call(geteuid() == getuid() ? 'o' : '?');
	*why = "cannot open";
	return is_unopenable ? -1 : 0;
}

static void
fake_start(void)
{
	struct rlimit limit;

	call(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && geteuid() != 0 &&
	    getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	    limit.rlim_cur == limit.rlim_max ? 's' : '?');
}

static void
fake_reload(void)
{
	call('r');
}

static void
fake_stop(void)
{
	call('t');
	if (!is_lingering)
		loop_stop();
}

static void
fake_close(void)
{
	call('x');
}

static const struct daemon_program program = {
	.name = "fake", .conf_path = "/etc/fake.conf",
	.configure = fake_configure, .print = fake_print, .check = fake_check,
	.user = fake_user, .group = fake_group,
	.logs_to_syslog = no, .logs_debug = no,
	.open = fake_open, .start = fake_start, .reload = fake_reload,
	.stop = fake_stop, .close = fake_close,
};

struct child {
	pid_t pid;
	int calls;
	FILE *out;	/* stdout and stderr */
};

static void
descriptors_lower(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = 64;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static struct child
run(const char *arguments)
{
	struct child child;
	char text[128], *argv[8] = { text }, *rest = NULL;
	int pipes[2], argc;

	snprintf(text, sizeof(text), "fake %s", arguments);
	for (argc = 0; argc < 7 && (argv[argc] = strtok_r(
	    argc == 0 ? text : NULL, " ", &rest)) != NULL; argc++)
		;
	child.out = tmpfile();
	fflush(stdout);
	if (child.out == NULL || pipe(pipes) == -1 ||
	    (child.pid = fork()) == -1)
		exit(1);
	if (child.pid == 0) {
		calls_fd = pipes[1];
		descriptors_lower();
		close(pipes[0]);
		dup2(fileno(child.out), 1);
		dup2(fileno(child.out), 2);
		fclose(child.out);
		exit(daemon_main(&program, argc, argv));
	}
	close(pipes[1]);
	child.calls = pipes[0];
	return child;
}

/* Reads letters until one of them is until; '\0': to the end */
static const char *
calls(struct child *child, char until)
{
	static char got[64];
	size_t len = 0;

	while (len < sizeof(got) - 1 && read(child->calls, &got[len], 1) == 1)
		if (got[len++] == until)
			break;
	got[len] = '\0';
	return got;
}

static int
exit_code(struct child *child)
{
	int status;

	waitpid(child->pid, &status, 0);
	close(child->calls);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static const char *
output(struct child *child)
{
	static char got[2048];
	size_t len;

	rewind(child->out);
	len = fread(got, 1, sizeof(got) - 1, child->out);
	got[len] = '\0';
	fclose(child->out);
	return got;
}

static void
test_once(const char *arguments, const char *want_calls, int want_code,
    const char *want_output, const char *name)
{
	struct child child = run(arguments);
	bool is_same = strcmp(calls(&child, '\0'), want_calls) == 0;
	int code = exit_code(&child);
	const char *out = output(&child);

	if (!tap_ok(is_same && code == want_code &&
	    strstr(out, want_output) != NULL, name))
		printf("# exit code %d, output: %s\n", code, out);
}

static void
test_options(void)
{
	test_once("-V", "", 0, "postern-fake ", "-V prints the version");
	test_once("-x", "", 2, "usage: fake ", "a bad option is usage");
	test_once("word", "", 2, "usage: fake ", "a word too many is usage");
	test_once("-c", "", 2, "usage: fake ", "-c without a file is usage");
	test_once("-T", "Cpx", 0, "key = \"v\";\n", "-T prints the options");
	test_once("-n", "Cnx", 0,
	    "fake: all is well with /etc/fake.conf and the directory\n",
	    "-n says that all is well");
	is_noted = true;
	test_once("-n -c /f", "Cnx", 0,
	    "/f: a note\nfake: all is well with /f and the directory\n",
	    "-n tells a note and is content, -c names the file");
	is_noted = false;
	is_bad_directory = true;
	test_once("-n", "Cnx", 1, "dc=x: bad\n", "-n tells a bad directory");
	is_bad_directory = false;
	is_bad = true;
	test_once("-n", "C", 1, "/etc/fake.conf: key: v: is bad\n",
	    "-n tells a bad file");
	test_once("-T", "C", 1, "is bad\n", "-T tells a bad file");
	test_once("", "C", 1, "error: /etc/fake.conf: key: v: is bad\n",
	    "a bad file is the end of a start");
	is_bad = false;
	is_unopenable = true;
	test_once("", "Co", 1, "fatal: cannot open\n",
	    "what cannot be bound is the end of a start");
	is_unopenable = false;
}

static void
test_life(void)
{
	struct child child = run("");

	tap_is(calls(&child, 's'), "Cous",
	    "open comes before rights are dropped, start after");
	kill(child.pid, SIGHUP);
	tap_is(calls(&child, 'r'), "Rr", "SIGHUP configures, then reloads");
	kill(child.pid, SIGTERM);
	tap_is(calls(&child, '\0'), "tx", "SIGTERM stops, then closes");
	tap_int(exit_code(&child), 0, "and that is no failure");
	tap_ok(strstr(output(&child), "started ") != NULL, "a start is logged");
}

static void
test_bad_reload(void)
{
	struct child child;

	is_bad_reload = true;
	child = run("");
	calls(&child, 's');
	kill(child.pid, SIGHUP);
	tap_is(calls(&child, 'R'), "R", "SIGHUP reads a bad file");
	kill(child.pid, SIGTERM);
	tap_is(calls(&child, '\0'), "tx", "and nothing is reloaded");
	tap_int(exit_code(&child), 0, "nor does the daemon end");
	tap_ok(strstr(output(&child), "not reloaded") != NULL,
	    "but the fault is logged");
	is_bad_reload = false;
}

static void
test_second_signal(void)
{
	struct child child;

	is_lingering = true;
	child = run("");
	calls(&child, 's');
	kill(child.pid, SIGTERM);
	tap_is(calls(&child, 't'), "t", "a daemon may take its time to stop");
	kill(child.pid, SIGHUP);
	kill(child.pid, SIGINT);
	tap_is(calls(&child, '\0'), "x", "a second signal ends it at once");
	tap_int(exit_code(&child), 0, "and closes all the same");
	fclose(child.out);
	is_lingering = false;
}

int
main(void)
{
	test_options();
	test_life();
	test_bad_reload();
	test_second_signal();
	return tap_done();
}
