/* SPDX-License-Identifier: ISC */
/* redis_answer.c - fuzz target: the octets are made a reply of any shape, which
 * is read as that to CLUSTER SLOTS and as that to a question. Links are faked:
 * nothing is connected to. */
#include "policyd/redis_nodes.h"

#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "policyd/redis_question.h"

#define DEPTH_MAX 4
#define ELEMENTS_MAX 8
#define LIMITS 3
#define REPLIES_MAX 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct octets {
	struct arena *arena;
	const uint8_t *at, *end;
};

static void
must(bool holds)
{
	if (!holds)
		abort();
}

struct redis_link *
redis_link_new(const struct redis_link_ops *ops, void *owner,
    const struct redis_access *access)
{
	(void)ops;
	(void)owner;
	(void)access;
	return NULL;
}

void
redis_link_free(struct redis_link *link)
{
	(void)link;
}

void
redis_link_renew(struct redis_link *link, const char *why)
{
	(void)link;
	(void)why;
}

void
redis_link_stop(struct redis_link *link)
{
	(void)link;
}

bool
redis_link_is_up(const struct redis_link *link)
{
	return link != NULL;
}

bool
redis_link_is_coming(const struct redis_link *link)
{
	return link != NULL;
}

static unsigned
take(struct octets *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

static char *
take_text(struct octets *in)
{
	size_t len = take(in) % 24, left = (size_t)(in->end - in->at);
	const char *text = (const char *)in->at;

	len = len < left ? len : left;
	in->at += len;
	return arena_strndup(in->arena, text, len);
}

static long long
take_number(struct octets *in)
{
	static const long long odd[] = { -1, 0, 1, REDIS_SLOTS - 1, REDIS_SLOTS,
		65535, 65536, 1ll << 32, (1ll << 32) + 7, INT64_MIN,
		INT64_MAX };
	unsigned one = take(in);

	return one < sizeof(odd) / sizeof(odd[0]) ? odd[one]
	    : (long long)(one << 8 | take(in));
}

static redisReply *
take_reply(struct octets *in, unsigned depth)
{
	static const int types[] = { REDIS_REPLY_INTEGER, REDIS_REPLY_STRING,
		REDIS_REPLY_NIL, REDIS_REPLY_STATUS, REDIS_REPLY_ARRAY,
		REDIS_REPLY_ARRAY, REDIS_REPLY_ARRAY };
	redisReply *reply = arena_alloc(in->arena, sizeof(*reply));

	reply->type = types[take(in) % (depth < DEPTH_MAX ? 7 : 4)];
	if (reply->type == REDIS_REPLY_INTEGER)
		reply->integer = take_number(in);
	else if (reply->type == REDIS_REPLY_STRING ||
	    reply->type == REDIS_REPLY_STATUS)
		reply->str = take_text(in);
	else if (reply->type == REDIS_REPLY_ARRAY)
		reply->elements = take(in) % ELEMENTS_MAX;
	if (reply->elements > 0)
		reply->element = arena_alloc(in->arena, reply->elements *
		    sizeof(*reply->element));
	for (size_t i = 0; i < reply->elements; i++)
		reply->element[i] = take_reply(in, depth + 1);
	return reply;
}

static void
check_owners(const struct redis_nodes *nodes)
{
	unsigned owned = 0, slots = 0;

	for (unsigned slot = 0; slot < REDIS_SLOTS; slot++)
		owned += nodes->owners[slot] != NULL;
	for (const struct redis_node *node = nodes->first; node != NULL;
	    node = node->next) {
		slots += node->slots;
		must(node->address.port > 0 && node->address.port <= 65535);
		must(*node->address.host != '\0');
	}
	must(slots == owned);
}

/* One after the other: each changes what the one before has left */
static void
check_nodes(struct redis_nodes *nodes, const redisReply *reply)
{
	static struct redis_node *before[REDIS_SLOTS];
	const char *why = NULL;

	memcpy(before, nodes->owners, sizeof(before));
	if (redis_nodes_read(nodes, reply, "127.0.0.9", &why) == -1) {
		must(why != NULL);
		must(memcmp(before, nodes->owners, sizeof(before)) == 0);
	}
	check_owners(nodes);
}

static void
check_question(const redisReply *reply)
{
	struct counter_limit limits[LIMITS] = { { .count = 1 } };
	struct counter_grey grey = { .delay_ms = 1 };
	struct counter_question q = { .limits = limits, .limit_count = LIMITS,
		.grey = &grey };

	if (!redis_question_read(&q, reply))
		return;
	for (size_t i = 0; i < LIMITS; i++)
		must(limits[i].wait_ms >= 0);
	must(grey.answer <= GREY_EARLY && grey.wait_ms >= 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct octets in = { arena_new(0), data, data + size };
	struct redis_nodes *nodes = calloc(1, sizeof(*nodes));
	const redisReply *reply;
	unsigned replies = 0;

	must(nodes != NULL);
	do {
		reply = take_reply(&in, 0);
		check_nodes(nodes, reply);
		check_question(reply);
	} while (in.at < in.end && ++replies < REPLIES_MAX);
	redis_nodes_free(nodes);
	free(nodes);
	arena_free(in.arena);
	return 0;
}
