/* SPDX-License-Identifier: ISC */
/* advice.h - what works, but not as its writer may think: values that need a
 * hook in Postfix, that wait for a later version, that have expired. */
#ifndef POLICYD_ADVICE_H
#define POLICYD_ADVICE_H

#include "common/findings.h"
#include "policyd/service.h"

/* Adds notes. service NULL: of what is written alone, not of what Postfix has
 * asked for so far; snapshot NULL: none. */
void advice_find(const struct service *service,
    const struct snapshot *snapshot, struct findings *out);

#endif
