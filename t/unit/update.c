/* SPDX-License-Identifier: ISC */
/* t/unit/update.c - a bad value never drops a protection: what serves after a
 * row of readings, each built upon the one before. And of two that claim one
 * name the elder has it, also once they have changed places. */
#include "common/update.h"

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
	{ "also where the entry did not change", HEAD "posternStatus: bad\n",
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
	{ "until that is there: the entry as it is",
	    HEAD "posternTemplate: cn=none\nposternStatus: active\n\n"
	    "dn: cn=none\nobjectClass: posternTemplate\n", "active", NULL },
	{ "an entry without its class is gone", "dn: dc=a\ndc: a\n", NULL,
	    NULL },
	{ "and its last form with it", HEAD "posternStatus: bad\n", "",
	    "no such word" },
	{ "a record of changes alone is nothing",
	    "dn: dc=b\nchangetype: add\nobjectClass: posternDomain\n"
	    "associatedDomain: a.example\n", NULL, "LDIF of changes" },
};

static void
note_tenant(void *arg, const struct layer *layer)
{
	const struct layer **found = arg;

	if (layer->kind == LAYER_TENANT)
		*found = layer;
}

static void
test_steps(void)
{
	struct snapshot *before = NULL, *now;
	const struct layer *layer;
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		now = snapshot_of(steps[i].ldif, before, parse_status);
		snapshot_release(before);
		before = now;
		layer = NULL;
		snapshot_each_layer(now, note_tenant, &layer);
		tap_is(layer != NULL ? layer->policy : NULL, steps[i].status,
		    steps[i].name);
		tap_ok(steps[i].finding == NULL
		    ? findings_count(snapshot_findings(now)) == 0
		    : is_found(snapshot_findings(now), steps[i].finding),
		    "and what is found says so");
	}
	snapshot_release(before);
}

#define TENANT(name) "dn: dc=" name "\nobjectClass: posternDomain\n" \
    "associatedDomain: " name ".example\nassociatedDomain: x.example\n\n"

/* ldif is read upon the one of the row before; who has x.example then */
static const struct {
	const char *name, *ldif, *id;
} places[] = {
	{ "the first in the file", TENANT("b") TENANT("a"), "b" },
	{ "they change places", TENANT("a") TENANT("b"), "a" },
	{ "one comes before them", TENANT("c") TENANT("a") TENANT("b"), "c" },
	{ "and goes again, and they change places", TENANT("b") TENANT("a"),
	    "b" },
	{ "only the loser is left", TENANT("a"), "a" },
};

static void
test_places(void)
{
	struct snapshot *before = NULL, *now;
	size_t i;

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		now = snapshot_of(places[i].ldif, before, parse_status);
		tap_is(snapshot_tenant_of(now, "x.example")->id, places[i].id,
		    places[i].name);
		snapshot_release(before);
		before = now;
	}
	snapshot_release(before);
}

int
main(void)
{
	test_steps();
	test_places();
	return tap_done();
}
