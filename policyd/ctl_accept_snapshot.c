/* SPDX-License-Identifier: ISC */
/* ctl_accept_snapshot.c - policyctl accept-snapshot: yes, so many tenants are
 * gone indeed. */
#include "policyd/ctl.h"

static void
show(const struct ctl *ctl, const json_t *answer)
{
	(void)ctl;
	puts(json_is_true(json_object_get(answer, "accepted"))
	    ? "Accepted: the directory is read again now, and comes into "
	    "force as it is."
	    : "Nothing was held back: there is nothing to accept.");
}

enum ctl_exit
ctl_accept_snapshot(const struct ctl *ctl)
{
	return ctl_ask_and_print(ctl, &(struct ctl_question){
	    .path = "/accept-snapshot", .body = "" }, show);
}
