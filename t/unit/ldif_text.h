/* SPDX-License-Identifier: ISC */
/* ldif_text.h - LDIF that stands in a test, as a file and as a snapshot. */
#ifndef UNIT_LDIF_TEXT_H
#define UNIT_LDIF_TEXT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/update.h"
#include "common/findings.h"
#include "common/ldif.h"
#include "common/snapshot.h"

/* One file, each time with other bytes; no name, nothing to clean up */
static inline const char *
ldif_file(const char *bytes, size_t len)
{
	static int fd = -1;
	static char path[32];

	if (fd < 0)
		fd = memfd_create("ldif", 0);
	if (ftruncate(fd, 0) != 0 ||
	    pwrite(fd, bytes, len, 0) != (ssize_t)len)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}

static inline struct snapshot *
snapshot_of(const char *ldif, const struct snapshot *previous,
    layer_parser *parse)
{
	struct findings *findings = findings_new();
	struct update *update = update_new(previous, parse, findings);
	const char *why;

	if (ldif_read(ldif_file(ldif, strlen(ldif)), update_take, update,
	    findings, &why) != 0)
		abort();
	return update_settle(update, true);
}

/* A daemon's parser: the policy is posternStatus, and "bad" is a bad one */
static inline const void *
parse_status(struct arena *arena, const struct entry *entry,
    enum layer_kind kind, struct findings *findings)
{
	const char *status = entry_first(entry, "posternStatus");

	(void)kind;
	if (status == NULL || strcmp(status, "bad") != 0)
		return arena_strdup(arena, status != NULL ? status : "");
	findings_add(findings, FINDING_ERROR, entry->dn, "posternStatus",
	    status, "no such word");
	return arena_strdup(arena, "");
}

/* Is there a finding whose text has this in it? */
static inline bool
is_found(const struct findings *findings, const char *text)
{
	size_t i;

	for (i = 0; i < findings_count(findings); i++)
		if (strstr(finding_text(findings_at(findings, i)), text))
			return true;
	return false;
}

#endif
