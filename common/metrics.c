/* SPDX-License-Identifier: ISC */
/* metrics.c - the list of all counters and gauges, and their text for
 * Prometheus. Knows no metric by name: each is a row in its own module. */
#include "common/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"

static struct metric *metrics;

/* Behind the last of its name, else at the end: Prometheus wants one name's
 * samples in one block */
void
metric_register(struct metric *metric)
{
	struct metric **at, **behind = NULL;

	for (at = &metrics; *at != NULL; at = &(*at)->next) {
		if (*at == metric)
			panic("metric %s registered twice", metric->name);
		if (strcmp((*at)->name, metric->name) == 0)
			behind = &(*at)->next;
	}
	if (behind == NULL)
		behind = at;
	metric->next = *behind;
	*behind = metric;
}

void
metric_add(struct metric *metric, uint64_t by)
{
	atomic_fetch_add_explicit(&metric->value, by, memory_order_relaxed);
}

static void
print(FILE *to, const struct metric *metric)
{
	uint64_t value = metric->read != NULL ? metric->read() :
	    atomic_load_explicit(&metric->value, memory_order_relaxed);
	bool has_labels = metric->labels != NULL && *metric->labels != '\0';

	fprintf(to, "%s%s%s%s %" PRIu64 "\n", metric->name,
	    has_labels ? "{" : "", has_labels ? metric->labels : "",
	    has_labels ? "}" : "", value);
}

const char *
metrics_text(struct arena *arena)
{
	const struct metric *at;
	const char *name = "", *copy;
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	if (to == NULL)
		fatal("out of memory");
	for (at = metrics; at != NULL; at = at->next) {
		if (strcmp(at->name, name) != 0)
			fprintf(to, "# HELP %s %s\n# TYPE %s %s\n", at->name,
			    at->help, at->name,
			    at->is_gauge ? "gauge" : "counter");
		name = at->name;
		print(to, at);
	}
	if (fclose(to) != 0)
		fatal("out of memory");
	copy = arena_strdup(arena, text);
	free(text);
	return copy;
}
