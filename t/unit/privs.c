/* SPDX-License-Identifier: ISC */
/* privs.c - rights that are given up do not come back. The half that needs
 * root is skipped without it. */
#include "common/privs.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "t/unit/tap.h"

static const char *why;

static bool
stays_who_we_are(void)
{
	uid_t before = geteuid();

	return privs_drop("", "", &why) == 0 && geteuid() == before &&
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

static bool
becomes_nobody(void)
{
	const struct passwd *nobody = getpwnam("nobody");
	uid_t uid = nobody->pw_uid;
	gid_t gid = nobody->pw_gid, groups[16];

	return privs_drop("nobody", "", &why) == 0 && getuid() == uid &&
	    geteuid() == uid && getgid() == gid && getegid() == gid &&
	    getgroups(16, groups) == 1 && groups[0] == gid &&
	    setuid(0) == -1 && setgid(0) == -1 &&
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

static bool
takes_the_group(void)
{
	gid_t gid = getgrnam("daemon")->gr_gid;

	return privs_drop("nobody", "daemon", &why) == 0 && getgid() == gid;
}

static bool
refuses_unknown_user(void)
{
	return privs_drop("no-such-user", "", &why) == -1 &&
	    strcmp(why, "no such user") == 0;
}

static bool
refuses_unknown_group(void)
{
	return privs_drop("nobody", "no-such-group", &why) == -1 &&
	    strcmp(why, "no such group") == 0;
}

static bool
refuses_root(void)
{
	return privs_drop("root", "", &why) == -1 &&
	    strstr(why, "must not be root") != NULL;
}

static const struct {
	const char *name;
	bool wants_root;
	bool (*holds)(void);
} rows[] = {
	{ "without a user we stay who we are", false, stays_who_we_are },
	{ "root becomes nobody, for good", true, becomes_nobody },
	{ "a group of its own is taken", true, takes_the_group },
	{ "an unknown user is an error", true, refuses_unknown_user },
	{ "an unknown group is an error", true, refuses_unknown_group },
	{ "root by name is an error", true, refuses_root },
};

/* In a child: what is given up there we still have */
static bool
holds_in_child(bool (*holds)(void))
{
	int status;
	pid_t child;

	fflush(stdout);
	if ((child = fork()) == 0)
		_exit(holds() ? 0 : 1);
	return waitpid(child, &status, 0) == child && status == 0;
}

int
main(void)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].wants_root && geteuid() != 0)
			tap_ok(true, "# SKIP not root");
		else
			tap_ok(holds_in_child(rows[i].holds), rows[i].name);
	return tap_done();
}
