/* SPDX-License-Identifier: ISC */
/* ldap_persist.c - RFC 4533 as a client: refresh, then every change as it is
 * made. Not by libldap's ldap_sync_init(), which waits for a silent server
 * without an end. A mirror in the middle of a refresh is given to nobody. */
#include "common/ldap_persist.h"

#include <stdlib.h>
#include <string.h>

#include "common/layer.h"
#include "common/ldap_mirror.h"
#include "common/ldap_pages.h"
#include "common/xmalloc.h"

#define LOOK_MESSAGES 1000	/* at most in one look */

/* Of an entry that is renamed the server tells, not of those below it, though
 * their DNs are others then. So we look at all that have some below. */
static const char containers[] = "(hasSubordinates=TRUE)";

/* Nor of those below one that comes from outside the base: it is told like a
 * new one. But a new one has none below it, or was not changed since. */
static const char *const beside[] = { "hasSubordinates", "modifyTimestamp" };
#define BESIDE (sizeof(beside) / sizeof(beside[0]))

struct ldap_persist {
	struct ldap_mirror *mirror;
	struct findings *notes;
	struct berval cookie;	/* where the mirror stands; bv_val NULL: no
				 * place to go on from */
	int msgid;
	int ended_with;		/* the server's last word, or -1 */
	bool is_refreshed;	/* the mirror is whole */
	bool is_known;		/* it has been given once, and since then only
				 * its news are to be */
	bool has_changed;
	bool has_moved;		/* DNs below some entry are not true any more */
};

struct ldap_persist *
ldap_persist_new(void)
{
	struct ldap_persist *p = xcalloc(1, sizeof(*p));

	p->mirror = ldap_mirror_new();
	p->notes = findings_new();
	return p;
}

void
ldap_persist_forget(struct ldap_persist *p)
{
	free(p->cookie.bv_val);
	p->cookie = (struct berval){ 0, NULL };
}

void
ldap_persist_free(struct ldap_persist *p)
{
	ldap_persist_forget(p);
	ldap_mirror_free(p->mirror);
	findings_free(p->notes);
	free(p);
}

static void
keep_cookie(struct ldap_persist *p, const struct berval *cookie)
{
	if (cookie->bv_len == 0)
		return;
	free(p->cookie.bv_val);
	p->cookie.bv_val = xmalloc(cookie->bv_len);
	p->cookie.bv_len = cookie->bv_len;
	memcpy(p->cookie.bv_val, cookie->bv_val, cookie->bv_len);
}

/* An optional cookie, in place; false: what stands there is not one */
static bool
read_cookie(BerElement *ber, struct berval *cookie)
{
	ber_len_t len;

	*cookie = (struct berval){ 0, NULL };
	return ber_peek_tag(ber, &len) != LDAP_TAG_SYNC_COOKIE ||
	    ber_scanf(ber, "m", cookie) != LBER_ERROR;
}

static bool
read_flag(BerElement *ber, ber_int_t *flag)
{
	ber_len_t len;

	return ber_peek_tag(ber, &len) != LBER_BOOLEAN ||
	    ber_scanf(ber, "b", flag) != LBER_ERROR;
}

/* One that we look at only for what is below it */
static bool
is_container(const struct ldap_persist *p, const struct berval *uuid)
{
	const struct entry *entry = ldap_mirror_get(p->mirror, uuid);
	enum layer_kind kind;

	return entry != NULL && !layer_kind_of(entry, &kind) &&
	    !entry_has_class(entry, "posternPolicy");
}

/* The first value, "" where there is none. The caller frees. */
static char *
value_of(struct ldap_link *link, LDAPMessage *message, const char *name)
{
	struct berval **values = ldap_get_values_len(link->ld, message, name);
	char *value = xstrdup(values != NULL && values[0] != NULL
	    ? values[0]->bv_val : "");

	ldap_value_free_len(values);
	return value;
}

/* One that we did not know has come with others below it */
static bool
came_with_some(struct ldap_link *link, LDAPMessage *message)
{
	char *is_above = value_of(link, message, beside[0]);
	char *created = value_of(link, message, "createTimestamp");
	char *modified = value_of(link, message, beside[1]);
	bool has_come = strcmp(is_above, "TRUE") == 0 && *modified != '\0' &&
	    strcmp(created, modified) != 0;

	free(is_above);
	free(created);
	free(modified);
	return has_come;
}

static void
put(struct ldap_persist *p, struct ldap_link *link, LDAPMessage *message,
    const struct berval *uuid)
{
	bool is_first = p->cookie.bv_val == NULL && !p->is_refreshed;
	bool is_new = !is_first && ldap_mirror_get(p->mirror, uuid) == NULL;
	bool came = is_new && came_with_some(link, message);

	if (ldap_mirror_put(p->mirror, uuid, link->ld, message) || came ||
	    (is_new && is_container(p, uuid)))
		p->has_moved = true;
}

static void
remove_one(struct ldap_persist *p, const struct berval *uuid)
{
	if (is_container(p, uuid))
		p->has_moved = true;
	ldap_mirror_remove(p->mirror, uuid);
}

/* The sync state control of an entry (section 2.2): 0, or -1 */
static int
take_state(struct ldap_persist *p, struct ldap_link *link,
    LDAPMessage *message, BerElement *ber)
{
	struct berval uuid, cookie;
	ber_int_t state;

	if (ber_scanf(ber, "{em", &state, &uuid) == LBER_ERROR ||
	    !read_cookie(ber, &cookie))
		return -1;
	if (state == LDAP_SYNC_PRESENT)
		ldap_mirror_see(p->mirror, &uuid);
	else if (state == LDAP_SYNC_DELETE)
		remove_one(p, &uuid);
	else
		put(p, link, message, &uuid);
	/* One that comes in the middle of a refresh tells only how far that is,
	 * and the mirror would pass for what it is not yet */
	if (p->is_refreshed)
		keep_cookie(p, &cookie);
	p->has_changed = true;
	return 0;
}

static int
take_entry(struct ldap_persist *p, struct ldap_link *link,
    LDAPMessage *message)
{
	LDAPControl **controls = NULL, *control;
	BerElement *ber = NULL;
	int rc = -1;

	ldap_get_entry_controls(link->ld, message, &controls);
	control = ldap_control_find(LDAP_CONTROL_SYNC_STATE, controls, NULL);
	if (control != NULL)
		ber = ber_init(&control->ldctl_value);
	if (ber != NULL)
		rc = take_state(p, link, message, ber);
	ber_free(ber, 1);
	ldap_controls_free(controls);
	return rc;
}

/* Many at once: they are there, or (is_gone) no more */
static int
take_set(struct ldap_persist *p, BerElement *ber)
{
	BerVarray ids = NULL;
	ber_int_t is_gone = 0;
	size_t i;

	if (!read_flag(ber, &is_gone) ||
	    ber_scanf(ber, "[W]", &ids) == LBER_ERROR)
		return -1;
	for (i = 0; ids != NULL && ids[i].bv_val != NULL; i++)
		if (is_gone)
			remove_one(p, &ids[i]);
		else
			ldap_mirror_see(p->mirror, &ids[i]);
	ber_bvarray_free(ids);
	p->has_changed = true;
	return 0;
}

/* The sync info message (section 2.5): 0, or -1 */
static int
take_info(struct ldap_persist *p, BerElement *ber)
{
	struct berval cookie;
	ber_int_t is_done = 1;
	ber_len_t len;
	ber_tag_t tag = ber_peek_tag(ber, &len);

	if (tag == LDAP_TAG_SYNC_NEW_COOKIE) {
		if (ber_scanf(ber, "m", &cookie) == LBER_ERROR)
			return -1;
		if (p->is_refreshed)
			keep_cookie(p, &cookie);
		return 0;
	}
	if (ber_scanf(ber, "{") == LBER_ERROR || !read_cookie(ber, &cookie))
		return -1;
	if (tag == LDAP_TAG_SYNC_ID_SET)
		return take_set(p, ber);
	if (!read_flag(ber, &is_done))
		return -1;
	/* The present phase is over: what it did not name has gone */
	if (tag == LDAP_TAG_SYNC_REFRESH_PRESENT && !p->is_refreshed)
		ldap_mirror_sweep(p->mirror);
	if (!is_done)
		return 0;
	p->is_refreshed = true;
	keep_cookie(p, &cookie);
	return 0;
}

static int
take_intermediate(struct ldap_persist *p, struct ldap_link *link,
    LDAPMessage *message)
{
	struct berval *data = NULL;
	BerElement *ber = NULL;
	char *oid = NULL;
	int rc;

	rc = ldap_parse_intermediate(link->ld, message, &oid, &data, NULL, 0);
	if (rc == LDAP_SUCCESS && oid != NULL && data != NULL &&
	    strcmp(oid, LDAP_SYNC_INFO) == 0)
		ber = ber_init(data);
	rc = ber != NULL ? take_info(p, ber) : 0;
	ber_free(ber, 1);
	ber_bvfree(data);
	ldap_memfree(oid);
	return rc;
}

/* A search that goes on has no end: whatever it says is a failure */
static int
take_end(struct ldap_persist *p, struct ldap_link *link, LDAPMessage *message)
{
	char *said = NULL;
	int code = LDAP_OTHER;

	ldap_parse_result(link->ld, message, &code, NULL, &said, NULL, NULL, 0);
	p->ended_with = code;
	ldap_link_fail(link, code != LDAP_SUCCESS ? code : LDAP_OTHER,
	    said != NULL && *said != '\0' ? said : "the server ended the "
	    "search");
	ldap_memfree(said);
	return -1;
}

/* One message, which is freed: 0, or -1 and link->why */
static int
take(struct ldap_persist *p, struct ldap_link *link, LDAPMessage *message)
{
	int rc = 0, type = ldap_msgtype(message);

	if (type == LDAP_RES_SEARCH_ENTRY)
		rc = take_entry(p, link, message);
	else if (type == LDAP_RES_INTERMEDIATE)
		rc = take_intermediate(p, link, message);
	else if (type == LDAP_RES_SEARCH_REFERENCE)
		ldap_note_referral(link, message, p->notes);
	if (rc != 0)
		ldap_link_fail(link, LDAP_DECODING_ERROR, "RFC 4533");
	if (type == LDAP_RES_SEARCH_RESULT)
		rc = take_end(p, link, message);
	ldap_msgfree(message);
	return rc;
}

/* Those of the link and ours. The caller frees. */
static char **
attributes_for(const struct ldap_link *link)
{
	size_t i, count = 0;
	char **all;

	while (link->attributes[count] != NULL)
		count++;
	all = xcalloc(count + BESIDE + 1, sizeof(*all));
	memcpy(all, link->attributes, count * sizeof(*all));
	for (i = 0; i < BESIDE; i++)
		all[count + i] = (char *)beside[i];
	return all;
}

/* 0 and p->msgid, or -1 and link->why */
static int
ask(struct ldap_persist *p, struct ldap_link *link)
{
	BerElement *ber = ber_alloc_t(LBER_USE_DER);
	LDAPControl *controls[] = { NULL, NULL };
	char filter[LDAP_LINK_FILTER];
	char **attributes = attributes_for(link);
	struct berval value;
	int rc = LDAP_ENCODING_ERROR;

	ldap_link_filter(link, containers, filter);
	if (ber_printf(ber, "{e", LDAP_SYNC_REFRESH_AND_PERSIST) != -1 &&
	    (p->cookie.bv_val == NULL ||
	    ber_printf(ber, "O", &p->cookie) != -1) &&
	    ber_printf(ber, "N}") != -1 &&
	    ber_flatten2(ber, &value, 0) != -1)
		rc = ldap_control_create(LDAP_CONTROL_SYNC, 1, &value, 1,
		    &controls[0]);
	if (rc == LDAP_SUCCESS)
		rc = ldap_search_ext(link->ld, link->settings->base,
		    LDAP_SCOPE_SUBTREE, filter, attributes, 0, controls,
		    NULL, NULL, LDAP_NO_LIMIT, &p->msgid);
	ldap_control_free(controls[0]);
	ber_free(ber, 1);
	free(attributes);
	return rc == LDAP_SUCCESS ? 0 : ldap_link_fail(link, rc, NULL);
}

/* From the cookie, or from nothing, until the mirror is whole */
static int
refresh(struct ldap_persist *p, struct ldap_link *link)
{
	LDAPMessage *message;

	if (p->cookie.bv_val == NULL) {
		ldap_mirror_free(p->mirror);
		p->mirror = ldap_mirror_new();
		p->is_known = false;
	}
	findings_free(p->notes);
	p->notes = findings_new();
	ldap_mirror_begin(p->mirror);
	p->is_refreshed = p->has_moved = false;
	p->ended_with = -1;
	if (ask(p, link) != 0)
		return -1;
	while (!p->is_refreshed) {
		message = ldap_link_next(link, p->msgid);
		if (message == NULL || take(p, link, message) != 0)
			return -1;
	}
	p->has_changed = false;
	return 0;
}

/* The search that goes on may be one too many by now */
static int
begin_anew(struct ldap_persist *p, struct ldap_link *link)
{
	if (p->ended_with == -1)
		ldap_abandon_ext(link->ld, p->msgid, NULL, NULL);
	return refresh(p, link);
}

enum persist_start
ldap_persist_start(struct ldap_persist *p, struct ldap_link *link)
{
	bool had_cookie = p->cookie.bv_val != NULL;
	int rc = refresh(p, link);

	/* e-syncRefreshRequired, or what else a server says to a cookie that
	 * is newer than itself: it was restored from a backup */
	if (had_cookie && (rc == 0 ? p->has_moved : p->ended_with != -1)) {
		ldap_persist_forget(p);
		rc = begin_anew(p, link);
	}
	p->has_moved = false;
	if (rc == 0)
		return PERSIST_STARTED;
	return p->ended_with == LDAP_UNAVAILABLE_CRITICAL_EXTENSION
	    ? PERSIST_REFUSED : PERSIST_FAILED;
}

enum persist_state
ldap_persist_look(struct ldap_persist *p, struct ldap_link *link)
{
	struct timeval at_once = { 0, 0 };
	LDAPMessage *message;
	int i, rc = 1;

	p->has_changed = false;
	for (i = 0; i < LOOK_MESSAGES && rc > 0; i++) {
		rc = ldap_result(link->ld, p->msgid, LDAP_MSG_ONE, &at_once,
		    &message);
		if (rc > 0 && take(p, link, message) != 0)
			return PERSIST_LOST;
	}
	if (p->has_moved) {
		ldap_persist_forget(p);
		return PERSIST_LOST;
	}
	if (rc < 0) {
		ldap_link_fail(link, LDAP_SERVER_DOWN, "");
		return PERSIST_LOST;
	}
	return p->has_changed ? PERSIST_CHANGED : PERSIST_SAME;
}

enum source_told
ldap_persist_give(struct ldap_persist *p, enum source_wish wish,
    const struct source_reader *to)
{
	enum source_told told = p->is_known && wish == SOURCE_NEWS
	    ? SOURCE_TOLD_NEWS : SOURCE_TOLD_ALL;

	findings_append(to->findings, p->notes);
	if (told == SOURCE_TOLD_NEWS)
		ldap_mirror_give_news(p->mirror, to);
	else
		ldap_mirror_give(p->mirror, to);
	ldap_mirror_forget_news(p->mirror);
	p->is_known = true;
	return told;
}
