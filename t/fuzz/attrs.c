/* SPDX-License-Identifier: ISC */
/* attrs.c - fuzz target: whatever the bytes, a request ends where its empty
 * line does, and no attribute points outside of it. */
#include "policyd/attrs.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
check_length(const char *bytes, size_t size, size_t len)
{
	must(len <= size);
	if (len > 0)
		must(bytes[len - 1] == '\n' && (len == 1 ||
		    bytes[len - 2] == '\n'));
	/* however the bytes come in, the answer is the same */
	if (len > 1)
		must(attrs_length(bytes, len - 1) == 0);
	must(attrs_length(bytes, len) == len);
}

/* Every member: text that ends inside the request, or "" */
static void
check_members(const struct attrs *attrs, const char *text, size_t len)
{
	const char *const *member = (const char *const *)(const void *)attrs;
	size_t i, n = sizeof(*attrs) / sizeof(*member);

	for (i = 0; i < n; i++) {
		must(member[i] != NULL);
		if (*member[i] == '\0')
			continue;
		must(member[i] > text && member[i] < text + len);
		must(strlen(member[i]) < (size_t)(text + len - member[i]));
		must(strchr(member[i], '\n') == NULL);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len = attrs_length((const char *)data, size);
	const char *why = NULL;
	struct attrs attrs;
	char *text;
	int rc;

	check_length((const char *)data, size, len);
	if (len == 0)
		return 0;
	text = malloc(len);
	must(text != NULL);
	memcpy(text, data, len);
	rc = attrs_parse(text, len, &attrs, &why);
	must(rc == 0 || (rc == -1 && why != NULL));
	if (rc == 0)
		check_members(&attrs, text, len);
	free(text);
	return 0;
}
