/* SPDX-License-Identifier: ISC */
/* ctl.c - what every verb of policyctl does: ask the daemon, say whose answer
 * it is. Knows no verb. */
#include "policyd/ctl.h"

#include <stdio.h>

enum ctl_exit
ctl_ask(const struct ctl *ctl, const struct ctl_question *question,
    json_t **answer)
{
	const char *why;
	int status = ctl_http_ask(ctl->own->control, question, answer, &why);

	if (status == CTL_HTTP_OK)
		return CTL_FINE;
	if (status != -1) {
		why = arena_strdup(ctl->arena,
		    ctl_get(ctl, *answer, "error"));
		json_decref(*answer);
	}
	*answer = NULL;
	if (status == CTL_HTTP_UNKNOWN && question->name != NULL) {
		ctl_complain(ctl, question->name, why);
		return CTL_WRONG;
	}
	ctl_complain(ctl, "could not ask", why);
	return CTL_UNASKED;
}

enum ctl_exit
ctl_ask_and_print(const struct ctl *ctl, const struct ctl_question *question,
    ctl_printer *show)
{
	json_t *answer;
	enum ctl_exit code = ctl_ask(ctl, question, &answer);

	if (code == CTL_FINE)
		ctl_print(ctl, answer, show);
	json_decref(answer);
	return code;
}

void
ctl_print_name(const struct ctl *ctl, const json_t *answer)
{
	if (!json_is_null(json_object_get(answer, "mailbox")))
		printf("Mailbox %s of ", ctl_get_clean(ctl, answer, "mailbox"));
	printf("%s %s\n\n", json_is_null(json_object_get(answer, "mailbox"))
	    ? "Tenant" : "tenant", ctl_get_clean(ctl, answer, "tenant"));
}
