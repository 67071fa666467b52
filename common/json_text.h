/* SPDX-License-Identifier: ISC */
/* json_text.h - text from the directory or from a client as JSON. */
#ifndef COMMON_JSON_TEXT_H
#define COMMON_JSON_TEXT_H

#include <jansson.h>

/* JSON carries UTF-8 alone, and foreign bytes need not be that: then the
 * value says so. A new reference. */
json_t *json_text(const char *text);

#endif
