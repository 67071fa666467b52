/* SPDX-License-Identifier: ISC */
/* ctl_where.h - what policyctl takes of policyd's configuration: where the
 * daemon is asked, and where its directory is. */
#ifndef POLICYD_CTL_WHERE_H
#define POLICYD_CTL_WHERE_H

#define CTL_CONF_PATH "/etc/postern/policyd.conf"

struct conf;

/* path NULL: CTL_CONF_PATH, or the default where there is no such file. The
 * caller frees it. NULL: what is wrong with the file is on stderr. */
struct conf *ctl_where_conf(const char *path);
/* Its control alone, likewise */
char *ctl_where(const char *path);

#endif
