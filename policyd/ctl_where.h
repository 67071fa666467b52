/* SPDX-License-Identifier: ISC */
/* ctl_where.h - where the daemon is asked: what its configuration says. */
#ifndef POLICYD_CTL_WHERE_H
#define POLICYD_CTL_WHERE_H

#define CTL_CONF_PATH "/etc/postern/policyd.conf"

/* path NULL: CTL_CONF_PATH, or the default where there is no such file. The
 * caller frees it. NULL: what is wrong with the file is on stderr. */
char *ctl_where(const char *path);

#endif
