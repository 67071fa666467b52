/* SPDX-License-Identifier: ISC */
/* ctl_reset.c - policyctl reset NAME [LIMIT]: counters begin anew. */
#include "policyd/ctl.h"

static void
show(const struct ctl *ctl, const json_t *answer)
{
	const json_t *forgotten = json_object_get(answer, "forgotten");
	json_int_t count = json_integer_value(forgotten);

	if (json_is_null(forgotten)) {		/* Redis does not count them */
		printf("%s: counters forgotten.\n",
		    ctl_get_clean(ctl, answer, "name"));
		return;
	}
	printf("%s: %" JSON_INTEGER_FORMAT " counter%s forgotten.\n",
	    ctl_get_clean(ctl, answer, "name"), count, count == 1 ? "" : "s");
}

enum ctl_exit
ctl_reset(const struct ctl *ctl)
{
	const char *limit = ctl->words[1];

	return ctl_ask_and_print(ctl, &(struct ctl_question){
	    .path = "/reset", .name = ctl->words[0],
	    .body = limit != NULL ? limit : "" }, show);
}
