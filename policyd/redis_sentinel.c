/* SPDX-License-Identifier: ISC */
/* redis_sentinel.c - the server that the sentinels call the master: asks one
 * after the other, then listens to the one that answered. When the master is
 * lost, or is none, the next one is asked. Next: redis_link.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/xmalloc.h"
#include "policyd/redis_probe.h"
#include "policyd/redis_route.h"

struct sentinel {
	struct redis_route route;
	struct redis_link *guide;	/* to a sentinel */
	size_t next;			/* of the seeds */
	struct redis_link *link;	/* to the master */
	struct redis_probe probe;	/* of it */
	struct redis_address master;
	char *name;			/* its; NULL: not known yet */
};

static const struct redis_address *
next_sentinel(void *owner)
{
	struct sentinel *s = owner;

	return &s->route.seeds[s->next++ % s->route.seed_count];
}

static size_t
sentinels(void *owner)
{
	return ((struct sentinel *)owner)->route.seed_count;
}

static void
adopt_master(struct sentinel *s, const char *host, const char *port)
{
	struct redis_address found;

	if (!redis_address_set(&found, host, atoi(port))) {
		redis_link_go_down(s->guide, "it names the master by a name, "
		    "not by an address");
		return;
	}
	if (s->name != NULL &&
	    redis_address_is(&s->master, found.host, found.port))
		return;
	free(s->name);
	s->name = redis_address_text(&found);
	s->master = found;
	s->master.name = s->name;
	redis_link_renew(s->link, "another is the master now");
}

static bool
is_words(const redisReply *reply, size_t count)
{
	size_t i;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements < count)
		return false;
	for (i = 0; i < count; i++)
		if (reply->element[i]->type != REDIS_REPLY_STRING)
			break;
	return i == count;
}

static void
on_master(redisAsyncContext *context, void *got, void *arg)
{
	struct sentinel *s = arg;
	const redisReply *reply = got;

	(void)context;
	if (reply == NULL)
		return;
	if (reply->type == REDIS_REPLY_ERROR)
		redis_link_go_down(s->guide, log_foreign(reply->str));
	else if (!is_words(reply, 2))
		redis_link_go_down(s->guide, "it knows no such master");
	else
		adopt_master(s, reply->element[0]->str,
		    reply->element[1]->str);
}

/* "NAME OLD-ADDRESS OLD-PORT NEW-ADDRESS NEW-PORT" */
static void
on_switch(struct sentinel *s, const char *text)
{
	char *copy = xstrdup(text), *rest = copy, *words[5] = { NULL };

	for (size_t i = 0; i < 5; i++)
		words[i] = strsep(&rest, " ");
	if (words[4] != NULL && strcmp(words[0], s->route.uri->master) == 0)
		adopt_master(s, words[3], words[4]);
	free(copy);
}

/* The subscription first, then what is published there */
static void
on_message(redisAsyncContext *context, void *got, void *arg)
{
	struct sentinel *s = arg;
	const redisReply *reply = got;

	(void)context;
	if (reply == NULL)
		return;
	if (reply->type == REDIS_REPLY_ERROR)
		redis_link_go_down(s->guide, log_foreign(reply->str));
	else if (is_words(reply, 3))
		on_switch(s, reply->element[2]->str);
	else if (!redis_link_is_up(s->guide))
		redis_link_go_up(s->guide);
}

static void
ask_sentinel(void *owner, redisAsyncContext *context)
{
	struct sentinel *s = owner;

	redisAsyncCommand(context, on_master, s,
	    "SENTINEL GET-MASTER-ADDR-BY-NAME %s", s->route.uri->master);
	redisAsyncCommand(context, on_message, s, "SUBSCRIBE +switch-master");
}

static const struct redis_address *
master(void *owner)
{
	struct sentinel *s = owner;

	return s->name != NULL ? &s->master : NULL;
}

static void
greet_master(void *owner, redisAsyncContext *context)
{
	redis_probe(&((struct sentinel *)owner)->probe, context,
	    "postern:{}:probe");
}

/* The one we listen to may be the one that does not know; where it is down,
 * the next one is being asked already */
static void
master_down(void *owner)
{
	struct sentinel *s = owner;

	if (redis_link_is_up(s->guide))
		redis_link_renew(s->guide, NULL);
}

static struct redis_route *
sentinel_new(const struct redis_route *common)
{
	static const struct redis_link_ops guide = { .where = next_sentinel,
		.greet = ask_sentinel, .guides = sentinels };
	static const struct redis_link_ops link = { .where = master,
		.greet = greet_master, .down = master_down };
	struct sentinel *s = xcalloc(1, sizeof(*s));

	s->route = *common;
	s->guide = redis_link_new(&guide, s, common->access);
	s->link = redis_link_new(&link, s, common->access);
	s->probe = (struct redis_probe){ .link = s->link,
		.role = PROBE_MASTER };
	return &s->route;
}

static void
sentinel_free(struct redis_route *route)
{
	struct sentinel *s = (struct sentinel *)route;

	redis_link_free(s->guide);
	redis_link_free(s->link);
	free(s->name);
	free(s);
}

static void
sentinel_start(struct redis_route *route)
{
	redis_link_renew(((struct sentinel *)route)->guide, NULL);
}

static bool
sentinel_is_settled(const struct redis_route *route)
{
	return redis_link_is_up(((const struct sentinel *)route)->link);
}

static bool
sentinel_ask(struct redis_route *route, struct redis_call *call,
    const struct redis_command *command)
{
	return redis_link_ask(((struct sentinel *)route)->link, call, command);
}

static const char *
sentinel_eviction(const struct redis_route *route)
{
	return ((const struct sentinel *)route)->probe.eviction;
}

const struct redis_route_ops redis_sentinel = {
	.new = sentinel_new,
	.free = sentinel_free,
	.start = sentinel_start,
	.is_settled = sentinel_is_settled,
	.ask = sentinel_ask,
	.eviction = sentinel_eviction,
};
