/* SPDX-License-Identifier: ISC */
/* ldap_pages.c - the whole directory, page after page. A search that ends with
 * any error, a size limit too, has failed: half a directory is none. */
#include "common/ldap_pages.h"

#define PAGE 500

void
ldap_note_referral(struct ldap_link *link, LDAPMessage *message,
    struct findings *findings)
{
	char **uris = NULL;

	if (ldap_parse_reference(link->ld, message, &uris, NULL, 0) ==
	    LDAP_SUCCESS && uris != NULL)
		findings_add(findings, FINDING_NOTE, link->settings->base,
		    "", uris[0], "a referral is not followed");
	ber_memvfree((void **)uris);
}

/* The end of a page: 0 and the next one's cookie, or -1 and link->why */
static int
end_page(struct ldap_link *link, LDAPMessage *message, struct berval *cookie)
{
	LDAPControl **controls = NULL, *page;
	ber_int_t estimate;
	char *said = NULL;
	int rc, code = LDAP_OTHER;

	rc = ldap_parse_result(link->ld, message, &code, NULL, &said, NULL,
	    &controls, 0);
	if (rc == LDAP_SUCCESS)
		rc = code;
	page = ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL);
	if (rc == LDAP_SUCCESS && page != NULL)
		rc = ldap_parse_pageresponse_control(link->ld, page,
		    &estimate, cookie);
	if (rc != LDAP_SUCCESS)
		ldap_link_fail(link, rc, said != NULL ? said : "");
	ldap_controls_free(controls);
	ldap_memfree(said);
	return rc == LDAP_SUCCESS ? 0 : -1;
}

static int
read_page(struct ldap_link *link, struct ldap_mirror *mirror,
    struct findings *findings, int msgid, struct berval *cookie)
{
	LDAPMessage *message;
	int type, rc = 0;

	do {
		message = ldap_link_next(link, msgid);
		if (message == NULL)
			return -1;
		type = ldap_msgtype(message);
		if (type == LDAP_RES_SEARCH_ENTRY)
			ldap_mirror_put(mirror, NULL, link->ld, message);
		else if (type == LDAP_RES_SEARCH_REFERENCE)
			ldap_note_referral(link, message, findings);
		else if (type == LDAP_RES_SEARCH_RESULT)
			rc = end_page(link, message, cookie);
		ldap_msgfree(message);
	} while (type != LDAP_RES_SEARCH_RESULT);
	return rc;
}

/* The message's id, or -1 and link->why */
static int
ask_page(struct ldap_link *link, struct berval *cookie)
{
	LDAPControl *controls[] = { NULL, NULL };
	char filter[LDAP_LINK_FILTER];
	int rc, msgid;

	ldap_link_filter(link, "", filter);
	rc = ldap_create_page_control(link->ld, PAGE, cookie, 0, &controls[0]);
	if (rc == LDAP_SUCCESS)
		rc = ldap_search_ext(link->ld, link->settings->base,
		    LDAP_SCOPE_SUBTREE, filter, link->attributes, 0, controls,
		    NULL, NULL, LDAP_NO_LIMIT, &msgid);
	ldap_control_free(controls[0]);
	return rc == LDAP_SUCCESS ? msgid : ldap_link_fail(link, rc, NULL);
}

int
ldap_pages_read(struct ldap_link *link, struct ldap_mirror *mirror,
    struct findings *findings)
{
	struct berval cookie = { 0, NULL };
	int msgid, rc;

	do {
		msgid = ask_page(link, &cookie);
		ber_memfree(cookie.bv_val);
		cookie = (struct berval){ 0, NULL };
		rc = msgid == -1 ? -1 : read_page(link, mirror, findings,
		    msgid, &cookie);
	} while (rc == 0 && cookie.bv_len > 0);
	ber_memfree(cookie.bv_val);
	return rc;
}
