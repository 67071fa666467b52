/* SPDX-License-Identifier: ISC */
/* inspect.c - gives libopendkim a message and the records that it asks for, and
 * reads what it found out. A record that could not be had makes a signature
 * unknown, never bad. */
#include "dkimsign/inspect.h"

#include <stdbool.h>	/* dkim.h wants it */

#include <dkim.h>
#include <string.h>

const char *const inspect_words[] = {
	[INSPECT_PASS] = "pass",
	[INSPECT_FAIL] = "fail",
	[INSPECT_UNKNOWN] = "unknown",
};

/* A record that was not to be had */
struct missing {
	const DKIM_SIGINFO *sig;
	enum record_answer answer;
	const char *why;
	struct missing *next;
};

struct work {
	struct arena *arena;
	const struct inspection *in;
	struct missing *missing;
	struct inspected *list;
	size_t count;
};

static DKIM_CBSTAT
look_up(DKIM *dkim, DKIM_SIGINFO *sig, u_char *buf, size_t size)
{
	struct work *w = dkim_get_user_context(dkim);
	const char *record, *name = arena_printf(w->arena,
	    "%s._domainkey.%s", (const char *)dkim_sig_getselector(sig),
	    (const char *)dkim_sig_getdomain(sig));
	struct missing *missing = arena_alloc(w->arena, sizeof(*missing));

	missing->sig = sig;
	missing->answer = w->in->find(w->in->find_arg, w->arena, name,
	    &record, &missing->why);
	if (missing->answer == RECORD_FOUND && strlen(record) < size) {
		memcpy(buf, record, strlen(record) + 1);
		return DKIM_CBSTAT_CONTINUE;
	}
	if (missing->answer == RECORD_FOUND)
		missing->why = "the record is too long";
	missing->next = w->missing;
	w->missing = missing;
	/* Told to try again it gives the whole message up */
	return DKIM_CBSTAT_NOTFOUND;
}

/* It refuses a message for a name with a semicolon, and a signature that is
 * malformed, of which it tells nothing later */
static void
feed_header(struct work *w, DKIM *dkim)
{
	const struct header_field *field;
	size_t i;

	for (i = 0; i < w->in->header->count; i++) {
		field = &w->in->header->fields[i];
		if (field->name_len == 0 || memchr(field->name, ';',
		    field->name_len) != NULL)
			continue;
		if (dkim_header(dkim, (u_char *)(uintptr_t)field->text,
		    field->len) == DKIM_STAT_OK ||
		    !header_is(field, "DKIM-Signature"))
			continue;
		w->list[w->count++] = (struct inspected){
			.outcome = INSPECT_FAIL, .domain = "", .selector = "",
			.algorithm = "", .why = "malformed" };
	}
}

static bool
feed_body(const struct work *w, DKIM *dkim)
{
	const struct inspection *in = w->in;

	if (in->body_len == 0)
		return true;
	if (dkim_body(dkim, (u_char *)(uintptr_t)in->body, in->body_len) !=
	    DKIM_STAT_OK)
		return false;
	/* RFC 6376 3.4.4 adds an end to the last line, libopendkim fails */
	return in->body[in->body_len - 1] == '\n' ||
	    dkim_body(dkim, (u_char *)(uintptr_t)"\r\n", 2) == DKIM_STAT_OK;
}

static const char *
tag(const struct work *w, DKIM_SIGINFO *sig, const char *name)
{
	const u_char *value = dkim_sig_gettagvalue(sig, 0,
	    (u_char *)(uintptr_t)name);

	return value != NULL ? arena_strdup(w->arena, (const char *)value)
	    : "";
}

static void
judge(const struct work *w, DKIM *dkim, DKIM_SIGINFO *sig,
    struct inspected *out)
{
	const struct missing *missing = w->missing;
	bool is_done = dkim_sig_process(dkim, sig) == DKIM_STAT_OK;

	*out = (struct inspected){ .outcome = INSPECT_FAIL, .why = "",
		.domain = tag(w, sig, "d"), .selector = tag(w, sig, "s"),
		.algorithm = tag(w, sig, "a") };
	dkim_sig_getkeysize(sig, &out->bits);
	while (missing != NULL && missing->sig != sig)
		missing = missing->next;
	if (missing != NULL) {
		out->outcome = missing->answer == RECORD_UNKNOWN
		    ? INSPECT_UNKNOWN : INSPECT_FAIL;
		out->why = missing->why;
	} else if (is_done && DKIM_SIG_CHECK(sig)) {
		out->outcome = INSPECT_PASS;
	} else if (dkim_sig_getbh(sig) == DKIM_SIGBH_MISMATCH) {
		out->why = "body hash mismatch";
	} else {
		out->why = dkim_sig_geterrorstr(dkim_sig_geterror(sig));
	}
}

static int
run(struct work *w, DKIM *dkim, const char **why)
{
	DKIM_SIGINFO **sigs;
	DKIM_STAT status;
	int i, count;

	feed_header(w, dkim);
	*why = "libopendkim refuses the header";
	status = dkim_eoh(dkim);
	if (status == DKIM_STAT_NOSIG)
		return 0;
	if (status != DKIM_STAT_OK)
		return -1;
	*why = "libopendkim refuses the body";
	if (!feed_body(w, dkim))
		return -1;
	/* judge() looks at each; this is about the message */
	(void)dkim_eom(dkim, NULL);
	if (dkim_getsiglist(dkim, &sigs, &count) != DKIM_STAT_OK)
		return -1;
	for (i = 0; i < count; i++)
		judge(w, dkim, sigs[i], &w->list[w->count++]);
	return 0;
}

int
inspect(struct arena *arena, const struct inspection *inspection,
    struct inspected **out, size_t *count, const char **why)
{
	struct work w = { .arena = arena, .in = inspection };
	DKIM_LIB *lib = dkim_init(NULL, NULL);
	DKIM *dkim = NULL;
	DKIM_STAT status;
	int rc = -1;

	*why = "libopendkim cannot be set up";
	w.list = arena_alloc(arena, inspection->header->count *
	    sizeof(*w.list));
	if (lib != NULL && dkim_set_key_lookup(lib, look_up) == DKIM_STAT_OK)
		dkim = dkim_verify(lib, (const u_char *)"dkimctl", NULL,
		    &status);
	if (dkim != NULL) {
		dkim_set_user_context(dkim, &w);
		rc = run(&w, dkim, why);
		dkim_free(dkim);
	}
	if (lib != NULL)
		dkim_close(lib);
	*out = w.list;
	*count = w.count;
	return rc;
}
