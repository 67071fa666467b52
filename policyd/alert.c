/* SPDX-License-Identifier: ISC */
/* alert.c - tells posternAlert by mail, through the local sendmail(1), that a
 * limit was reached. A hint for people: what cannot be sent is logged and
 * forgotten, and never holds up an answer. */
#include "policyd/alert.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "common/quantity.h"
#include "common/table.h"
#include "common/xmalloc.h"
#include "policyd/counter_key.h"
#include "policyd/effective.h"

#define ALERTS_MAX 10000		/* remembered; the oldest gives way */
#define AT_LEAST_MS 600000LL

extern char **environ;

/* Told already, and quiet until then */
struct told {
	STAILQ_ENTRY(told) link;
	struct counter_key key;
	int64_t until_ms;
};

static struct table *by_key;
static STAILQ_HEAD(, told) by_age = STAILQ_HEAD_INITIALIZER(by_age);

static void
forget_oldest(void)
{
	struct told *oldest = STAILQ_FIRST(&by_age);

	STAILQ_REMOVE_HEAD(&by_age, link);
	table_remove(by_key, &oldest->key, sizeof(oldest->key));
	free(oldest);
}

/* True the first time in the limit's window; each mailbox that sends is told of
 * on its own, but not those that strangers send to, as many as they like */
static bool
is_news(const struct facts *facts, const struct limit *limit)
{
	bool is_own = limit->subject == SUBJECT_MAILBOX &&
	    facts->direction != DIR_INBOUND;
	const char *parts[] = { facts->account_id,
		is_own ? facts->mailbox : "", limit->name };
	struct counter_key key = counter_key_own(parts, 3);
	struct told *told;

	if (by_key == NULL)
		by_key = table_new();
	if ((told = table_get(by_key, &key, sizeof(key))) == NULL) {
		if (table_count(by_key) == ALERTS_MAX)
			forget_oldest();
		told = xcalloc(1, sizeof(*told));
		told->key = key;
		table_put(by_key, &told->key, sizeof(key), told);
		STAILQ_INSERT_TAIL(&by_age, told, link);
	} else if (facts->now_ms < told->until_ms) {
		return false;
	}
	told->until_ms = facts->now_ms + (limit->window_ms > AT_LEAST_MS
	    ? limit->window_ms : AT_LEAST_MS);
	return true;
}

/* A file in memory with the message, at its start; -1 where there is none. The
 * reply, and not the verdict's text: that one may hold what is no header. */
static int
message_file(const struct facts *facts, const struct verdict *verdict,
    const char *to)
{
	int fd = memfd_create("alert", MFD_CLOEXEC);
	char reply[VERDICT_REPLY];

	if (fd == -1)
		return -1;
	verdict_reply(verdict, reply);
	dprintf(fd, "To: %s\nSubject: [postern] %.150s\n"
	    "Auto-Submitted: auto-generated\n\n"
	    "%s\n\nmailbox: %s\nclient:  %s\nlimit:   from %s\n\n"
	    "You hear of this limit again in its next window at the "
	    "earliest.\n", to, reply, reply, log_foreign(facts->mailbox),
	    log_foreign(facts->attrs->client_address),
	    *verdict->dn != '\0' ? log_foreign(verdict->dn) : "-");
	lseek(fd, 0, SEEK_SET);
	return fd;
}

/* The child is reaped by the kernel: main() ignores SIGCHLD. The child itself
 * may have children, and must not inherit what we ignore. timeout(1) ends it
 * and them: Postfix's sendmail tries for ever where it may not write. */
static int
sendmail(const char *program, const char *to, int message)
{
	char *argv[] = { "timeout", "60", (char *)program, "-i", "-f", "",
		"--", (char *)to, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t ignored;
	pid_t pid;
	int rc;

	if (access(program, X_OK) == -1)
		return errno;
	sigemptyset(&ignored);
	sigaddset(&ignored, SIGCHLD);
	sigaddset(&ignored, SIGPIPE);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigdefault(&attributes, &ignored);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, message, STDIN_FILENO);
	rc = posix_spawnp(&pid, argv[0], &actions, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return rc;
}

void
alert_limit(const struct facts *facts, const struct verdict *verdict)
{
	const char *to, *program;
	int message, rc;

	if (verdict->limit == NULL ||
	    (to = effective_alert(&facts->chain, NULL)) == NULL ||
	    !is_news(facts, verdict->limit))
		return;
	program = facts->conf->sendmail;
	log_info(log_foreign(facts->attrs->instance),
	    "alert to=%s tenant=%s rule=%s", log_foreign(to),
	    log_foreign(facts->account_id), verdict->rule);
	if (*program == '\0')
		return;
	message = message_file(facts, verdict, to);
	rc = message == -1 ? errno : sendmail(program, to, message);
	if (message != -1)
		close(message);
	if (rc != 0)
		log_warn(NULL, "alert to=%s: %s cannot be run: %s",
		    log_foreign(to), program, strerror(rc));
}

void
alert_free(void)
{
	while (!STAILQ_EMPTY(&by_age))
		forget_oldest();
	table_free(by_key);
	by_key = NULL;
}
