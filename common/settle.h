/* SPDX-License-Identifier: ISC */
/* settle.h - decides what a draft has marked, and makes it whole. */
#ifndef COMMON_SETTLE_H
#define COMMON_SETTLE_H

#include "common/draft.h"

void settle(struct draft *draft);

#endif
