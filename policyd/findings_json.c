/* SPDX-License-Identifier: ISC */
/* findings_json.c - findings as JSON, whatever bytes they hold. */
#include "policyd/findings_json.h"

#include "common/json_text.h"

json_t *
findings_json(const struct findings *findings)
{
	json_t *list = json_array();
	const struct finding *one;
	size_t i;

	for (i = 0; findings != NULL && i < findings_count(findings); i++) {
		one = findings_at(findings, i);
		json_array_append_new(list, json_pack(
		    "{s:s, s:o, s:o, s:o, s:o}", "level",
		    one->level == FINDING_ERROR ? "error" : "note",
		    "dn", json_text(one->dn),
		    "attribute", json_text(one->attribute),
		    "value", json_text(one->value),
		    "reason", json_text(one->reason)));
	}
	return list;
}

json_t *
findings_json_texts(const struct findings *findings)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < findings_count(findings); i++)
		json_array_append_new(list, json_text(finding_text(
		    findings_at(findings, i))));
	return list;
}
