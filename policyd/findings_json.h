/* SPDX-License-Identifier: ISC */
/* findings_json.h - findings as check tells them: by the daemon of what is in
 * force, by policyctl of an LDIF file. */
#ifndef POLICYD_FINDINGS_JSON_H
#define POLICYD_FINDINGS_JSON_H

#include <jansson.h>

#include "common/findings.h"

/* [{"level": "error" or "note", "dn", "attribute", "value", "reason"}];
 * NULL: [] */
json_t *findings_json(const struct findings *findings);
/* ["DN: attribute: value: reason"] */
json_t *findings_json_texts(const struct findings *findings);

#endif
