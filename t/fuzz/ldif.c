/* SPDX-License-Identifier: ISC */
/* t/fuzz/ldif.c - any bytes as an LDIF file: entries, findings or a reason, and
 * never a crash; and so with all entries as a snapshot, twice over. */
#include "common/snapshot.h"

#include <stdint.h>

#include "t/unit/ldif_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const void *
parse_nothing(struct arena *arena, const struct entry *entry,
    enum layer_kind kind, struct findings *findings)
{
	(void)entry;
	(void)kind;
	(void)findings;
	return arena_alloc(arena, 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *path = ldif_file((const char *)data, size), *why;
	struct snapshot *snapshot, *previous = NULL;
	struct findings *findings;
	struct update *update;
	int i;

	for (i = 0; i < 2; i++) {
		findings = findings_new();
		update = update_new(previous, parse_nothing, findings);
		if (ldif_read(path, update_take, update, findings, &why) == 0)
			snapshot = update_settle(update, true);
		else {
			update_drop(update);
			snapshot = NULL;
		}
		snapshot_release(previous);
		previous = snapshot;
	}
	snapshot_release(previous);
	return 0;
}
