/* SPDX-License-Identifier: ISC */
/* redis_probe.c - can this server do what we need? A replica, a full server and
 * one that is loading let us in; and not every user who may write may do so by
 * a script. So it has to run one that writes. NULL in place of a reply means
 * that the link is going down already. Next: redis_link.c. */
#include "policyd/redis_probe.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"

/* master, slave (a replica) or sentinel, first in its answer */
static void
on_role(redisAsyncContext *context, void *got, void *arg)
{
	struct redis_probe *probe = arg;
	const redisReply *reply = got;

	(void)context;
	if (reply == NULL)
		return;
	if (reply->type == REDIS_REPLY_ERROR)
		redis_link_go_down(probe->link, log_foreign(reply->str));
	else if (reply->elements == 0 || reply->element[0]->str == NULL ||
	    strcmp(reply->element[0]->str, "master") != 0)
		redis_link_go_down(probe->link, "it is not a master");
}

/* Not all users may ask for that */
static void
on_info(redisAsyncContext *context, void *got, void *arg)
{
	static const char name[] = "maxmemory_policy:";
	struct redis_probe *probe = arg;
	const redisReply *reply = got;
	const char *value;

	(void)context;
	*probe->eviction = '\0';
	if (reply == NULL || reply->str == NULL ||
	    (value = strstr(reply->str, name)) == NULL)
		return;
	value += strlen(name);
	snprintf(probe->eviction, sizeof(probe->eviction), "%.*s",
	    (int)strcspn(value, "\r\n"), value);
	if (strcmp(probe->eviction, "noeviction") == 0)
		*probe->eviction = '\0';
}

static void
on_written(redisAsyncContext *context, void *got, void *arg)
{
	struct redis_probe *probe = arg;
	const redisReply *reply = got;
	struct redis_redirect to;

	(void)context;
	if (reply == NULL)
		return;
	if (reply->type != REDIS_REPLY_ERROR || (probe->role == PROBE_NODE &&
	    redis_redirect_parse(reply->str, &to)))
		redis_link_go_up(probe->link);
	else
		redis_link_go_down(probe->link, log_foreign(reply->str));
}

void
redis_probe(struct redis_probe *probe, redisAsyncContext *context,
    const char *key)
{
	if (probe->role == PROBE_MASTER)
		redisAsyncCommand(context, on_role, probe, "ROLE");
	redisAsyncCommand(context, on_info, probe, "INFO memory");
	if (key != NULL)
		redisAsyncCommand(context, on_written, probe, "EVAL %s 1 %s",
		    "return redis.call('SET', KEYS[1], 1, 'PX', 1000)", key);
	else
		redisAsyncCommand(context, on_written, probe, "TIME");
}
