/* SPDX-License-Identifier: ISC */
/* redis_slot.c - the vectors of the Redis cluster specification, and each form
 * of a redirection. */
#include "policyd/redis_slot.h"

#include "t/unit/tap.h"

static const struct {
	const char *name, *key;
	unsigned slot;
} slots[] = {
	{ "the specification's CRC16: 0x31C3", "123456789", 0x31c3 },
	{ "CLUSTER KEYSLOT somekey", "somekey", 11058 },
	{ "CLUSTER KEYSLOT foo{hash_tag}", "foo{hash_tag}", 2515 },
	{ "CLUSTER KEYSLOT bar{hash_tag}", "bar{hash_tag}", 2515 },
	{ "foo", "foo", 12182 },
	{ "a tag is hashed alone", "{foo}.following", 12182 },
	{ "and wherever it stands", "postern:{foo}:resets", 12182 },
	{ "an empty tag is none", "foo{}{bar}", 8363 },
	{ "a tag may hold a brace", "foo{{bar}}zap", 4015 },
	{ "the first tag counts", "foo{bar}{zap}", 5061 },
	{ "a tag without an end is none", "foo{bar", 15278 },
	{ "an empty key", "", 0 },
};

static const struct {
	const char *name, *error, *want;	/* kind slot host port */
} redirects[] = {
	{ "MOVED", "MOVED 3999 127.0.0.1:6381", "0 3999 127.0.0.1 6381" },
	{ "ASK", "ASK 0 127.0.0.1:6381", "1 0 127.0.0.1 6381" },
	{ "MOVED to IPv6", "MOVED 16383 ::1:6381", "0 16383 ::1 6381" },
	{ "MOVED to a name", "MOVED 1 redis.example:1",
	    "0 1 redis.example 1" },
	{ "MOVED to another port of the same host", "MOVED 1 :7",
	    "0 1  7" },
	{ "TRYAGAIN", "TRYAGAIN Multiple keys request during rehashing of "
	    "slot", "2 0  0" },
	{ "a slot of nobody", "CLUSTERDOWN Hash slot not served", "2 0  0" },
	{ "a cluster that is down", "CLUSTERDOWN The cluster is down", NULL },
	{ "another error", "OOM command not allowed", NULL },
	{ "a slot that is none", "MOVED 16384 h:1", NULL },
	{ "a slot that is negative", "MOVED -1 h:1", NULL },
	{ "no slot", "MOVED h:1", NULL },
	{ "no port", "MOVED 1 h", NULL },
	{ "a port that is none", "MOVED 1 h:65536", NULL },
	{ "port 0", "ASK 1 h:0", NULL },
	{ "a port and more", "ASK 1 h:1x", NULL },
	{ "no target", "MOVED 1", NULL },
	{ "nothing", "MOVED ", NULL },
	{ "a host that is too long", "MOVED 1 "
	    "hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh"
	    "hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh"
	    ":1", NULL },
};

int
main(void)
{
	struct redis_redirect to;
	char text[256];

	for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++)
		tap_int(redis_slot(slots[i].key), slots[i].slot, slots[i].name);
	for (size_t i = 0; i < sizeof(redirects) / sizeof(redirects[0]); i++) {
		bool is_one = redis_redirect_parse(redirects[i].error, &to);

		snprintf(text, sizeof(text), "%d %u %s %d", to.kind, to.slot,
		    to.host, to.port);
		tap_is(is_one ? text : NULL, redirects[i].want,
		    redirects[i].name);
	}
	return tap_done();
}
