/* SPDX-License-Identifier: ISC */
/* faults.h - what is wrong with one entry among all others. */
#ifndef COMMON_FAULTS_H
#define COMMON_FAULTS_H

#include "common/snapshot.h"

/* Also what was found when it was read */
void faults_find(const struct snapshot *snapshot, const struct node *node,
    struct findings *findings);

#endif
