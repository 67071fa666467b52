/* SPDX-License-Identifier: ISC */
/* redis_slot.h - what the Redis cluster specification says of keys, slots and
 * of a node that sends us elsewhere. */
#ifndef POLICYD_REDIS_SLOT_H
#define POLICYD_REDIS_SLOT_H

#include <stdbool.h>

#define REDIS_SLOTS 16384
#define REDIS_HOST_MAX 108	/* with its NUL; also the path of a socket */

/* CRC16 of the key's hash tag, the text in its first "{}"; where there is none
 * or an empty one, of the whole key */
unsigned redis_slot(const char *key);

enum redirect_kind {
	REDIRECT_MOVED,	/* the slot is there, from now on */
	REDIRECT_ASK,	/* the slot moves: this once there, after ASKING */
	REDIRECT_AGAIN	/* it moves, or is nobody's: soon, where it belongs */
};

struct redis_redirect {
	enum redirect_kind kind;
	unsigned slot;
	char host[REDIS_HOST_MAX];	/* "": the one that says so */
	int port;
};

/* error: the text of an error reply. False: it is something else. */
bool redis_redirect_parse(const char *error, struct redis_redirect *out);

#endif
