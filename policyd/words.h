/* SPDX-License-Identifier: ISC */
/* words.h - the closed vocabularies of policy: each enum, and the words that
 * admins write for it, in one place. */
#ifndef POLICYD_WORDS_H
#define POLICYD_WORDS_H

#include <stdbool.h>

enum direction {
	DIR_INBOUND,
	DIR_OUTBOUND,
	DIR_INTERNAL,
	DIR_RELAY,
	DIR_ANY			/* in rules, limits and lists only */
};

enum status { STATUS_ACTIVE, STATUS_SUSPENDED, STATUS_DISABLED };
enum greylist_mode { GREYLIST_OFF, GREYLIST_ON, GREYLIST_SCORE };
enum subject {
	SUBJECT_DOMAIN,
	SUBJECT_MAILBOX,
	SUBJECT_CLIENT,
	SUBJECT_SENDER,
	SUBJECT_RECIPIENT
};
enum unit { UNIT_MESSAGES, UNIT_RECIPIENTS, UNIT_BYTES };

/* What policy can answer, in order of harshness: the harshest wins. Not all
 * can be written in the directory: greylist and separate are ours. */
enum action {
	ACTION_PERMIT,
	ACTION_WARN,
	ACTION_PREPEND,
	ACTION_FILTER,
	ACTION_REDIRECT,
	ACTION_HOLD,
	ACTION_GREYLIST,
	ACTION_SEPARATE,	/* another transaction, please: 452 4.5.3 */
	ACTION_DEFER,
	ACTION_REJECT
};

/* NULL-terminated, by enum value */
extern const char *const direction_words[];
extern const char *const status_words[];
extern const char *const greylist_words[];
extern const char *const subject_words[];
extern const char *const unit_words[];
extern const char *const action_words[];

/* The index of text in words (compared without case), or -1 */
int word_find(const char *const *words, const char *text);

/* The next word of *text, in place; *text moves behind it and its blanks. ""
 * at the end. */
char *word_next(char **text);

/* Does what is written for one direction apply to mail of another? any: yes;
 * outbound includes internal (callers know where internal is named). */
bool direction_applies(enum direction written, enum direction mail);

/* hold, filter, redirect, prepend: act on all recipients of the message */
bool action_is_whole_message(enum action action);
bool action_is_refusal(enum action action);

#endif
