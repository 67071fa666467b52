/* SPDX-License-Identifier: ISC */
/* findings.c - findings keep what they are told, and each is one line. */
#include "common/findings.h"

#include "t/unit/tap.h"

int
main(void)
{
	struct findings *list = findings_new(), *more = findings_new();
	char dn[] = "dc=a";
	int i;

	findings_add(list, FINDING_ERROR, dn, "posternStatus", "asleep",
	    "%s expected", "active");
	dn[0] = '?';
	tap_is(finding_text(findings_at(list, 0)),
	    "dc=a: posternStatus: asleep: active expected",
	    "where, what and why stand in one line, copied");
	findings_add(list, FINDING_NOTE, NULL, "", NULL, "all quiet");
	tap_is(finding_text(findings_at(list, 1)), "all quiet",
	    "what is empty is left out");
	findings_add(list, FINDING_ERROR, "dc=b", "a", "x\ny\x7f", "bad");
	tap_is(finding_text(findings_at(list, 2)), "dc=b: a: x?y?: bad",
	    "a line break in a value does not make a second line");
	tap_int((int64_t)findings_errors(list), 2, "a note is no error");
	for (i = 0; i < 100; i++)
		findings_add(more, FINDING_ERROR, "dc=c", "", "", "%d", i);
	findings_append(list, more);
	findings_free(more);
	tap_int((int64_t)findings_count(list), 103, "lists are joined");
	tap_is(findings_at(list, 102)->reason, "99", "in their order");
	tap_int((int64_t)findings_errors(list), 102, "with their errors");
	findings_free(list);
	findings_free(NULL);
	return tap_done();
}
