/* SPDX-License-Identifier: ISC */
/* privs.c - gives up root and proves that it cannot come back. Must never
 * return 0 with a right left over. */
#include "common/privs.h"

#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <unistd.h>

static bool
is_for_good(uid_t uid, gid_t gid)
{
	uid_t real_uid, uid_now, saved_uid;
	gid_t real_gid, gid_now, saved_gid;

	return getresuid(&real_uid, &uid_now, &saved_uid) == 0 &&
	    getresgid(&real_gid, &gid_now, &saved_gid) == 0 &&
	    real_uid == uid && uid_now == uid && saved_uid == uid &&
	    real_gid == gid && gid_now == gid && saved_gid == gid &&
	    setuid(0) == -1 && seteuid(0) == -1 &&
	    (gid == 0 || setgid(0) == -1);
}

static int
become(const char *user, const char *group, const char **why)
{
	const struct passwd *account = getpwnam(user);
	const struct group *other = *group != '\0' ? getgrnam(group) : NULL;
	uid_t uid;
	gid_t gid;

	*why = "no such user";
	if (account == NULL)
		return -1;
	*why = "no such group";
	if (*group != '\0' && other == NULL)
		return -1;
	*why = "the user must not be root (\"\" stays who starts us)";
	if (account->pw_uid == 0)
		return -1;
	uid = account->pw_uid;
	gid = other != NULL ? other->gr_gid : account->pw_gid;
	*why = "cannot give up the rights of root";
	if (initgroups(user, gid) == -1 || setresgid(gid, gid, gid) == -1 ||
	    setresuid(uid, uid, uid) == -1)
		return -1;
	*why = "the rights of root could come back";
	return is_for_good(uid, gid) ? 0 : -1;
}

int
privs_drop(const char *user, const char *group, const char **why)
{
	if (geteuid() == 0 && *user != '\0' &&
	    become(user, group, why) == -1)
		return -1;
	*why = "prctl(PR_SET_NO_NEW_PRIVS) failed";
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}
