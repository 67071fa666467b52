/* SPDX-License-Identifier: ISC */
/* lists.c - which allow or block line decides: the nearest scope's, and in
 * one scope allow. What single lines match is list_line.c's test. */
#include "policyd/lists.h"

#include "t/unit/tap.h"
#include "t/unit/world.h"

#define FROM "sender=carl@far.example recipient=anna@ours.example"

struct world {
	const char *global, *tenant, *mailbox;
};

/* want: "allow|block from", or "none" */
static const struct {
	const char *name;
	struct world world;
	const char *want;
} rows[] = {
	{ "no line, no hit", { "", "", "" }, "none" },
	{ "a line that does not match is no hit",
	    { "", BLOCK("sender @near.example"), "" }, "none" },
	{ "a block line blocks", { "", BLOCK("sender @far.example"), "" },
	    "block ours.example" },
	{ "an allow line allows", { "", ALLOW("sender @far.example"), "" },
	    "allow ours.example" },
	{ "in one scope allow beats block",
	    { "", BLOCK("sender carl@far.example")
	    ALLOW("sender @far.example"), "" }, "allow ours.example" },
	{ "also across kinds",
	    { "", BLOCK("sender carl@far.example")
	    ALLOW("client 192.0.2.0/24"), "" }, "allow ours.example" },
	{ "the mailbox's allow beats its tenant's block",
	    { "", BLOCK("sender @far.example"),
	    ALLOW("sender carl@far.example") }, "allow anna@ours.example" },
	{ "the mailbox's block beats its tenant's allow",
	    { "", ALLOW("sender @far.example"),
	    BLOCK("sender carl@far.example") }, "block anna@ours.example" },
	{ "the tenant's allow beats global's block",
	    { BLOCK("sender @far.example"), ALLOW("sender @far.example"),
	    "" }, "allow ours.example" },
	{ "the tenant's block beats global's allow",
	    { ALLOW("sender @far.example"), BLOCK("sender @far.example"),
	    "" }, "block ours.example" },
	{ "global's line is for everybody",
	    { BLOCK("sender @far.example"), "", "" }, "block global" },
	{ "an expired line does nothing",
	    { BLOCK("sender @far.example"),
	    ALLOW("sender @far.example expires=2020-01-01"), "" },
	    "block global" },
	{ "a line of another direction does nothing",
	    { "", BLOCK("sender @far.example outbound"), "" }, "none" },
	{ "by the client's network", { "", BLOCK("client 192.0.2.0/24"), "" },
	    "block ours.example" },
	{ "by the client's name", { "", BLOCK("client *.stranger.test"), "" },
	    "block ours.example" },
	{ "by HELO", { "", BLOCK("helo mx.stranger.*"), "" },
	    "block ours.example" },
	{ "by recipient", { "", ALLOW("recipient anna@ours.example"), "" },
	    "allow ours.example" },
};

static const struct {
	const char *name;
	const char *lines;
	bool want;
} clients[] = {
	{ "no line allows no client", "", false },
	{ "an allowed network is", ALLOW("client 192.0.2.0/24"), true },
	{ "an allowed name is", ALLOW("client mx.stranger.test"), true },
	{ "another network is not", ALLOW("client 198.51.100.0/24"), false },
	{ "an allowed sender is not a client", ALLOW("sender @far.example"),
	    false },
	{ "an allowed HELO is not a client", ALLOW("helo mx.stranger.test"),
	    false },
	{ "a blocked client is not allowed", BLOCK("client 192.0.2.0/24"),
	    false },
	{ "an expired line allows nobody",
	    ALLOW("client 192.0.2.0/24 expires=2020-01-01"), false },
	{ "a line for outbound mail allows nobody who comes in",
	    ALLOW("client 192.0.2.0/24 outbound"), false },
};

static struct snapshot *
world_of(const struct world *world)
{
	char ldif[4096];

	snprintf(ldif, sizeof(ldif), TEMPLATE("global", "%s")
	    TENANT("ours.example", "%s")
	    MAILBOX("anna", "ours.example", "mail: anna@ours.example\n", "%s"),
	    world->global, world->tenant, world->mailbox);
	return world_snapshot(ldif);
}

int
main(void)
{
	struct arena *arena = arena_new(0);
	struct snapshot *snapshot;
	const struct facts *facts;
	struct list_hit hit;
	size_t i;

	for (i = 0; i < ROWS(rows); i++) {
		snapshot = world_of(&rows[i].world);
		facts = world_facts(arena, snapshot, FROM);
		hit = lists_find(facts, &facts->chain);
		tap_is(hit.line == NULL ? "none" : arena_printf(arena,
		    "%s %s", hit.line->is_allow ? "allow" : "block",
		    hit.from->name), rows[i].want, rows[i].name);
		snapshot_release(snapshot);
	}
	for (i = 0; i < ROWS(clients); i++) {
		snapshot = world_of(&(struct world){ "", clients[i].lines,
		    "" });
		facts = world_facts(arena, snapshot, FROM);
		tap_int(lists_allow_client(facts, facts->recipient_tenant),
		    clients[i].want, clients[i].name);
		snapshot_release(snapshot);
	}
	arena_free(arena);
	return tap_done();
}
