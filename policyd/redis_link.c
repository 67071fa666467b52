/* SPDX-License-Identifier: ISC */
/* redis_link.c - is there a Redis that can be asked? Connects, logs in, tries
 * to write; gives up at the first sign that the server cannot serve, tells all
 * who wait, and tries again after a while. Knows nothing of what is asked.
 * Next: counters_redis.c. */
#include "policyd/redis_link.h"

#include <event2/event.h>
#include <hiredis/adapters/libevent.h>
#include <hiredis/async.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/metrics.h"
#include "common/xmalloc.h"

#define GREETING_MS 1000	/* to connect and log in: nobody waits for it */
#define RETRY_MIN_MS 100
#define RETRY_MAX_MS 3200

enum link_state { LINK_DOWN, LINK_GREETING, LINK_UP };

struct redis_link {
	const struct redis_uri *uri;
	enum link_state state;
	redisAsyncContext *context;	/* NULL: there is none */
	struct event *timer;		/* DOWN: try again; GREETING: give up */
	const struct timeval *timeout;	/* of a call */
	char address[NI_MAXHOST];	/* of the host, as numbers */
	int64_t retry_ms;
	bool has_told;			/* that it is down */
	bool is_closing;
	char eviction[32];
};

static struct metric ups = {
	.name = "postern_policyd_redis_up", .labels = "", .is_gauge = true,
	.help = "1 while Redis can be asked.",
};
static struct metric losses = {
	.name = "postern_policyd_redis_lost_total", .labels = "",
	.help = "How often Redis could not be asked any more.",
};

/* Errors that speak of the server, not of one question */
static const char *const unable[] = {
	"READONLY", "OOM", "LOADING", "NOAUTH", "WRONGPASS", "NOPERM",
	"MISCONF", "MASTERDOWN", "CLUSTERDOWN", "NOREPLICAS", "BUSY",
	"MOVED", "UNKILLABLE",
};

static struct timeval
timeval_of(int64_t ms)
{
	return (struct timeval){ .tv_sec = ms / 1000,
		.tv_usec = ms % 1000 * 1000 };
}

static void
wait_for(struct redis_link *link, int64_t ms)
{
	struct timeval wait = timeval_of(ms);

	event_add(link->timer, &wait);
}

/* The state first: whoever is told may ask again at once */
static void
go_down(struct redis_link *link, const char *why)
{
	redisAsyncContext *context = link->context;

	if (link->state == LINK_UP)
		metric_add(&losses, 1);
	if ((link->state == LINK_UP || !link->has_told) && !link->is_closing)
		log_warn(NULL, "counters: %s cannot be asked: %s",
		    link->uri->shown, why);
	link->has_told = true;
	link->state = LINK_DOWN;
	link->context = NULL;
	ups.value = 0;
	if (!link->is_closing)
		wait_for(link, link->retry_ms);
	link->retry_ms *= 2;
	if (link->retry_ms > RETRY_MAX_MS)
		link->retry_ms = RETRY_MAX_MS;
	if (context != NULL)
		redisAsyncFree(context);	/* answers all with NULL */
}

static void
go_up(struct redis_link *link)
{
	link->state = LINK_UP;
	link->has_told = false;
	event_del(link->timer);
	ups.value = 1;
	log_info(NULL, "counters: %s can be asked", link->uri->shown);
}

static void
on_connect(const redisAsyncContext *context, int status)
{
	struct redis_link *link = context->data;

	if (status == REDIS_OK || context != link->context)
		return;
	link->context = NULL;			/* hiredis frees it */
	go_down(link, context->errstr);
}

static void
on_disconnect(const redisAsyncContext *context, int status)
{
	struct redis_link *link = context->data;

	(void)status;
	if (context != link->context)
		return;
	link->context = NULL;
	go_down(link, context->errstr);
}

static bool
is_error(const redisReply *reply, const char *code)
{
	return reply->type == REDIS_REPLY_ERROR &&
	    strncmp(reply->str, code, strlen(code)) == 0;
}

/* AUTH, SELECT: either works or there is nothing to be done with this server */
static void
on_greeted(redisAsyncContext *context, void *got, void *arg)
{
	struct redis_link *link = arg;
	const redisReply *reply = got;

	if (context == link->context && reply != NULL &&
	    reply->type == REDIS_REPLY_ERROR)
		go_down(link, log_foreign(reply->str));
}

/* Not all users may ask for that */
static void
on_info(redisAsyncContext *context, void *got, void *arg)
{
	static const char name[] = "maxmemory_policy:";
	struct redis_link *link = arg;
	const redisReply *reply = got;
	const char *value;

	*link->eviction = '\0';
	if (context != link->context || reply == NULL || reply->str == NULL ||
	    (value = strstr(reply->str, name)) == NULL)
		return;
	value += strlen(name);
	snprintf(link->eviction, sizeof(link->eviction), "%.*s",
	    (int)strcspn(value, "\r\n"), value);
	if (strcmp(link->eviction, "noeviction") == 0)
		*link->eviction = '\0';
}

static void
on_written(redisAsyncContext *context, void *got, void *arg)
{
	struct redis_link *link = arg;

	on_greeted(context, got, arg);
	if (context == link->context && got != NULL)
		go_up(link);
}

static void
greet(struct redis_link *link)
{
	const struct redis_uri *uri = link->uri;
	redisAsyncContext *to = link->context;

	if (*uri->user != '\0')
		redisAsyncCommand(to, on_greeted, link, "AUTH %s %s",
		    uri->user, uri->password);
	else if (*uri->password != '\0')
		redisAsyncCommand(to, on_greeted, link, "AUTH %s",
		    uri->password);
	if (uri->db != 0)
		redisAsyncCommand(to, on_greeted, link, "SELECT %d", uri->db);
	redisAsyncCommand(to, on_info, link, "INFO memory");
	/* a replica, a full server and one that is loading let us in; and not
	 * every user who may write may do so by a script, as a question does */
	redisAsyncCommand(to, on_written, link, "EVAL %s 1 %s",
	    "return redis.call('SET', KEYS[1], 1, 'PX', 1000)",
	    "postern:{}:probe");
}

static void
go_greet(struct redis_link *link)
{
	const struct redis_uri *uri = link->uri;
	redisAsyncContext *context = uri->path != NULL
	    ? redisAsyncConnectUnix(uri->path)
	    : redisAsyncConnect(link->address, uri->port);

	if (context == NULL)
		fatal("out of memory");
	if (context->err != 0) {
		go_down(link, context->errstr);
		redisAsyncFree(context);
		return;
	}
	link->state = LINK_GREETING;
	link->context = context;
	context->data = link;
	redisLibeventAttach(context, loop_base());
	redisAsyncSetConnectCallback(context, on_connect);
	redisAsyncSetDisconnectCallback(context, on_disconnect);
	wait_for(link, GREETING_MS);
	greet(link);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct redis_link *link = arg;

	(void)fd;
	(void)what;
	if (link->state == LINK_DOWN)
		go_greet(link);
	else if (link->state == LINK_GREETING)
		go_down(link, "no answer to the greeting");
}

/* Once: later nothing may wait for a resolver */
static int
resolve(const char *host, char address[static NI_MAXHOST], const char **why)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;
	int error = getaddrinfo(host, NULL, &hints, &found);

	if (error == 0) {
		error = getnameinfo(found->ai_addr, found->ai_addrlen, address,
		    NI_MAXHOST, NULL, 0, NI_NUMERICHOST);
		freeaddrinfo(found);
	}
	*why = error != 0 ? gai_strerror(error) : NULL;
	return error != 0 ? -1 : 0;
}

struct redis_link *
redis_link_new(const struct redis_uri *uri, int64_t timeout_ms,
    const char **why)
{
	struct redis_link *link = xcalloc(1, sizeof(*link));
	struct timeval timeout = timeval_of(timeout_ms);
	static bool is_registered;

	if (uri->path == NULL && resolve(uri->host, link->address, why) == -1) {
		free(link);
		return NULL;
	}
	if (!is_registered) {
		metric_register(&ups);
		metric_register(&losses);
		is_registered = true;
	}
	link->uri = uri;
	link->timeout = event_base_init_common_timeout(loop_base(), &timeout);
	link->retry_ms = RETRY_MIN_MS;
	link->timer = evtimer_new(loop_base(), on_timer, link);
	return link;
}

void
redis_link_free(struct redis_link *link)
{
	if (link == NULL)
		return;
	link->is_closing = true;
	go_down(link, "closed");
	event_free(link->timer);
	free(link);
}

void
redis_link_start(struct redis_link *link)
{
	go_greet(link);
	while (link->state == LINK_GREETING)
		event_base_loop(loop_base(), EVLOOP_ONCE);
}

bool
redis_link_is_up(const struct redis_link *link)
{
	return link->state == LINK_UP;
}

const char *
redis_link_eviction(const struct redis_link *link)
{
	return link->eviction;
}

static void
on_reply(redisAsyncContext *context, void *got, void *arg)
{
	struct redis_call *call = arg;
	struct redis_link *link = call->link;
	const redisReply *reply = got;
	size_t i;

	if (context == link->context && reply != NULL) {
		for (i = 0; i < sizeof(unable) / sizeof(unable[0]); i++)
			if (is_error(reply, unable[i]))
				break;
		if (i < sizeof(unable) / sizeof(unable[0]))
			go_down(link, log_foreign(reply->str));
		else
			link->retry_ms = RETRY_MIN_MS;
	}
	call->fn(call, reply);
}

static void
on_expired(evutil_socket_t fd, short what, void *arg)
{
	struct redis_call *call = arg;

	(void)fd;
	(void)what;
	go_down(call->link, "no answer within counters.timeout");
}

bool
redis_link_ask(struct redis_link *link, struct redis_call *call, int argc,
    const char **argv, const size_t *lengths)
{
	if (link->state != LINK_UP || redisAsyncCommandArgv(link->context,
	    on_reply, call, argc, argv, lengths) != REDIS_OK)
		return false;
	if (call->link != NULL)
		return true;
	call->link = link;
	evtimer_assign(&call->expired, loop_base(), on_expired, call);
	event_add(&call->expired, link->timeout);
	return true;
}

void
redis_call_end(struct redis_call *call)
{
	if (call->link != NULL)
		event_del(&call->expired);
}
