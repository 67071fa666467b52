/* SPDX-License-Identifier: ISC */
/* limit.c - is a posternRateLimit value read as it is meant, and refused
 * where it cannot be meant? */
#include "policyd/limit.h"

#include "t/unit/tap.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* want: every field, as show() writes them; NULL: refused */
static const struct {
	const char *name;
	const char *value;
	const char *want;
} rows[] = {
	{ "the design's first example",
	    "hourly outbound mailbox recipients 50/1h",
	    "hourly outbound mailbox recipients 50/3600000 defer" },
	{ "the design's second example",
	    "daily outbound domain messages 6000/1d reject",
	    "daily outbound domain messages 6000/86400000 reject" },
	{ "a cap on one message",
	    "fanout outbound mailbox recipients 100/message reject",
	    "fanout outbound mailbox recipients 100/0 reject" },
	{ "inbound, by client, in messages",
	    "flood inbound client messages 600/5m",
	    "flood inbound client messages 600/300000 defer" },
	{ "internal, by sender, held",
	    "a internal sender recipients 1/90s hold",
	    "a internal sender recipients 1/90000 hold" },
	{ "relay, by recipient, in bytes, a warning",
	    "a relay recipient bytes 25M/1w warn",
	    "a relay recipient bytes 25000000/604800000 warn" },
	{ "any direction", "a any domain messages 1/1h defer",
	    "a any domain messages 1/3600000 defer" },
	{ "case does not matter", "Hourly OUTBOUND MailBox Messages 5/Message",
	    "hourly outbound mailbox messages 5/0 defer" },
	{ "blanks around and between", "  a \t any  domain messages 1/1h ",
	    "a any domain messages 1/3600000 defer" },
	{ "off takes a limit away", "hourly off", "hourly off" },
	{ "off in capitals", "hourly OFF", "hourly off" },
	{ "a limit may be called off", "off off", "off off" },
	{ "a count of nought lets nothing pass",
	    "a any domain messages 0/1h",
	    "a any domain messages 0/3600000 defer" },
	{ "a window of one second is the least", "a any domain messages 1/1s",
	    "a any domain messages 1/1000 defer" },
	{ "a window of 366 days is the most", "a any domain messages 1/366d",
	    "a any domain messages 1/31622400000 defer" },
	{ "a name has letters, digits and - _ .",
	    "a-1_b.c any domain messages 1/1h",
	    "a-1_b.c any domain messages 1/3600000 defer" },
	{ "nothing is no limit", "", NULL },
	{ "a blank is no limit", " ", NULL },
	{ "a name alone is no limit", "hourly", NULL },
	{ "off wants no more words", "hourly off now", NULL },
	{ "the unit must not be left out", "a any domain 1/1h", NULL },
	{ "a seventh word is refused", "a any domain messages 1/1h defer now",
	    NULL },
	{ "an unknown direction is refused", "a out domain messages 1/1h",
	    NULL },
	{ "an unknown subject is refused", "a any user messages 1/1h", NULL },
	{ "an unknown unit is refused", "a any domain mails 1/1h", NULL },
	{ "an unknown action is refused", "a any domain messages 1/1h drop",
	    NULL },
	{ "a limit cannot permit", "a any domain messages 1/1h permit", NULL },
	{ "a limit cannot redirect", "a any domain messages 1/1h redirect",
	    NULL },
	{ "a limit cannot greylist", "a any domain messages 1/1h greylist",
	    NULL },
	{ "a limit cannot separate", "a any domain messages 1/1h separate",
	    NULL },
	{ "COUNT without WINDOW is refused", "a any domain messages 50", NULL },
	{ "WINDOW without COUNT is refused", "a any domain messages /1h",
	    NULL },
	{ "an empty WINDOW is refused", "a any domain messages 50/", NULL },
	{ "a negative COUNT is refused", "a any domain messages -1/1h", NULL },
	{ "a WINDOW without a unit is refused",
	    "a any domain messages 50/60", NULL },
	{ "a WINDOW below a second is refused",
	    "a any domain messages 1/999ms", NULL },
	{ "a WINDOW above 366 days is refused",
	    "a any domain messages 1/367d", NULL },
	{ "a name with a slash is refused", "a/b any domain messages 1/1h",
	    NULL },
	{ "an 8-bit name is refused", "\303\244 any domain messages 1/1h",
	    NULL },
	{ "off with a bad name is refused", "a,b off", NULL },
};

static const struct {
	const char *name;
	const char *value;
	const char *want;
} texts[] = {
	{ "people read the window", "a any mailbox recipients 50/1h",
	    "50 recipients per 1h" },
	{ "people read a cap", "a any mailbox bytes 25M/message",
	    "25M bytes per message" },
};

static const char *
show(struct arena *arena, const struct limit *limit)
{
	if (limit->is_off)
		return arena_printf(arena, "%s off", limit->name);
	return arena_printf(arena, "%s %s %s %s %llu/%lld %s", limit->name,
	    direction_words[limit->direction], subject_words[limit->subject],
	    unit_words[limit->unit], (unsigned long long)limit->count,
	    (long long)limit->window_ms, action_words[limit->action]);
}

static void
test_long_name(struct arena *arena)
{
	char name[66], *value;
	struct limit limit;
	const char *why;

	memset(name, 'n', sizeof(name));
	value = arena_printf(arena, "%.64s off", name);
	tap_ok(limit_parse(arena, value, &limit, &why) == 0,
	    "a name of 64 characters is the longest");
	value = arena_printf(arena, "%.65s off", name);
	tap_ok(limit_parse(arena, value, &limit, &why) == -1,
	    "a name of 65 characters is refused");
}

int
main(void)
{
	struct arena *arena = arena_new(0);
	struct limit limit;
	const char *why;
	size_t i;
	int rc;

	for (i = 0; i < ROWS(rows); i++) {
		why = "";
		rc = limit_parse(arena, rows[i].value, &limit, &why);
		tap_is(rc == 0 ? show(arena, &limit) : NULL, rows[i].want,
		    rows[i].name);
		if (rc == -1 && *why == '\0')
			tap_ok(false, "a refusal says why");
	}
	for (i = 0; i < ROWS(texts); i++)
		tap_is(limit_parse(arena, texts[i].value, &limit, &why) == 0
		    ? limit_text(arena, &limit) : NULL, texts[i].want,
		    texts[i].name);
	test_long_name(arena);
	arena_free(arena);
	return tap_done();
}
