/* SPDX-License-Identifier: ISC */
/* source_ldap.c - the directory on LDAP servers: which of them is asked, when,
 * and what is done when none answers. A reading is whole or it is none.
 * Next: ldap_link.c; ldap_persist.c, or where that is not offered,
 * ldap_pages.c. */
#include "common/source.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/ldap_link.h"
#include "common/ldap_mirror.h"
#include "common/ldap_pages.h"
#include "common/ldap_persist.h"
#include "common/xmalloc.h"

#define RETRY_FIRST_MS 500
#define RETRY_MAX_MS 30000
#define BURST_MS 10		/* changes that come together are one */

struct ldap_source {
	struct source source;
	const struct source_settings *settings;
	const atomic_bool *must_stop;
	char *uris;		/* each with its NUL; an empty one ends */
	struct ldap_link link;	/* closed between two polls */
	struct ldap_mirror *pages;	/* for the state file, where the last
					 * reading was by pages */
	struct ldap_persist *persist;
	const char *persist_uri;	/* whose it is */
	bool is_told;		/* the server tells its changes */
	int64_t told_ms;	/* since when */
	int64_t changed_ms;	/* the first that is not read yet; 0: none */
	int64_t due_ms;		/* when to read next, or to see if it lives */
	int64_t retry_ms;	/* after a failure; 0: the last one was none */
	char why[LDAP_LINK_WHY];
};

/* Of a clock that nobody sets */
static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What is wrong with one URI, or NULL */
static const char *
uri_fault(const char *uri)
{
	LDAPURLDesc *parts = NULL;
	static const char all_ldap[] = "each URI is ldap://host, ldaps://host "
	    "or ldapi://path with / as %2F";
	const char *fault = NULL;

	if (ldap_url_parse(uri, &parts) != LDAP_URL_SUCCESS)
		return all_ldap;
	if (strcasecmp(parts->lud_scheme, "ldap") != 0 &&
	    strcasecmp(parts->lud_scheme, "ldaps") != 0 &&
	    strcasecmp(parts->lud_scheme, "ldapi") != 0)
		fault = all_ldap;
	else if (parts->lud_dn != NULL && *parts->lud_dn != '\0')
		fault = "no DN in the URI: that is directory.base";
	ldap_free_urldesc(parts);
	return fault;
}

static char *
split(const char *text)
{
	char *uris = xcalloc(strlen(text) + 2, 1), *at = uris;
	size_t len;

	for (; *(text += strspn(text, " \t")) != '\0'; text += len) {
		len = strcspn(text, " \t");
		memcpy(at, text, len);
		at += len + 1;
	}
	return uris;
}

static bool
has(const char *text)
{
	return text != NULL && *text != '\0';
}

static int
ldap_check(const struct source_settings *s, const char **why)
{
	char *uris = split(s->uri), *uri;
	const char *fault = NULL;

	for (uri = uris; *uri != '\0' && fault == NULL; uri += strlen(uri) + 1)
		fault = uri_fault(uri);
	free(uris);
	if (fault == NULL && !has(s->base))
		fault = "LDAP needs directory.base";
	else if (fault == NULL && has(s->bind_dn) != has(s->bind_password_file))
		fault = "bind_dn and bind_password_file: both or neither";
	else if (fault == NULL && has(s->bind_dn) &&
	    s->sasl == SOURCE_SASL_EXTERNAL)
		fault = "sasl = \"EXTERNAL\" goes without bind_dn";
	else if (fault == NULL && has(s->cert_file) != has(s->key_file))
		fault = "cert_file and key_file: both or neither";
	*why = fault;
	return fault == NULL ? 0 : -1;
}

static struct source *
ldap_source_open(const struct source_settings *settings,
    const atomic_bool *must_stop)
{
	struct ldap_source *s = xcalloc(1, sizeof(*s));

	s->source.ops = &source_ldap;
	s->settings = settings;
	s->must_stop = must_stop;
	s->uris = split(settings->uri);
	s->persist = ldap_persist_new();
	return &s->source;
}

static void
hang_up(struct ldap_source *s)
{
	ldap_link_close(&s->link);
	s->is_told = false;
	s->changed_ms = 0;
}

static void
ldap_source_close(struct source *source)
{
	struct ldap_source *s = (struct ldap_source *)source;

	hang_up(s);
	ldap_mirror_free(s->pages);
	ldap_persist_free(s->persist);
	free(s->uris);
	free(s);
}

/* What the server has told. A server that is lost is to be read, too: then
 * the others are tried, and it is said that none answers. */
static bool
has_news(struct ldap_source *s)
{
	enum persist_state state;

	if (now_ms() >= s->due_ms) {
		s->due_ms = now_ms() + s->settings->poll_ms;
		if (ldap_link_offers(&s->link, LDAP_CONTROL_SYNC) == -1)
			hang_up(s);
	}
	state = s->is_told ? ldap_persist_look(s->persist, &s->link)
	    : PERSIST_LOST;
	if (state == PERSIST_LOST) {
		hang_up(s);
		s->due_ms = s->told_ms + RETRY_FIRST_MS;
		return now_ms() >= s->due_ms;
	}
	if (state == PERSIST_CHANGED && s->changed_ms == 0)
		s->changed_ms = now_ms();
	return s->changed_ms != 0 && now_ms() >= s->changed_ms + BURST_MS;
}

static bool
ldap_is_due(struct source *source)
{
	struct ldap_source *s = (struct ldap_source *)source;

	return s->is_told ? has_news(s) : now_ms() >= s->due_ms;
}

static enum source_told
read_pages(struct ldap_source *s, const struct source_reader *to)
{
	struct ldap_mirror *mirror = ldap_mirror_new();

	if (ldap_pages_read(&s->link, mirror, to->findings) != 0) {
		ldap_mirror_free(mirror);
		return SOURCE_FAILED;
	}
	ldap_mirror_give(mirror, to);
	ldap_mirror_free(s->pages);
	s->pages = has(s->settings->state_file) ? mirror : NULL;
	if (s->pages == NULL)
		ldap_mirror_free(mirror);
	return SOURCE_TOLD_ALL;
}

static enum persist_start
start_persist(struct ldap_source *s, const char *uri)
{
	enum persist_start start;

	/* A cookie is its server's own */
	if (uri != s->persist_uri)
		ldap_persist_forget(s->persist);
	s->persist_uri = uri;
	start = ldap_persist_start(s->persist, &s->link);
	s->is_told = start == PERSIST_STARTED;
	s->told_ms = now_ms();
	return start;
}

/* What one server says; where it failed, s->why */
static enum source_told
read_server(struct ldap_source *s, const char *uri, enum source_wish wish,
    const struct source_reader *to)
{
	enum persist_start start = PERSIST_REFUSED;
	enum source_told told = SOURCE_FAILED;
	int rc;

	rc = ldap_link_open(&s->link, s->settings, uri, s->must_stop);
	if (rc == 0)
		rc = ldap_link_offers(&s->link, LDAP_CONTROL_SYNC);
	if (rc == 1)
		start = start_persist(s, uri);
	if (s->is_told) {
		ldap_mirror_free(s->pages);
		s->pages = NULL;
		told = ldap_persist_give(s->persist, wish, to);
	} else if (rc != -1 && start == PERSIST_REFUSED)
		told = read_pages(s, to);
	if (told == SOURCE_FAILED)
		memcpy(s->why, s->link.why, sizeof(s->why));
	if (!s->is_told)
		hang_up(s);
	return told;
}

static void
plan(struct ldap_source *s, bool is_well)
{
	if (is_well)
		s->retry_ms = 0;
	else if (s->retry_ms == 0)
		s->retry_ms = RETRY_FIRST_MS;
	else if ((s->retry_ms *= 2) > RETRY_MAX_MS)
		s->retry_ms = RETRY_MAX_MS;
	s->due_ms = now_ms() + (is_well ? s->settings->poll_ms : s->retry_ms);
}

static enum source_told
ldap_read(struct source *source, enum source_wish wish,
    const struct source_reader *to, const char **why)
{
	struct ldap_source *s = (struct ldap_source *)source;
	enum source_told told = SOURCE_FAILED;
	const char *uri;

	if (s->is_told && wish != SOURCE_ANEW) {
		s->changed_ms = 0;
		return ldap_persist_give(s->persist, wish, to);
	}
	hang_up(s);
	if (wish == SOURCE_ANEW)
		ldap_persist_forget(s->persist);
	for (uri = s->uris; *uri != '\0' && told == SOURCE_FAILED &&
	    !*s->must_stop; uri += strlen(uri) + 1)
		told = read_server(s, uri, wish, to);
	plan(s, told != SOURCE_FAILED);
	*why = s->why;
	return told;
}

static bool
ldap_can_recall(struct source *source)
{
	struct ldap_source *s = (struct ldap_source *)source;

	return s->pages != NULL || (s->is_told && s->changed_ms == 0);
}

static void
ldap_recall(struct source *source, const struct source_reader *to)
{
	struct ldap_source *s = (struct ldap_source *)source;

	if (s->pages != NULL)
		ldap_mirror_give(s->pages, to);
	else
		ldap_persist_give(s->persist, SOURCE_ALL, to);
}

static int
ldap_wait_ms(struct source *source)
{
	struct ldap_source *s = (struct ldap_source *)source;
	int64_t until = s->changed_ms != 0 ? s->changed_ms + BURST_MS
	    : s->due_ms;
	int64_t left = until - now_ms();

	return left > 0 ? (int)left : 0;
}

static int
ldap_wait_fd(struct source *source)
{
	struct ldap_source *s = (struct ldap_source *)source;
	int fd = -1;

	/* In a burst the time is waited for, not the next change */
	if (s->is_told && s->changed_ms == 0)
		ldap_get_option(s->link.ld, LDAP_OPT_DESC, &fd);
	return fd;
}

static const char *const schemes[] = { "ldap", "ldaps", "ldapi", NULL };

const struct source_ops source_ldap = {
	.schemes = schemes,
	.check = ldap_check, .open = ldap_source_open,
	.close = ldap_source_close,
	.is_due = ldap_is_due, .read = ldap_read,
	.can_recall = ldap_can_recall, .recall = ldap_recall,
	.wait_ms = ldap_wait_ms, .wait_fd = ldap_wait_fd,
};
