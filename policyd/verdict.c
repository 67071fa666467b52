/* SPDX-License-Identifier: ISC */
/* verdict.c - the closed table of replies. Nothing from the directory or from
 * a client ever stands where Postfix looks for a verb: check_table_result()
 * in Postfix would run it as a restriction. */
#include "policyd/verdict.h"

#include <stdio.h>
#include <string.h>

#define TEXT_MAX 200

static const struct {
	const char *verb;
	const char *standard;	/* the text where none was given; NULL: the
				 * verb stands alone */
} rows[] = {
	[ACTION_PERMIT] = { "DUNNO", NULL },
	[ACTION_WARN] = { "WARN", "policy" },
	[ACTION_PREPEND] = { "PREPEND", "X-Postern: held by policy" },
	[ACTION_FILTER] = { "FILTER", "dunno:" },
	[ACTION_REDIRECT] = { "REDIRECT", "postmaster" },
	[ACTION_HOLD] = { "HOLD", "policy" },
	[ACTION_GREYLIST] = { "DEFER_IF_PERMIT 4.2.0", "try again later" },
	[ACTION_SEPARATE] = { "452 4.5.3", "send this recipient separately" },
	[ACTION_DEFER] = { "451 4.7.1", "try again later" },
	[ACTION_REJECT] = { "550 5.7.1", "refused by policy" },
};

void
verdict_raise(struct verdict *verdict, const struct verdict *other)
{
	if (other->action > verdict->action)
		*verdict = *other;
}

void
verdict_reply(const struct verdict *verdict, char buf[VERDICT_REPLY])
{
	const char *text = verdict->text;
	char *at;

	if (rows[verdict->action].standard == NULL) {
		strcpy(buf, rows[verdict->action].verb);
		return;
	}
	if (text == NULL || *text == '\0')
		text = rows[verdict->action].standard;
	snprintf(buf, VERDICT_REPLY, "%s %.*s", rows[verdict->action].verb,
	    TEXT_MAX, text);
	for (at = buf; *at != '\0'; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
}
