/* SPDX-License-Identifier: ISC */
/* redis_address.c - which numbers are behind a name? The resolver is asked at
 * start and never again: what servers say of each other must be numbers. */
#include "policyd/redis_address.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/xmalloc.h"

/* flags: AI_NUMERICHOST asks no resolver. 0, or a getaddrinfo() error */
static int
to_numbers(const char *name, int flags, char host[static REDIS_HOST_MAX])
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = flags };
	struct addrinfo *found;
	int error = getaddrinfo(name, NULL, &hints, &found);

	if (error != 0)
		return error;
	error = getnameinfo(found->ai_addr, found->ai_addrlen, host,
	    REDIS_HOST_MAX, NULL, 0, NI_NUMERICHOST);
	freeaddrinfo(found);
	return error;
}

struct redis_address *
redis_addresses(struct arena *arena, const struct redis_uri *uri,
    size_t *count, const char **why)
{
	struct redis_address *list = arena_alloc(arena,
	    (uri->host_count + 1) * sizeof(*list));
	size_t i, n = 0;
	int error;

	for (i = 0; i < uri->host_count; i++) {
		error = to_numbers(uri->hosts[i].name, 0, list[n].host);
		if (error == 0) {
			list[n].port = uri->hosts[i].port;
			list[n++].name = uri->shown;
			continue;
		}
		*why = gai_strerror(error);
		log_warn(NULL, "counters: %s: %s",
		    log_foreign(uri->hosts[i].name), *why);
	}
	if (uri->path != NULL) {
		snprintf(list[n].host, sizeof(list[n].host), "%s", uri->path);
		list[n++].name = uri->shown;
	}
	*count = n;
	return n > 0 ? list : NULL;
}

bool
redis_address_set(struct redis_address *address, const char *host, int port)
{
	address->port = port;
	return port > 0 && port <= 65535 &&
	    to_numbers(host, AI_NUMERICHOST, address->host) == 0;
}

bool
redis_address_is(const struct redis_address *address, const char *host,
    int port)
{
	return address->port == port && strcmp(address->host, host) == 0;
}

char *
redis_address_text(const struct redis_address *address)
{
	bool has_colon = strchr(address->host, ':') != NULL;

	return xasprintf("redis://%s%s%s:%d", has_colon ? "[" : "",
	    address->host, has_colon ? "]" : "", address->port);
}
