/* SPDX-License-Identifier: ISC */
/* metrics.c - the text that Prometheus reads. */
#include "common/metrics.h"

#include "t/unit/tap.h"

static uint64_t
seven(void)
{
	return 7;
}

static struct metric pass = {
	.name = "x_requests_total", .labels = "verdict=\"pass\"",
	.help = "requests",
}, seen = {
	.name = "x_tenants", .labels = "", .help = "tenants now",
	.is_gauge = true, .read = seven,
}, refuse = {
	.name = "x_requests_total", .labels = "verdict=\"refuse\"",
	.help = "requests",
}, plain = {
	.name = "x_requests", .labels = NULL, .help = "begins like another",
};

int
main(void)
{
	struct arena *arena = arena_new(0);

	tap_is(metrics_text(arena), "", "without a metric there is no text");
	metric_register(&pass);
	metric_register(&seen);
	metric_register(&refuse);
	metric_register(&plain);
	metric_add(&pass, 2);
	metric_add(&pass, 3);
	tap_is(metrics_text(arena),
	    "# HELP x_requests_total requests\n"
	    "# TYPE x_requests_total counter\n"
	    "x_requests_total{verdict=\"pass\"} 5\n"
	    "x_requests_total{verdict=\"refuse\"} 0\n"
	    "# HELP x_tenants tenants now\n"
	    "# TYPE x_tenants gauge\n"
	    "x_tenants 7\n"
	    "# HELP x_requests begins like another\n"
	    "# TYPE x_requests counter\n"
	    "x_requests 0\n",
	    "rows of one name stand together under one heading");
	arena_free(arena);
	return tap_done();
}
