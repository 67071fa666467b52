/* SPDX-License-Identifier: ISC */
/* ctl_suspend.c - policyctl suspend and resume: policyd says which entry a NAME
 * has, the caller changes its posternStatus in LDAP, and policyd is asked
 * until it holds. Never lifts what somebody else has decided. */
#include "policyd/ctl.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/ldif.h"
#include "policyd/conf.h"
#include "common/ctl_ldap.h"
#include "policyd/ctl_where.h"

#define ATTRIBUTE "posternStatus"
#define SUSPENDED "suspended"
#define LOOKS 40		/* two seconds, which syncprov never takes */
#define LOOK_NS 50000000L

struct intent {
	const char *verb;
	const char *wanted;	/* what NAME shall be in the end */
	const char *after;	/* what its entry shall say; NULL: nothing */
	bool only_suspended;	/* changed where it says suspended, alone */
};

static const struct intent suspend = { "suspend", SUSPENDED, SUSPENDED, false };
static const struct intent resume = { "resume", "active", NULL, true };

static enum ctl_exit
ask_status(const struct ctl *ctl, json_t **answer)
{
	return ctl_ask(ctl, &(struct ctl_question){ .path = "/status",
	    .name = ctl->words[0] }, answer);
}

static bool
is_word(const char *text, const char *word)
{
	return text != NULL && strcasecmp(text, word) == 0;
}

/* ---- What cannot be done ---- */

static enum ctl_exit
complain_no_entry(const struct ctl *ctl, const json_t *answer)
{
	ctl_complain(ctl, ctl->words[0], arena_printf(ctl->arena, "the mailbox "
	    "has no entry of its own that could say so: add one below %s with "
	    "objectClass: posternMailbox, mail: %s and " ATTRIBUTE ": "
	    SUSPENDED, ctl_get(ctl, answer, "tenant_dn"),
	    ctl_get(ctl, answer, "mailbox")));
	return CTL_WRONG;
}

struct search {
	struct arena *arena;
	const char *key;
	unsigned long line;	/* 0: not found */
};

static void
find_line(void *arg, const struct entry *entry)
{
	struct search *search = arg;

	if (search->line == 0 && strcmp(entry->key, search->key) == 0)
		search->line = entry->line;
}

/* A file is for its editor: comments and order are his */
static enum ctl_exit
complain_file(const struct ctl *ctl, const struct intent *intent,
    const char *path, const char *dn)
{
	struct findings *findings = findings_new();
	struct search search = { ctl->arena,
		dn_normalise(ctl->arena, dn), 0 };
	const char *why;

	if (search.key != NULL)
		ldif_read(path, find_line, &search, findings, &why);
	findings_free(findings);
	ctl_complain(ctl, ctl->words[0], arena_printf(ctl->arena,
	    "the directory is a file: edit %s%s%.0lu, at %s: %s "
	    ATTRIBUTE ": " SUSPENDED, path, search.line != 0 ? ":" : "",
	    search.line, dn, intent->after != NULL ? "say" : "take away"));
	return CTL_WRONG;
}

static enum ctl_exit
complain_said(const struct ctl *ctl, const struct intent *intent,
    const char *dn, const char *said)
{
	ctl_complain(ctl, dn, arena_printf(ctl->arena, "says " ATTRIBUTE
	    ": %s, which %s does not change", said, intent->verb));
	return CTL_WRONG;
}

/* ---- The change ---- */

/* What the entry says before and after, once it is so at LDAP */
static enum ctl_exit
change(const struct ctl *ctl, const struct intent *intent,
    struct ldap_link *link, const char *dn, const char **before,
    const char **after)
{
	enum ctl_exit code;

	code = ctl_ldap_get(ctl, link, dn, ATTRIBUTE, before);
	*after = *before;
	if (code != CTL_FINE)
		return code;
	if (is_word(*before, "disabled"))
		return complain_said(ctl, intent, dn, *before);
	if (is_word(*before, SUSPENDED) != intent->only_suspended)
		return CTL_FINE;	/* nothing to be done */
	*after = intent->after;
	return ctl_ldap_swap(ctl, link, dn, ATTRIBUTE, *before, *after);
}

static enum ctl_exit
change_at_server(const struct ctl *ctl, const struct intent *intent,
    const char *dn, const char **before, const char **after)
{
	struct conf *conf = ctl_where_conf(ctl->conf_path);
	struct ldap_link link;
	enum ctl_exit code;

	if (conf == NULL)
		return CTL_UNASKED;
	if (ctl->bind.uri == NULL &&
	    strncmp(conf->directory.uri, "ldif://", 7) == 0) {
		code = complain_file(ctl, intent, conf->directory.uri + 7, dn);
	} else if ((code = ctl_ldap_open(ctl, &conf->directory, &link)) ==
	    CTL_FINE) {
		code = change(ctl, intent, &link, dn, before, after);
		ctl_ldap_close(&link);
	}
	conf_free(conf);
	return code;
}

/* ---- What has come of it ---- */

/* What policyd holds once it has seen the change, or has had its time */
static enum ctl_exit
await(const struct ctl *ctl, const char *after, json_t **answer,
    bool *is_in_force)
{
	static const struct timespec pause = { 0, LOOK_NS };
	enum ctl_exit code;
	const char *says;
	int looks;

	for (looks = 0;; looks++) {
		if ((code = ask_status(ctl, answer)) != CTL_FINE)
			return code;
		says = ctl_get(ctl, *answer, "says");
		*is_in_force = after != NULL ? is_word(says, after)
		    : *says == '\0';
		if (*is_in_force || looks == LOOKS)
			return CTL_FINE;
		json_decref(*answer);
		nanosleep(&pause, NULL);
	}
}

static void
show(const struct ctl *ctl, const json_t *answer)
{
	const char *name = ctl_get_clean(ctl, answer, "name");
	const char *before = ctl_get_clean(ctl, answer, "before");
	const char *after = ctl_get_clean(ctl, answer, "after");
	const char *status = ctl_get_clean(ctl, answer, "status");
	const char *from = ctl_get_clean(ctl, answer, "from");
	bool is_changed = strcmp(before, after) != 0;

	before = *before != '\0' ? before : "none";
	after = *after != '\0' ? after : "none";
	printf("%s\n", ctl_get_clean(ctl, answer, "dn"));
	if (is_changed)
		printf(ATTRIBUTE ": %s -> %s\n", before, after);
	else
		printf(ATTRIBUTE ": %s, as it was\n", before);
	if (!json_is_true(json_object_get(answer, "in_force")))
		printf("Not in force: policyd still has %s as %s; policyctl "
		    "check may say why.\n", name, status);
	else if (*from != '\0')
		printf("In force: %s is %s, by %s.\n", name, status, from);
	else
		printf("In force: %s is %s.\n", name, status);
}

static enum ctl_exit
tell(const struct ctl *ctl, const struct intent *intent, const char *before,
    const char *after)
{
	enum ctl_exit code;
	bool is_in_force;
	json_t *answer;

	if ((code = await(ctl, after, &answer, &is_in_force)) != CTL_FINE)
		return code;
	json_object_set_new(answer, "before", before != NULL
	    ? json_string(before) : json_null());
	json_object_set_new(answer, "after", after != NULL
	    ? json_string(after) : json_null());
	json_object_set_new(answer, "in_force", json_boolean(is_in_force));
	ctl_print(ctl, answer, show);
	/* A tenant that is disabled is suspended, and more */
	if (!is_in_force || is_word(ctl_get(ctl, answer, "status"), "active")
	    != is_word(intent->wanted, "active"))
		code = CTL_WRONG;
	json_decref(answer);
	return code;
}

static enum ctl_exit
set_status(const struct ctl *ctl, const struct intent *intent)
{
	const char *dn, *before = NULL, *after = NULL;
	enum ctl_exit code;
	json_t *answer;

	if ((code = ask_status(ctl, &answer)) != CTL_FINE)
		return code;
	if (json_is_null(json_object_get(answer, "dn"))) {
		code = complain_no_entry(ctl, answer);
	} else {
		dn = ctl_get(ctl, answer, "dn");
		code = change_at_server(ctl, intent, dn, &before, &after);
	}
	json_decref(answer);
	return code == CTL_FINE ? tell(ctl, intent, before, after) : code;
}

enum ctl_exit
ctl_suspend(const struct ctl *ctl)
{
	return set_status(ctl, &suspend);
}

enum ctl_exit
ctl_resume(const struct ctl *ctl)
{
	return set_status(ctl, &resume);
}
