/* SPDX-License-Identifier: ISC */
/* ctl_base.c - compares DNs as text, RDN by RDN from the right. Two spellings
 * of one DN only make the base shorter, never wrong. */
#include "common/ctl_base.h"

#include <string.h>
#include <strings.h>

/* Behind the first RDN; "" where it is the last. Commas may be escaped. */
static const char *
parent(const char *dn)
{
	for (; *dn != '\0' && *dn != ','; dn++)
		if (*dn == '\\' && dn[1] != '\0')
			dn++;
	return dn + (*dn == ',');
}

/* Where in dn, behind its first RDN, base begins; NULL: nowhere */
static const char *
find(const char *base, const char *dn)
{
	do {
		dn = parent(dn);
		if (strcasecmp(dn, base) == 0)
			return dn;
	} while (*dn != '\0');
	return NULL;
}

void
ctl_base_take(struct ctl_base *base, const char *dn)
{
	if (dn == NULL || *dn == '\0')
		return;
	if (base->dn == NULL)
		base->dn = parent(dn);
	while (find(base->dn, dn) == NULL)
		base->dn = parent(base->dn);
}

const char *
ctl_base_below(const struct ctl_base *base, struct arena *arena,
    const char *dn)
{
	const char *end;

	if (dn == NULL)
		return "";
	if (base->dn == NULL || *base->dn == '\0' ||
	    (end = find(base->dn, dn)) == NULL)
		return dn;
	return arena_strndup(arena, dn, (size_t)(end - dn) - 1);
}
