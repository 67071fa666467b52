/* SPDX-License-Identifier: ISC */
/* policy.c - is every policy attribute of an entry read, and every bad value
 * of one reported and left out? */
#include "policyd/policy.h"

#include <inttypes.h>

#include "t/unit/tap.h"
#include "t/unit/world.h"

#define HOUR INT64_C(3600000)

/* One line on a template, and what is read of it */
static const struct {
	const char *name;
	const char *line;
	enum policy_value which;
	int64_t want;
} numbers[] = {
	{ "status active", "posternStatus: active\n", POLICY_STATUS,
	    STATUS_ACTIVE },
	{ "status suspended", "posternStatus: suspended\n", POLICY_STATUS,
	    STATUS_SUSPENDED },
	{ "status disabled", "posternStatus: Disabled\n", POLICY_STATUS,
	    STATUS_DISABLED },
	{ "greylisting off", "posternGreylist: off\n", POLICY_GREYLIST,
	    GREYLIST_OFF },
	{ "greylisting on", "posternGreylist: on\n", POLICY_GREYLIST,
	    GREYLIST_ON },
	{ "greylisting by score", "posternGreylist: score\n",
	    POLICY_GREYLIST, GREYLIST_SCORE },
	{ "a greylist delay", "posternGreylistDelay: 5m\n",
	    POLICY_GREYLIST_DELAY, 300000 },
	{ "a greylist window", "posternGreylistWindow: 2d\n",
	    POLICY_GREYLIST_WINDOW, 48 * HOUR },
	{ "a greylist pass", "posternGreylistPass: 5w\n",
	    POLICY_GREYLIST_PASS, 35 * 24 * HOUR },
	{ "a number of passes to be promoted", "posternGreylistPromote: 3\n",
	    POLICY_GREYLIST_PROMOTE, 3 },
	{ "nought passes is never promoted", "posternGreylistPromote: 0\n",
	    POLICY_GREYLIST_PROMOTE, 0 },
	{ "a greylist threshold", "posternGreylistThreshold: 2.5\n",
	    POLICY_GREYLIST_THRESHOLD, 2500 },
	{ "a quarantine threshold", "posternQuarantineThreshold: 7\n",
	    POLICY_QUARANTINE_THRESHOLD, 7000 },
	{ "a reject threshold", "posternRejectThreshold: -0.5\n",
	    POLICY_REJECT_THRESHOLD, -500 },
	{ "an attribute's name in any case", "POSTERNSTATUS: suspended\n",
	    POLICY_STATUS, STATUS_SUSPENDED },
	{ "a value that is not there is unset", "description: x\n",
	    POLICY_STATUS, POLICY_UNSET },
};

/* Bad values: nothing of them is in force, and the finding says why */
static const struct {
	const char *name;
	const char *lines;
	const char *finding;
} bad[] = {
	{ "a bad status", "posternStatus: off\n",
	    "posternStatus: off: active, suspended or disabled expected" },
	{ "a bad greylist word", "posternGreylist: yes\n",
	    "posternGreylist: yes: off, on or score expected" },
	{ "a delay without a unit", "posternGreylistDelay: 5\n",
	    "posternGreylistDelay: 5: " },
	{ "a window that is none", "posternGreylistWindow: long\n",
	    "posternGreylistWindow: long: " },
	{ "a negative pass", "posternGreylistPass: -1d\n",
	    "posternGreylistPass: -1d: " },
	{ "passes that are too many", "posternGreylistPromote: 2M\n",
	    "posternGreylistPromote: 2M: at most 1000000" },
	{ "a threshold that is no number", "posternRejectThreshold: high\n",
	    "posternRejectThreshold: high: " },
	{ "an alert that is no address", "posternAlert: root\n",
	    "posternAlert: root: a mail address expected" },
	{ "an alert that sendmail would read as two",
	    "posternAlert: a@x.example,b@y.example\n",
	    "a mail address expected" },
	{ "an alert that would write headers",	/* a, newline, b@x.example */
	    "posternAlert:: YQpiQHguZXhhbXBsZQ==\n",
	    "a mail address expected" },
	{ "a bad limit", LIMIT("hourly"),
	    "posternRateLimit: hourly: NAME DIRECTION" },
	{ "a bad rule", RULE("any any drop"),
	    "posternDirectionRule: any any drop: ACTION is" },
	{ "a bad allow line", ALLOW("client 192.0.2.1/24"),
	    "posternAllow: client 192.0.2.1/24: " },
	{ "a bad block line", BLOCK("sender b.example"),
	    "posternBlock: sender b.example: " },
	{ "a NUL in a value", "posternStatus:: YWN0aXZlAHg=\n",
	    "holds a NUL byte" },
	{ "a delay that is not shorter than the window",
	    "posternGreylistDelay: 2h\nposternGreylistWindow: 2h\n",
	    "not longer than posternGreylistDelay" },
};

/* The template's policy, and through *snapshot what it lives in */
static const struct policy *
read_template(const char *lines, struct snapshot **snapshot)
{
	char ldif[2048];
	struct chain chain;

	snprintf(ldif, sizeof(ldif), "dn: cn=global,dc=postern\n"
	    "objectClass: posternTemplate\nobjectClass: posternPolicy\n"
	    "cn: global\n%s", lines);
	*snapshot = world_snapshot(ldif);
	chain_of(*snapshot, NULL, NULL, &chain);
	return policy_of(chain.layers[0]);
}

static bool
is_empty(const struct policy *policy)
{
	size_t i;

	for (i = 0; i < POLICY_VALUES; i++)
		if (policy->values[i] != POLICY_UNSET)
			return false;
	return policy->alert == NULL && policy->limit_count == 0 &&
	    policy->rule_count == 0 && policy->line_count == 0;
}

static void
test_many(void)
{
	struct snapshot *snapshot;
	const struct policy *policy = read_template(
	    "posternAlert: Root@Ours.Example\n"
	    LIMIT("a any domain messages 1/1h") LIMIT("b off")
	    RULE("inbound no-rdns reject") RULE("any no-rdns warn")
	    ALLOW("client 192.0.2.0/24") ALLOW("sender @a.example")
	    BLOCK("helo *.bad.example"), &snapshot);

	tap_is(policy->alert, "root@ours.example",
	    "posternAlert is an address, normalised");
	tap_int((int64_t)policy->limit_count, 2, "limits are all there");
	tap_int((int64_t)policy->rule_count, 2,
	    "one condition may have rules for two directions");
	tap_int((int64_t)policy->line_count, 3, "lists are all there");
	tap_int(policy->lines[0].is_allow + policy->lines[1].is_allow +
	    policy->lines[2].is_allow, 2,
	    "allow lines are not block lines");
	tap_int((int64_t)findings_count(snapshot_findings(snapshot)), 0,
	    "nothing is wrong with any of it");
	snapshot_release(snapshot);
}

static void
test_twice(void)
{
	struct snapshot *snapshot;
	const struct policy *policy = read_template(
	    LIMIT("Hourly any domain messages 1/1h")
	    LIMIT("hourly any mailbox messages 2/1h")
	    RULE("inbound any warn") RULE("INBOUND any reject")
	    "posternStatus: active\nposternStatus: suspended\n"
	    "posternAlert: a@ours.example\nposternAlert: b@ours.example\n",
	    &snapshot);
	const struct findings *findings = snapshot_findings(snapshot);

	tap_ok(is_found(findings, "this name stands twice"),
	    "a limit's name twice on one entry is reported, in any case");
	tap_int((int64_t)policy->limit_count, 0, "and neither is in force");
	tap_ok(is_found(findings, "this direction and condition stand twice"),
	    "a rule's direction and condition twice are reported");
	tap_int((int64_t)policy->rule_count, 0, "and neither is in force");
	tap_ok(is_found(findings, "suspended: only one value"),
	    "a second value of a single-valued attribute is reported");
	tap_ok(is_found(findings, "b@ours.example: only one value"),
	    "a second posternAlert is reported");
	snapshot_release(snapshot);
}

static void
test_mailbox(void)
{
	struct snapshot *snapshot = world_snapshot(TENANT("ours.example", "")
	    MAILBOX("anna", "ours.example", "mail: anna@ours.example\n",
	    LIMIT("daily outbound domain messages 9/1d")
	    LIMIT("hourly off")));
	const struct layer *layer = snapshot_mailbox(snapshot,
	    "anna@ours.example");

	tap_ok(is_found(snapshot_findings(snapshot),
	    "a mailbox cannot have a limit of the whole domain"),
	    "a domain limit on a mailbox entry is reported");
	tap_int((int64_t)policy_of(layer)->limit_count, 1,
	    "a mailbox may turn a limit off");
	snapshot_release(snapshot);
}

static void
test_show(struct arena *arena)
{
	static const struct {
		enum policy_value which;
		int64_t value;
		const char *want, *name;
	} rows[] = {
		{ POLICY_STATUS, STATUS_SUSPENDED, "suspended",
		    "a status is shown as its word" },
		{ POLICY_GREYLIST, GREYLIST_SCORE, "score",
		    "greylisting is shown as its word" },
		{ POLICY_GREYLIST_DELAY, 90000, "90s",
		    "a duration is shown exactly" },
		{ POLICY_GREYLIST_PROMOTE, 3, "3", "a number is shown" },
		{ POLICY_REJECT_THRESHOLD, 7500, "7.5",
		    "a decimal is shown" },
		{ POLICY_REJECT_THRESHOLD, POLICY_UNSET, "",
		    "what is unset is shown as nothing" },
	};
	size_t i;

	for (i = 0; i < ROWS(rows); i++)
		tap_is(policy_value_text(arena, rows[i].which, rows[i].value),
		    rows[i].want, rows[i].name);
	tap_is(policy_attribute(POLICY_GREYLIST_PASS), "posternGreylistPass",
	    "a value knows its attribute");
}

int
main(void)
{
	struct arena *arena = arena_new(0);
	const struct policy *policy;
	struct snapshot *snapshot;
	size_t i;

	for (i = 0; i < ROWS(numbers); i++) {
		policy = read_template(numbers[i].line, &snapshot);
		tap_int(policy->values[numbers[i].which], numbers[i].want,
		    numbers[i].name);
		snapshot_release(snapshot);
	}
	for (i = 0; i < ROWS(bad); i++) {
		policy = read_template(bad[i].lines, &snapshot);
		tap_ok(is_empty(policy) && is_found(
		    snapshot_findings(snapshot), bad[i].finding), bad[i].name);
		snapshot_release(snapshot);
	}
	test_many();
	test_twice();
	test_mailbox();
	test_show(arena);
	arena_free(arena);
	return tap_done();
}
