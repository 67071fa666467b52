/* SPDX-License-Identifier: ISC */
/* ctl_live.c - a file as a whole; of LDAP our entries, and each other one when
 * a change names it, so that what policyd does not read is known, too. */
#include "policyd/ctl_live.h"

#include <string.h>

#include "common/ldap_pages.h"
#include "common/ldif.h"
#include "common/ctl_ldap.h"

static const char *
file_of(const struct source_settings *settings)
{
	static const char scheme[] = "ldif://";

	return strncmp(settings->uri, scheme, strlen(scheme)) == 0
	    ? settings->uri + strlen(scheme) : NULL;
}

/* The end of a search: what is not there has been told */
static int
end_search(struct ldap_link *link, LDAPMessage *message)
{
	char *said = NULL;
	int rc, code = LDAP_OTHER;

	rc = ldap_parse_result(link->ld, message, &code, NULL, &said, NULL,
	    NULL, 0);
	if (rc == LDAP_SUCCESS && code != LDAP_NO_SUCH_OBJECT)
		rc = code;
	if (rc != LDAP_SUCCESS)
		ldap_link_fail(link, rc, said != NULL ? said : "");
	ldap_memfree(said);
	return rc == LDAP_SUCCESS ? 0 : -1;
}

static int
read_answer(struct ldap_link *link, struct ldap_mirror *mirror, int msgid)
{
	LDAPMessage *message;
	int type, rc = 0;

	do {
		if ((message = ldap_link_next(link, msgid)) == NULL)
			return -1;
		type = ldap_msgtype(message);
		if (type == LDAP_RES_SEARCH_ENTRY)
			ldap_mirror_put(mirror, NULL, link->ld, message);
		else if (type == LDAP_RES_SEARCH_RESULT)
			rc = end_search(link, message);
		ldap_msgfree(message);
	} while (type != LDAP_RES_SEARCH_RESULT);
	return rc;
}

static int
fetch(void *arg, struct tree *tree, const char *dn, enum tree_scope scope,
    const char **why)
{
	static const int scopes[] = {
		[TREE_SELF] = LDAP_SCOPE_BASE,
		[TREE_CHILDREN] = LDAP_SCOPE_ONELEVEL,
		[TREE_BELOW] = LDAP_SCOPE_SUBTREE,
	};
	struct ldap_link *link = arg;
	struct ldap_mirror *mirror = ldap_mirror_new();
	int rc, msgid;

	rc = ldap_search_ext(link->ld, dn, scopes[scope], "(objectClass=*)",
	    link->attributes, 0, NULL, NULL, NULL, LDAP_NO_LIMIT, &msgid);
	if (rc == LDAP_SUCCESS)
		rc = read_answer(link, mirror, msgid);
	else
		rc = ldap_link_fail(link, rc, NULL);
	if (rc == 0)
		ldap_mirror_give(mirror, &(struct source_reader){
		    .take = tree_take, .arg = tree });
	ldap_mirror_free(mirror);
	*why = link->why;
	return rc;
}

static enum ctl_exit
read_server(const struct ctl *ctl, const struct source_settings *settings,
    struct ctl_live *live)
{
	struct ldap_mirror *mirror;
	enum ctl_exit code;

	code = ctl_ldap_open_as(ctl, settings, &live->link);
	if (code != CTL_FINE)
		return code;
	live->rest = (struct tree_rest){ .fetch = fetch, .arg = &live->link,
		.attributes = (const char *const *)live->link.attributes };
	live->tree = tree_new(&live->rest);
	mirror = ldap_mirror_new();
	if (ldap_pages_read(&live->link, mirror, live->findings) == 0)
		ldap_mirror_give(mirror, &(struct source_reader){
		    .take = tree_take, .arg = live->tree });
	else {
		ctl_complain(ctl, "could not read", live->link.why);
		code = CTL_UNASKED;
	}
	ldap_mirror_free(mirror);
	return code;
}

enum ctl_exit
ctl_live_open(const struct ctl *ctl, const struct source_settings *settings,
    struct ctl_live *live)
{
	const char *why, *path = file_of(settings);

	*live = (struct ctl_live){ .findings = findings_new() };
	if (path == NULL)
		return read_server(ctl, settings, live);
	live->tree = tree_new(NULL);
	if (ldif_read(path, tree_take, live->tree, live->findings, &why) == 0)
		return CTL_FINE;
	ctl_complain(ctl, "could not read", why);
	return CTL_UNASKED;
}

void
ctl_live_close(struct ctl_live *live)
{
	tree_free(live->tree);
	ldap_link_close(&live->link);
	findings_free(live->findings);
}

struct filter {
	const char *base;	/* normalised; NULL: everything */
	const struct source_reader *to;
};

static void
take_below(void *arg, const struct entry *entry)
{
	const struct filter *filter = arg;
	const char *at = entry->key;

	while (filter->base != NULL && at != NULL &&
	    strcmp(at, filter->base) != 0)
		at = dn_parent(at);
	if (at != NULL)
		filter->to->take(filter->to->arg, entry);
}

void
ctl_live_give(const struct ctl_live *live,
    const struct source_settings *settings, const struct source_reader *to)
{
	struct arena *arena = arena_new(0);
	struct filter filter = { .to = to };

	if (file_of(settings) == NULL)
		filter.base = dn_normalise(arena, settings->base);
	tree_give(live->tree, take_below, &filter);
	arena_free(arena);
}
