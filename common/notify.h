/* SPDX-License-Identifier: ISC */
/* notify.h - tells systemd (Type=notify, notify-reload) how far we are.
 * Without $NOTIFY_SOCKET nothing happens; nothing here can fail. */
#ifndef COMMON_NOTIFY_H
#define COMMON_NOTIFY_H

void notify_ready(void);	/* after start, and after each reload */
void notify_reloading(void);
void notify_stopping(void);

#endif
