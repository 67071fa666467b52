/* SPDX-License-Identifier: ISC */
/* json_text.c - foreign text as JSON, whatever bytes it holds. */
#include "common/json_text.h"

#include <stddef.h>

json_t *
json_text(const char *text)
{
	json_t *json = json_string(text);

	return json != NULL ? json : json_string("(not UTF-8)");
}
