/* SPDX-License-Identifier: ISC */
/* ctl_message.h - a message on standard input, as a file has it or as SMTP
 * does. */
#ifndef DKIMSIGN_CTL_MESSAGE_H
#define DKIMSIGN_CTL_MESSAGE_H

#include "common/ctl.h"
#include "dkimsign/header.h"
#include "dkimsign/verify.h"

struct ctl_message {
	char *bytes;		/* as they came */
	size_t len;
	bool is_unix;		/* its lines end with LF, which text has as
				 * CRLF */
	char *text;
	size_t text_len, body_at;
	struct header header;	/* of text */
};

/* CTL_FINE; else what was wrong is on stderr. ctl_message_free() after all. */
enum ctl_exit ctl_message_read(const struct ctl *ctl,
    struct ctl_message *out);
void ctl_message_free(struct ctl_message *message);

/* verify.h's body_reader, of a struct ctl_message */
body_reader ctl_message_body;

#endif
