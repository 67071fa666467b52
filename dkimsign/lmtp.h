/* SPDX-License-Identifier: ISC */
/* lmtp.h - one LMTP session (RFC 2033) with Postfix, from greeting to end, in
 * the thread that calls. */
#ifndef DKIMSIGN_LMTP_H
#define DKIMSIGN_LMTP_H

#include "dkimsign/service.h"

/* fd does not block, and is closed at the end. Ends when Postfix says so, is
 * silent for too long, or service->stop_fd can be read and no message is under
 * way. */
void lmtp_serve(struct service *service, int fd);

#endif
