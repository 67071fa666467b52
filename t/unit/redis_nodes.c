/* SPDX-License-Identifier: ISC */
/* redis_nodes.c - what nodes answer to CLUSTER SLOTS, as Redis writes it, and
 * whose slots are whose after it. Nobody listens where these nodes are. */
#include "policyd/redis_nodes.h"

#include <stdlib.h>

#include "common/loop.h"
#include "t/unit/tap.h"

#define ASKED "127.0.0.9"

static const struct redis_address *
where(void *owner)
{
	return &((struct redis_node *)owner)->address;
}

static void
greet(void *owner, redisAsyncContext *context)
{
	(void)owner;
	(void)context;
}

static const struct redis_link_ops ops = { .where = where, .greet = greet };
static const struct redis_access way = { .user = "", .password = "",
	.timeout_ms = 200 };

/* [0, 8191, node] [8192, 16383, node] */
#define BOTH(a, b) "*2\r\n*3\r\n:0\r\n:8191\r\n" a \
	"*3\r\n:8192\r\n:16383\r\n" b
#define ONE "*3\r\n$9\r\n127.0.0.1\r\n:7\r\n$1\r\nx\r\n"
#define TWO "*3\r\n$9\r\n127.0.0.2\r\n:7\r\n$1\r\ny\r\n"

/* In order: each changes what the one before has left */
static const struct {
	const char *name, *resp;
	const char *first, *last;	/* owner of slots 0 and 16383 */
	unsigned nodes;
} rows[] = {
	{ "two masters", BOTH(ONE, TWO), "127.0.0.1:7", "127.0.0.2:7", 2 },
	{ "no array: all is as it was", "+OK\r\n",
	    "127.0.0.1:7", "127.0.0.2:7", 2 },
	{ "a node that knows of nobody", "*0\r\n",
	    "127.0.0.1:7", "127.0.0.2:7", 2 },
	{ "a range of one element", "*1\r\n*1\r\n:0\r\n",
	    "127.0.0.1:7", "127.0.0.2:7", 2 },
	{ "a slot that is none", "*1\r\n*3\r\n:0\r\n:16384\r\n" ONE,
	    "127.0.0.1:7", "127.0.0.2:7", 2 },
	{ "a negative one", "*1\r\n*3\r\n:-1\r\n:5\r\n" ONE,
	    "127.0.0.1:7", "127.0.0.2:7", 2 },
	{ "no port", "*1\r\n*3\r\n:0\r\n:5\r\n*1\r\n$9\r\n127.0.0.1\r\n",
	    "127.0.0.1:7", "127.0.0.2:7", 2 },
	{ "port 0", "*1\r\n*3\r\n:0\r\n:5\r\n*2\r\n$9\r\n127.0.0.1\r\n:0\r\n",
	    "127.0.0.1:7", "127.0.0.2:7", 2 },
	{ "a name and no address", BOTH(ONE,
	    "*2\r\n$13\r\nredis.example\r\n:7\r\n"),
	    "127.0.0.1:7", "127.0.0.2:7", 2 },
	{ "a name with its address, as Redis 7 has it", BOTH(ONE,
	    "*4\r\n$13\r\nredis.example\r\n:7\r\n$1\r\ny\r\n"
	    "*2\r\n$2\r\nip\r\n$9\r\n127.0.0.3\r\n"),
	    "127.0.0.1:7", "127.0.0.3:7", 2 },
	{ "no address: the one that was asked", BOTH(
	    "*2\r\n$-1\r\n:7\r\n", "*2\r\n$0\r\n\r\n:8\r\n"),
	    ASKED ":7", ASKED ":8", 2 },
	{ "IPv6", BOTH(ONE, "*2\r\n$3\r\n::1\r\n:7\r\n"),
	    "127.0.0.1:7", "::1:7", 2 },
	{ "slots of nobody", "*1\r\n*3\r\n:0\r\n:5\r\n" ONE,
	    "127.0.0.1:7", NULL, 1 },
	{ "one for all", "*1\r\n*3\r\n:0\r\n:16383\r\n" TWO,
	    "127.0.0.2:7", "127.0.0.2:7", 1 },
};

static const char *
owner_of(const struct redis_nodes *nodes, unsigned slot)
{
	static char text[REDIS_HOST_MAX + 8];
	const struct redis_node *node = nodes->owners[slot];

	if (node == NULL)
		return NULL;
	snprintf(text, sizeof(text), "%s:%d", node->address.host,
	    node->address.port);
	return text;
}

static void
read_text(struct redis_nodes *nodes, const char *resp)
{
	redisReader *reader = redisReaderCreate();
	const char *why = "";
	void *reply = NULL;

	redisReaderFeed(reader, resp, strlen(resp));
	redisReaderGetReply(reader, &reply);
	tap_ok(reply != NULL, "the row is what Redis could say");
	tap_ok(redis_nodes_read(nodes, reply, ASKED, &why) == 0 ||
	    *why != '\0', "it is read, or there is a reason");
	freeReplyObject(reply);
	redisReaderFree(reader);
}

int
main(void)
{
	struct redis_nodes *nodes = calloc(1, sizeof(*nodes));
	char key[32];

	tap_log();
	nodes->ops = &ops;
	nodes->access = &way;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned count = 0, slots = 0;

		read_text(nodes, rows[i].resp);
		tap_is(owner_of(nodes, 0), rows[i].first, rows[i].name);
		tap_is(owner_of(nodes, 16383), rows[i].last, rows[i].name);
		for (struct redis_node *node = nodes->first; node != NULL;
		    node = node->next) {
			count++;
			slots += node->slots;
			tap_ok(redis_node_key(node, key) &&
			    nodes->owners[redis_slot(key)] == node,
			    "there is a key for each node");
		}
		tap_int(count, rows[i].nodes, "others are forgotten");
		tap_ok(rows[i].last == NULL ? slots == 6 : slots == 16384,
		    "slots are counted");
	}
	redis_nodes_free(nodes);
	free(nodes);
	loop_free();
	return tap_done();
}
