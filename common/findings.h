/* SPDX-License-Identifier: ISC */
/* findings.h - what is wrong in the directory, where, and why: collected
 * while it is read, shown by -n and policyctl check, logged once. */
#ifndef COMMON_FINDINGS_H
#define COMMON_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

enum finding_level {
	FINDING_ERROR,		/* a value is not in force: check exits 1 */
	FINDING_NOTE		/* works, but someone may want to know */
};

struct finding {
	enum finding_level level;
	const char *dn;		/* "" where no entry is concerned */
	const char *attribute;	/* "" where none */
	const char *value;	/* "" where none */
	const char *reason;
};

struct findings;

struct findings *findings_new(void);
void findings_free(struct findings *findings);	/* NULL is fine */

/* Copies all it is given. NULL counts as "". */
void findings_add(struct findings *findings, enum finding_level level,
    const char *dn, const char *attribute, const char *value,
    const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/* All of other behind what is there */
void findings_append(struct findings *findings, const struct findings *other);

/* In the order they were found */
size_t findings_count(const struct findings *findings);
const struct finding *findings_at(const struct findings *findings, size_t at);
size_t findings_errors(const struct findings *findings);

/* "DN: attribute: value: reason", what is empty left out; control bytes as
 * "?"; lives until 16 further calls in the same thread */
const char *finding_text(const struct finding *finding);

/* One line each, but for those that stood in before (NULL: none did); of very
 * many only the first, and how many more. what: "directory" */
void findings_log(const char *what, const struct findings *findings,
    const struct findings *before);

#endif
