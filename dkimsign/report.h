/* SPDX-License-Identifier: ISC */
/* report.h - one log line per message, and the counters. */
#ifndef DKIMSIGN_REPORT_H
#define DKIMSIGN_REPORT_H

#include "dkimsign/message.h"

void report_start(void);	/* loop thread, once */

void report_message(const struct message *message);
/* The LMTP client was lost, or was silent, before the message had its end */
void report_unfinished(const char *id, const char *why);
/* Or before it had the replies: it takes the message for undelivered */
void report_unanswered(const struct message *message, const char *why);

#endif
