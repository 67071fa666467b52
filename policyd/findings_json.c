/* SPDX-License-Identifier: ISC */
/* findings_json.c - findings as JSON, whatever bytes they hold. */
#include "policyd/findings_json.h"

static json_t *
text_json(const char *text)
{
	json_t *json = json_string(text);

	return json != NULL ? json : json_string("(not UTF-8)");
}

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
		    "dn", text_json(one->dn),
		    "attribute", text_json(one->attribute),
		    "value", text_json(one->value),
		    "reason", text_json(one->reason)));
	}
	return list;
}

json_t *
findings_json_texts(const struct findings *findings)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < findings_count(findings); i++)
		json_array_append_new(list, text_json(finding_text(
		    findings_at(findings, i))));
	return list;
}
