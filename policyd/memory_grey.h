/* SPDX-License-Identifier: ISC */
/* memory_grey.h - greylisting on the records of the memory store. */
#ifndef POLICYD_MEMORY_GREY_H
#define POLICYD_MEMORY_GREY_H

#include <stdint.h>

#include "policyd/counters.h"
#include "policyd/memory_records.h"

/* Answers and records (but for a peek) what q->grey asks */
void memory_grey_ask(struct records *records, const struct counter_question *q,
    int64_t now_ms);

#endif
