/* SPDX-License-Identifier: ISC */
/* conf.h - policyd.conf, read and checked. One structure, immutable once in
 * force; a reload makes the next. */
#ifndef POLICYD_CONF_H
#define POLICYD_CONF_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/cidr.h"
#include "common/conf_rows.h"
#include "common/findings.h"

enum counter_failure { FAILURE_LOCAL, FAILURE_PERMIT, FAILURE_DEFER };
enum no_directory { NO_DIRECTORY_PERMIT, NO_DIRECTORY_DEFER };
enum charge_at { CHARGE_AT_RCPT, CHARGE_AT_END_OF_MESSAGE };

struct conf {
	struct arena *arena;
	struct option_list listen;
	unsigned listen_mode;
	const char *listen_group;
	const char *user, *group;
	struct source_settings directory;
	const char *counters_uri;
	uint64_t counters_max_records;
	int64_t counters_timeout_ms;
	const char *counters_password_file;	/* "" for none */
	const char *counters_ca_file;	/* "" for the system's */
	int on_counter_failure;		/* enum counter_failure */
	int on_no_directory;		/* enum no_directory */
	int charge_at;			/* enum charge_at */
	struct option_list trusted_networks_text;
	struct option_list trusted_ccerts;
	const char *login_domain;	/* normalised; "" for none */
	const char *recipient_delimiter;
	const char *control;
	const char *metrics;		/* "" for none */
	const char *sendmail;
	int log;			/* enum log_to */
	int log_level;			/* 0 info, 1 debug */

	/* made of the above */
	struct cidr *trusted_networks;
};

/* NULL with findings where the file is not right; path NULL: all defaults */
struct conf *conf_read(const char *path, struct findings *findings);
void conf_free(struct conf *conf);	/* NULL is fine */
void conf_print(const struct conf *conf, FILE *to);

#endif
