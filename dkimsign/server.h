/* SPDX-License-Identifier: ISC */
/* server.h - a thread for each LMTP session, so many of them at most; who
 * comes while all are busy waits in the listen queue. Loop thread only. */
#ifndef DKIMSIGN_SERVER_H
#define DKIMSIGN_SERVER_H

#include <stddef.h>

#include "common/listen.h"
#include "dkimsign/service.h"

/* service and listeners outlive it */
void server_start(struct service *service, struct listener **listeners,
    size_t count, size_t sessions_max);
/* Accept no more; sessions end when their message is answered. loop_stop() when
 * there are none left. */
void server_stop(void);
/* After the loop. False: sessions still run, on all that they share. */
bool server_free(void);

size_t server_sessions(void);

#endif
