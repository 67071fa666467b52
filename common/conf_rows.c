/* SPDX-License-Identifier: ISC */
/* conf_rows.c - the words and checks of the rows that every daemon has. */
#include "common/conf_rows.h"

#include "common/listen.h"

const char *const conf_tls_words[] = { "starttls", "off", NULL };
const char *const conf_sasl_words[] = { "", "EXTERNAL", NULL };
const char *const conf_log_words[] = { "syslog", "stderr", NULL };
const char *const conf_level_words[] = { "info", "debug", NULL };

int
conf_check_listen_or_none(const char *value, const char **why)
{
	return *value == '\0' ? 0 : listen_check(value, why);
}
