/* SPDX-License-Identifier: ISC */
/* daemon.h - how a Postern daemon starts, reloads and stops: options, parse,
 * check, bind, drop rights, loop. Owns start-up, so that main() is a table. */
#ifndef COMMON_DAEMON_H
#define COMMON_DAEMON_H

#include <stdbool.h>
#include <stdio.h>

#include "common/findings.h"

struct daemon_program {
	const char *name;	/* "policyd" */
	const char *conf_path;	/* without -c */

	/* Read and check the file and put it in force; a bad file changes
	 * nothing. At start and at SIGHUP (is_reload). 0, or -1 with
	 * findings. */
	int (*configure)(const char *path, bool is_reload,
	    struct findings *findings);
	void (*print)(FILE *to);	/* -T */
	/* -n, after configure: the directory. Findings tell all. */
	void (*check)(struct findings *findings);

	/* After configure: the account to run as, "" for who we are */
	const char *(*user)(void);
	const char *(*group)(void);
	bool (*logs_to_syslog)(void);
	bool (*logs_debug)(void);

	/* In this order: bind as who started us; then rights are dropped;
	 * then start serving. open: 0, or -1 and *why, which is fatal. */
	int (*open)(const char **why);
	void (*start)(void);
	void (*reload)(void);	/* SIGHUP, after a good configure */
	/* SIGTERM, SIGINT: stop accepting; loop_stop() when done. A second
	 * signal ends the loop whatever is still open. */
	void (*stop)(void);
	/* After the loop, or with -n and -T after a good configure() alone:
	 * free everything */
	void (*close)(void);
};

/* Parses -c FILE -n -T -v -V; returns main()'s exit code: 0; 1 something wrong
 * (-n: any finding that is an error, each finding on its own line on stdout);
 * 2 usage. -v logs debug whatever the file says. */
int daemon_main(const struct daemon_program *program, int argc, char **argv);

#endif
