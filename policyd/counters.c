/* SPDX-License-Identifier: ISC */
/* counters.c - which store does a URI mean?
 * One row per store; knows nothing of what they do. Next: the store's own
 * file, such as counters_memory.c. */
#include "policyd/counters.h"

#include <string.h>

static const struct counter_store_ops *const stores[] = {
	&counters_memory,
	&counters_redis,
};

static const struct counter_store_ops *
store_find(const char *uri, const char **why)
{
	for (size_t i = 0; i < sizeof(stores) / sizeof(stores[0]); i++) {
		const char *scheme = stores[i]->scheme;

		if (strncmp(uri, scheme, strlen(scheme)) == 0)
			return stores[i];
	}
	*why = "no counter store has this scheme";
	return NULL;
}

struct counter_store *
counters_open(const struct counter_settings *settings, const char **why)
{
	const struct counter_store_ops *ops = store_find(settings->uri, why);

	if (ops == NULL || ops->check_uri(settings->uri, why) != 0)
		return NULL;
	return ops->open(settings, why);
}

int
counters_check_uri(const char *uri, const char **why)
{
	const struct counter_store_ops *ops = store_find(uri, why);

	return ops == NULL ? -1 : ops->check_uri(uri, why);
}

/* FNV-1a: only reset compares tags, and within one tenant */
uint32_t
counter_tag(const char *limit_name)
{
	uint32_t tag = 2166136261;

	for (const char *p = limit_name; *p != '\0'; p++)
		tag = (tag ^ (uint8_t)*p) * 16777619;
	return tag != 0 ? tag : 1;
}
