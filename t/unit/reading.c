/* SPDX-License-Identifier: ISC */
/* t/unit/reading.c - a bad value never drops a protection: what serves after a
 * row of readings, each built upon the one before. */
#include "common/reading.h"

#include "t/unit/ldif_text.h"
#include "t/unit/tap.h"

#define HEAD "dn: dc=a\nobjectClass: posternDomain\n" \
    "associatedDomain: a.example\n"
#define LAST_FORM "dc=a: the last good form of this entry serves"

/* status: what serves after it, NULL where the entry is none */
static const struct {
	const char *name, *ldif, *status, *finding;
} steps[] = {
	{ "a first bad form: the value is inherited",
	    HEAD "posternStatus: bad\n", "", "posternStatus: bad: no such" },
	{ "a good form", HEAD "posternStatus: active\n", "active", NULL },
	{ "a bad form: the good one serves", HEAD "posternStatus: bad\n",
	    "active", LAST_FORM },
	{ "it is remembered at the next reading", HEAD "posternStatus: bad\n"
	    "dc: a\n", "active", LAST_FORM },
	{ "and the bad value told again", HEAD "posternStatus: bad\n",
	    "active", "posternStatus: bad: no such word" },
	{ "a better form: that serves", HEAD "posternStatus: suspended\n",
	    "suspended", NULL },
	{ "no usable domain: the last good form",
	    "dn: dc=a\nobjectClass: posternDomain\n", "suspended", LAST_FORM },
	{ "bad base64: the last good form", HEAD "posternStatus:: %\n",
	    "suspended", LAST_FORM },
	{ "bad base64 in the class: the last good form",
	    "dn: dc=a\nobjectClass:: %\n", "suspended", LAST_FORM },
	{ "a record of changes: the last good form",
	    "dn: dc=a\nchangetype: delete\n", "suspended", LAST_FORM },
	{ "a reference to what never was: the last good form",
	    HEAD "posternTemplate: cn=none\nposternStatus: active\n",
	    "suspended", "posternTemplate: cn=none: no such entry" },
	{ "an entry without its class is gone", "dn: dc=a\ndc: a\n", NULL,
	    NULL },
	{ "and its last form with it", HEAD "posternStatus: bad\n", "",
	    "no such word" },
	{ "a record of changes alone is nothing",
	    "dn: dc=b\nchangetype: add\nobjectClass: posternDomain\n"
	    "associatedDomain: a.example\n", NULL, "LDIF of changes" },
};

struct round {
	struct arena *arena;
	struct findings *findings;
	struct reading *reading;
};

static void
take(void *arg, const struct entry *entry)
{
	reading_take(arg, entry);
}

static struct round
read_round(const char *ldif, const struct reading *previous)
{
	struct round r = { arena_new(0), findings_new(), NULL };
	const char *why;

	r.reading = reading_new(r.arena, previous, parse_status, r.findings);
	if (ldif_read(ldif_file(ldif, strlen(ldif)), take, r.reading,
	    r.findings, &why) != 0)
		abort();
	reading_settle(r.reading);
	return r;
}

static void
free_round(struct round r)
{
	if (r.reading != NULL)
		reading_free(r.reading);
	findings_free(r.findings);
	arena_free(r.arena);
}

static void
test_steps(void)
{
	struct round before = { 0 }, now;
	struct layer *layer;
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		now = read_round(steps[i].ldif, before.reading);
		free_round(before);
		before = now;
		layer = reading_at(now.reading, 0);
		tap_is(layer != NULL ? layer->policy : NULL, steps[i].status,
		    steps[i].name);
		tap_ok(steps[i].finding == NULL
		    ? findings_count(now.findings) == 0
		    : is_found(now.findings, steps[i].finding),
		    "and what is found says so");
	}
	free_round(before);
}

#define MADE(dn, time) "dn: " dn "\nobjectClass: posternDomain\n" \
    "associatedDomain: x.example\ncreateTimestamp: " time "\n\n"

static void
test_order(void)
{
	static const char *const order[] = { "dc=d", "dc=b", "dc=c", "dc=z",
	    "dc=a" };
	struct round r = read_round(
	    "dn: dc=z\nobjectClass: posternDomain\n"
	    "associatedDomain: x.example\n\n" HEAD "\n"
	    MADE("dc=c", "20240101000000Z") MADE("dc=b", "20240101000000Z")
	    MADE("dc=d", "20230101000000Z"), NULL);
	size_t i;

	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		tap_is(reading_at(r.reading, i)->key, order[i],
		    "by time, then by DN, then as in the file");
	tap_ok(reading_at(r.reading, i) == NULL, "and no more");
	tap_is(reading_find(r.reading, "dc=z")->name, "z", "found by its DN");
	free_round(r);
}

int
main(void)
{
	test_steps();
	test_order();
	return tap_done();
}
