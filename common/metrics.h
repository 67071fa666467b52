/* SPDX-License-Identifier: ISC */
/* metrics.h - counters and gauges for Prometheus: each is a static row in the
 * module that counts, registered once. Loop thread only, but for the value of
 * a counter (atomic), which any thread may raise. */
#ifndef COMMON_METRICS_H
#define COMMON_METRICS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"

struct metric {
	const char *name;	/* "postern_policyd_requests_total" */
	const char *labels;	/* "verdict=\"reject\"", or "" */
	const char *help;
	bool is_gauge;
	_Atomic uint64_t value;
	uint64_t (*read)(void);	/* gauge: asked at scrape; NULL: value */
	struct metric *next;	/* metrics.c's own */
};

void metric_register(struct metric *metric);
void metric_add(struct metric *metric, uint64_t by);

/* The text exposition format 0.0.4, rows of one name together */
const char *metrics_text(struct arena *arena);

#endif
