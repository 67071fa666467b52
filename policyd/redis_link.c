/* SPDX-License-Identifier: ISC */
/* redis_link.c - is there a Redis that can be asked? Connects, logs in, has it
 * greeted; gives up at the first sign that the server cannot serve, tells all
 * who wait, and tries again after a while. Knows neither what is asked nor
 * which server it should be: that is its owner's, redis_route.c and below. */
#include "policyd/redis_link.h"

#include <event2/event.h>
#include <hiredis/adapters/libevent.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/metrics.h"
#include "common/xmalloc.h"

#define GREETING_MS 1000	/* to connect and log in: nobody waits for it */
#define RETRY_MIN_MS 100
#define RETRY_MAX_MS 3200

enum link_state { LINK_DOWN, LINK_GREETING, LINK_UP };

struct redis_link {
	const struct redis_link_ops *ops;
	void *owner;
	const struct redis_access *access;
	char *name;			/* of where it was last */
	enum link_state state;
	redisAsyncContext *context;	/* NULL: there is none */
	struct event *timer;		/* DOWN: try again; GREETING: give up */
	const struct timeval *timeout;	/* of a call */
	int64_t retry_ms;
	size_t failures;		/* since it was up */
	bool has_told;			/* that it is down */
	bool was_up;
};

static struct metric ups = {
	.name = "postern_policyd_redis_up", .labels = "", .is_gauge = true,
	.help = "Redis servers that can be asked.",
};
static struct metric servers = {
	.name = "postern_policyd_redis_servers", .labels = "",
	.is_gauge = true,
	.help = "Redis servers there are to ask.",
};
static struct metric losses = {
	.name = "postern_policyd_redis_lost_total", .labels = "",
	.help = "How often a Redis server could not be asked any more.",
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

static bool
is_server(const struct redis_link *link)
{
	return link->ops->guides == NULL;
}

static void
tell_down(struct redis_link *link, const char *why)
{
	link->failures++;
	if (link->state == LINK_UP && is_server(link))
		metric_add(&losses, 1);
	if (link->has_told || (!is_server(link) &&
	    link->failures < link->ops->guides(link->owner)))
		return;
	link->has_told = true;
	log_warn(NULL, "counters: %s cannot be asked: %s", link->name, why);
}

/* The state first: whoever is told may ask again at once */
static void
drop(struct redis_link *link)
{
	redisAsyncContext *context = link->context;

	if (link->state == LINK_UP && is_server(link))
		ups.value--;
	link->state = LINK_DOWN;
	link->context = NULL;
	event_del(link->timer);
	if (context != NULL)
		redisAsyncFree(context);	/* answers all with NULL */
}

void
redis_link_go_down(struct redis_link *link, const char *why)
{
	tell_down(link, why);
	drop(link);
	wait_for(link, link->retry_ms);
	link->retry_ms *= 2;
	if (link->retry_ms > RETRY_MAX_MS)
		link->retry_ms = RETRY_MAX_MS;
	if (link->ops->down != NULL)
		link->ops->down(link->owner);
}

void
redis_link_go_up(struct redis_link *link)
{
	link->state = LINK_UP;
	event_del(link->timer);
	if (is_server(link))
		ups.value++;
	if (link->has_told || !link->was_up)
		log_info(NULL, "counters: %s can be asked", link->name);
	link->was_up = true;
	link->has_told = false;
	link->failures = 0;
}

static void
go_down_broken(struct redis_link *link, const redisAsyncContext *context)
{
	const char *fault = redis_tls_fault(link->access->tls);

	link->context = NULL;			/* hiredis frees it */
	redis_link_go_down(link, fault != NULL ? fault : context->errstr);
}

static void
on_connect(const redisAsyncContext *context, int status)
{
	struct redis_link *link = context->data;

	if (status != REDIS_OK && context == link->context)
		go_down_broken(link, context);
}

static void
on_disconnect(const redisAsyncContext *context, int status)
{
	struct redis_link *link = context->data;

	(void)status;
	if (context == link->context)
		go_down_broken(link, context);
}

/* AUTH, SELECT: either works or there is nothing to be done with this server.
 * A guide that wanted another AUTH refuses what comes next. */
static void
on_greeted(redisAsyncContext *context, void *got, void *arg)
{
	struct redis_link *link = arg;
	const redisReply *reply = got;

	if (context == link->context && reply != NULL && is_server(link) &&
	    reply->type == REDIS_REPLY_ERROR)
		redis_link_go_down(link, log_foreign(reply->str));
}

static void
login(struct redis_link *link)
{
	const struct redis_access *access = link->access;
	redisAsyncContext *to = link->context;

	if (*access->user != '\0')
		redisAsyncCommand(to, on_greeted, link, "AUTH %s %s",
		    access->user, access->password);
	else if (*access->password != '\0')
		redisAsyncCommand(to, on_greeted, link, "AUTH %s",
		    access->password);
	if (access->db != 0 && is_server(link))
		redisAsyncCommand(to, on_greeted, link, "SELECT %d",
		    access->db);
}

static void
go_greet(struct redis_link *link)
{
	const struct redis_address *to = link->ops->where(link->owner);
	redisAsyncContext *context;

	if (to == NULL)
		return;
	free(link->name);
	link->name = xstrdup(to->name);
	context = to->port == 0 ? redisAsyncConnectUnix(to->host)
	    : redisAsyncConnect(to->host, to->port);
	if (context == NULL)
		fatal("out of memory");
	if (context->err != 0 || (link->access->tls != NULL &&
	    redis_tls_begin(link->access->tls, context) == -1)) {
		redis_link_go_down(link, context->errstr);
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
	login(link);
	link->ops->greet(link->owner, context);
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
		redis_link_go_down(link, "no answer to the greeting");
}

struct redis_link *
redis_link_new(const struct redis_link_ops *ops, void *owner,
    const struct redis_access *access)
{
	struct redis_link *link = xcalloc(1, sizeof(*link));
	struct timeval timeout = timeval_of(access->timeout_ms);
	static bool is_registered;

	if (!is_registered) {
		metric_register(&ups);
		metric_register(&servers);
		metric_register(&losses);
		is_registered = true;
	}
	link->ops = ops;
	link->owner = owner;
	link->access = access;
	link->timeout = event_base_init_common_timeout(loop_base(), &timeout);
	link->retry_ms = RETRY_MIN_MS;
	link->timer = evtimer_new(loop_base(), on_timer, link);
	if (is_server(link))
		servers.value++;
	return link;
}

void
redis_link_free(struct redis_link *link)
{
	if (link == NULL)
		return;
	drop(link);
	if (is_server(link))
		servers.value--;
	event_free(link->timer);
	free(link->name);
	free(link);
}

void
redis_link_renew(struct redis_link *link, const char *why)
{
	if (link->state != LINK_DOWN && why != NULL)
		tell_down(link, why);
	drop(link);
	link->retry_ms = RETRY_MIN_MS;
	go_greet(link);
}

void
redis_link_stop(struct redis_link *link)
{
	drop(link);
}

bool
redis_link_is_up(const struct redis_link *link)
{
	return link->state == LINK_UP;
}

bool
redis_link_is_coming(const struct redis_link *link)
{
	return link->state == LINK_GREETING && !link->was_up &&
	    link->failures == 0;
}

static bool
is_error(const redisReply *reply, const char *code)
{
	return reply->type == REDIS_REPLY_ERROR &&
	    strncmp(reply->str, code, strlen(code)) == 0;
}

/* False: it says that the server cannot serve, which is told here */
static bool
is_from_able(struct redis_link *link, const redisReply *reply)
{
	for (size_t i = 0; i < sizeof(unable) / sizeof(unable[0]); i++)
		if (is_error(reply, unable[i])) {
			redis_link_go_down(link, log_foreign(reply->str));
			return false;
		}
	link->retry_ms = RETRY_MIN_MS;
	return true;
}

static void
on_reply(redisAsyncContext *context, void *got, void *arg)
{
	struct redis_call *call = arg;
	struct redis_link *link = call->link;
	const redisReply *reply = got;

	call->link = NULL;
	if (context == link->context && reply != NULL) {
		if (link->ops->redirects != NULL &&
		    link->ops->redirects(link->owner, call, reply))
			return;
		if (!is_from_able(link, reply))
			reply = NULL;
	}
	call->done(call, reply);
}

/* Where it waits to be asked again nobody is to blame; it is not long */
static void
on_expired(evutil_socket_t fd, short what, void *arg)
{
	struct redis_call *call = arg;

	(void)fd;
	(void)what;
	if (call->link != NULL)
		redis_link_go_down(call->link,
		    "no answer within counters.timeout");
}

bool
redis_link_ask(struct redis_link *link, struct redis_call *call,
    const struct redis_command *command)
{
	if (link->state != LINK_UP)
		return false;
	if (call->once == link)
		redisAsyncCommand(link->context, NULL, NULL, "ASKING");
	if (redisAsyncCommandArgv(link->context, on_reply, call, command->argc,
	    command->argv, command->lengths) != REDIS_OK)
		return false;
	call->link = link;
	redis_call_begin(call, link);
	return true;
}

static int64_t
monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

void
redis_call_begin(struct redis_call *call, const struct redis_link *link)
{
	if (call->late_ms != 0)
		return;
	call->late_ms = monotonic_ms() + link->access->timeout_ms / 2;
	evtimer_assign(&call->expired, loop_base(), on_expired, call);
	event_add(&call->expired, link->timeout);
}

bool
redis_call_is_late(const struct redis_call *call)
{
	return monotonic_ms() >= call->late_ms;
}

void
redis_call_end(struct redis_call *call)
{
	if (call->late_ms != 0)
		event_del(&call->expired);
}
