/* SPDX-License-Identifier: ISC */
/* ctl_reset.c - policyctl reset NAME [LIMIT]: counters begin anew. */
#include "policyd/ctl.h"

static void
show(const struct ctl *ctl, const json_t *answer)
{
	json_int_t count = json_integer_value(json_object_get(answer,
	    "forgotten"));

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
