/* SPDX-License-Identifier: ISC */
/* privs.h - from root to the account that serves, for good. */
#ifndef COMMON_PRIVS_H
#define COMMON_PRIVS_H

/* user "": stay who we are; group "": the user's own. Not started as root:
 * nothing to drop. In each case no program that we start can gain rights.
 * 0, or -1 and why (static): then the process must end. */
int privs_drop(const char *user, const char *group, const char **why);

#endif
