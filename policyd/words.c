/* SPDX-License-Identifier: ISC */
/* words.c - the words of DESIGN sections 2 and 3, as tables. Pure. */
#include "policyd/words.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

const char *const direction_words[] = {
	"inbound", "outbound", "internal", "relay", "any", NULL
};
const char *const status_words[] = { "active", "suspended", "disabled", NULL };
const char *const greylist_words[] = { "off", "on", "score", NULL };
const char *const subject_words[] = {
	"domain", "mailbox", "client", "sender", "recipient", NULL
};
const char *const unit_words[] = { "messages", "recipients", "bytes", NULL };
const char *const action_words[] = {
	"permit", "warn", "prepend", "filter", "redirect", "hold", "greylist",
	"separate", "defer", "reject", NULL
};

int
word_find(const char *const *words, const char *text)
{
	int at;

	for (at = 0; words[at] != NULL; at++)
		if (strcasecmp(words[at], text) == 0)
			return at;
	return -1;
}

char *
word_next(char **text)
{
	char *word = *text + strspn(*text, " \t");
	char *end = word + strcspn(word, " \t");

	*text = end + strspn(end, " \t");
	*end = '\0';
	return word;
}

bool
direction_applies(enum direction written, enum direction mail)
{
	return written == mail || written == DIR_ANY ||
	    (written == DIR_OUTBOUND && mail == DIR_INTERNAL);
}

bool
action_is_whole_message(enum action action)
{
	return action >= ACTION_PREPEND && action <= ACTION_HOLD;
}

bool
action_is_refusal(enum action action)
{
	return action >= ACTION_GREYLIST;
}
