/* SPDX-License-Identifier: ISC */
/* redis_link.h - one connection to Redis that comes back by itself, and the
 * breaker: while it is down nobody waits. It is down from the first call that
 * is not answered in time, or that says that the server cannot serve, until a
 * new connection has been greeted. */
#ifndef POLICYD_REDIS_LINK_H
#define POLICYD_REDIS_LINK_H

#include <event2/event_struct.h>
#include <hiredis/async.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policyd/redis_address.h"
#include "policyd/redis_tls.h"

struct redis_link;

/* How to be let in, the same for all servers of a URI; outlives the links */
struct redis_access {
	const char *user, *password;	/* "": none */
	int db;
	int64_t timeout_ms;		/* of a call */
	struct redis_tls *tls;		/* NULL: none */
};

/* Words, and how many bytes each has */
struct redis_command {
	int argc;
	const char **argv;
	size_t *lengths;
	struct arena *arena;		/* they are its */
};

/* A call under way, part of what the asker keeps of it */
struct redis_call {
	/* the asker's: */
	const char *tenant;
	/* Makes the command anew and asks it; false: it cannot be asked */
	bool (*send)(struct redis_call *call);
	/* reply NULL: there is none, or only that the server cannot serve.
	 * Either sends the same call again, or ends it. Never called inside
	 * redis_link_ask(). */
	void (*done)(struct redis_call *call, const redisReply *reply);
	/* redis_link.c's: */
	struct redis_link *link;	/* that it is under way on, or NULL */
	struct event expired;
	int64_t late_ms;		/* see redis_call_is_late(); 0: new */
	/* redis_cluster.c's: */
	struct redis_link *once;	/* ask this one, after ASKING */
	unsigned redirects;		/* so far */
	struct redis_call *next;	/* of those that wait */
};

/* What the owner of a link decides */
struct redis_link_ops {
	/* Before each attempt: where to; NULL for nowhere yet, and nothing is
	 * tried until redis_link_renew() */
	const struct redis_address *(*where)(void *owner);
	/* Logged in: asks what it wants to know on the context, then says
	 * redis_link_go_up() or _go_down(), within a second */
	void (*greet)(void *owner, redisAsyncContext *context);
	/* It was lost, or did not come. NULL: so what */
	void (*down)(void *owner);
	/* A reply that means another server: true where that was seen to.
	 * NULL: none does */
	bool (*redirects)(void *owner, struct redis_call *call,
	    const redisReply *reply);
	/* NULL, or the link is to one of so many guides, who only know where
	 * the servers are: no metric counts it, an AUTH that it does not want is
	 * passed over, and that it is down is told when all were tried */
	size_t (*guides)(void *owner);
};

/* Connects nowhere yet */
struct redis_link *redis_link_new(const struct redis_link_ops *ops,
    void *owner, const struct redis_access *access);
/* Every call under way is answered with NULL first. NULL is fine. Not inside a
 * callback of this link. */
void redis_link_free(struct redis_link *link);

/* Connects at once, to where the owner says now; drops what there is for the
 * reason why, or silently for NULL */
void redis_link_renew(struct redis_link *link, const char *why);
/* Drops it silently; redis_link_renew() begins again */
void redis_link_stop(struct redis_link *link);
void redis_link_go_up(struct redis_link *link);
void redis_link_go_down(struct redis_link *link, const char *why);

bool redis_link_is_up(const struct redis_link *link);
/* Connecting for the first time: it may be up in a moment */
bool redis_link_is_coming(const struct redis_link *link);
/* False: cannot be asked, and done will not be called */
bool redis_link_ask(struct redis_link *link, struct redis_call *call,
    const struct redis_command *command);

/* The time-out runs from here, or from the first time that it is asked */
void redis_call_begin(struct redis_call *call, const struct redis_link *link);
/* In the second half of its time-out a call is not asked again: whom it came to
 * then would have too little time, and would be blamed */
bool redis_call_is_late(const struct redis_call *call);
void redis_call_end(struct redis_call *call);

#endif
