/* SPDX-License-Identifier: ISC */
/* counters_redis.c - counters that any number of hosts share. Decides nothing
 * itself, never waits, never asks twice but for a script that Redis has
 * forgotten. Next: redis_question.c for what is asked, redis_route.c for the
 * server that is. */
#include "policyd/counters.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/log.h"
#include "common/secret.h"
#include "common/xmalloc.h"
#include "policyd/counter_key.h"
#include "policyd/redis_question.h"
#include "policyd/redis_route.h"
#include "policyd/redis_script.h"
#include "policyd/redis_uri.h"

#define SHA1_HEX 41

struct redis_store {
	struct counter_store store;
	struct arena *arena;		/* the URI */
	struct redis_uri uri;
	struct redis_access access;
	struct redis_route *route;
	char sha[SHA1_HEX];		/* of redis_script_ask */
	struct arena *words;		/* of the command being made */
};

/* One of question and reset */
struct asked {
	struct redis_call call;
	struct redis_store *store;
	struct counter_question *question;
	struct counter_reset *reset;
	bool is_whole;			/* the script's text was sent */
};

static int
redis_check_uri(const char *text, const char **why)
{
	struct arena *arena = arena_new(0);
	struct redis_uri uri;
	int rc = redis_uri_parse(arena, text, &uri, why);

	if (rc == 0 && uri.has_tls && (*why = redis_tls_missing()) != NULL)
		rc = -1;
	arena_free(arena);
	return rc;
}

static void
sha1_hex(const char *text, char out[static SHA1_HEX])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len;

	if (EVP_Digest(text, strlen(text), digest, &len, EVP_sha1(), NULL) != 1)
		fatal("libcrypto has no SHA1");
	for (unsigned i = 0; i < len; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

static int
read_password(struct redis_store *r, const char *path, const char **why)
{
	char *password;

	if (path == NULL || *path == '\0')
		return 0;
	if ((password = secret_read(path, why)) == NULL)
		return -1;
	r->uri.password = arena_strdup(r->arena, password);
	secret_free(password);
	return 0;
}

static void
redis_close(struct counter_store *store)
{
	struct redis_store *r = (struct redis_store *)store;

	if (r == NULL)
		return;
	redis_route_free(r->route);
	redis_tls_free(r->access.tls);
	arena_free(r->words);
	arena_free(r->arena);
	free(r);
}

static struct counter_store *
redis_open(const struct counter_settings *settings, const char **why)
{
	struct redis_store *r = xcalloc(1, sizeof(*r));

	r->store.ops = &counters_redis;
	r->arena = arena_new(0);
	r->words = arena_new(0);
	if (redis_uri_parse(r->arena, settings->uri, &r->uri, why) == -1 ||
	    read_password(r, settings->password_file, why) == -1)
		goto fail;
	r->access = (struct redis_access){ .user = r->uri.user,
		.password = r->uri.password, .db = r->uri.db,
		.timeout_ms = settings->timeout_ms };
	if (r->uri.has_tls && (r->access.tls = redis_tls_new(
	    r->uri.hosts->name, settings->ca_file, why)) == NULL)
		goto fail;
	r->route = redis_route_new(r->arena, &r->uri, &r->access, why);
	if (r->route == NULL)
		goto fail;
	r->store.name = r->uri.shown;
	counter_keys_share();
	sha1_hex(redis_script_ask, r->sha);
	return &r->store;
fail:
	redis_close(&r->store);
	return NULL;
}

static void
redis_start(struct counter_store *store)
{
	redis_route_start(((struct redis_store *)store)->route);
}

static bool
send_question(struct redis_call *call)
{
	struct asked *asked = (struct asked *)call;
	struct redis_store *r = asked->store;
	struct redis_command command;

	redis_question_make(&command, r->words, asked->question,
	    asked->is_whole ? NULL : r->sha);
	return r->route->ops->ask(r->route, call, &command);
}

static void
log_odd(const redisReply *reply)
{
	static struct log_limit limit;

	if (log_allows(&limit))
		log_warn(NULL, "counters: Redis gave no answer but: %s",
		    reply->type == REDIS_REPLY_ERROR ? log_foreign(reply->str)
		    : "something else");
}

static bool
has_forgotten_script(const struct asked *asked, const redisReply *reply)
{
	return reply != NULL && !asked->is_whole &&
	    reply->type == REDIS_REPLY_ERROR &&
	    strncmp(reply->str, "NOSCRIPT", 8) == 0;
}

static void
question_answered(struct redis_call *call, const redisReply *reply)
{
	struct asked *asked = (struct asked *)call;
	struct counter_question *q = asked->question;

	if (has_forgotten_script(asked, reply)) {
		asked->is_whole = true;
		if (send_question(call))
			return;
		reply = NULL;
	}
	q->is_unknown = reply == NULL || !redis_question_read(q, reply);
	if (q->is_unknown && reply != NULL)
		log_odd(reply);
	redis_call_end(call);
	free(asked);
	q->done(q);
}

static struct asked *
asked_new(struct redis_store *r, const char *tenant,
    bool (*send)(struct redis_call *),
    void (*done)(struct redis_call *, const redisReply *))
{
	struct asked *asked = xcalloc(1, sizeof(*asked));

	asked->store = r;
	asked->call.tenant = tenant;
	asked->call.send = send;
	asked->call.done = done;
	return asked;
}

static void
redis_ask(struct counter_store *store, struct counter_question *q)
{
	struct redis_store *r = (struct redis_store *)store;
	struct asked *asked;

	q->is_unknown = q->is_charged = false;
	asked = asked_new(r, q->tenant, send_question, question_answered);
	asked->question = q;
	if (send_question(&asked->call))
		return;
	free(asked);
	q->is_unknown = true;
	q->done(q);
}

static bool
send_reset(struct redis_call *call)
{
	struct asked *asked = (struct asked *)call;
	struct redis_store *r = asked->store;
	struct redis_command command;

	redis_reset_make(&command, r->words, asked->reset);
	return r->route->ops->ask(r->route, call, &command);
}

static void
reset_answered(struct redis_call *call, const redisReply *reply)
{
	struct asked *asked = (struct asked *)call;
	struct counter_reset *reset = asked->reset;

	reset->is_unknown = reply == NULL ||
	    reply->type != REDIS_REPLY_INTEGER;
	if (reset->is_unknown && reply != NULL)
		log_odd(reply);
	if (!reset->is_unknown)
		reset->forgotten = reset->keys != NULL ? reply->integer : -1;
	redis_call_end(call);
	free(asked);
	reset->done(reset);
}

static void
redis_reset(struct counter_store *store, struct counter_reset *reset)
{
	struct redis_store *r = (struct redis_store *)store;
	bool is_empty = reset->keys != NULL && reset->key_count == 0;
	struct asked *asked;

	reset->forgotten = 0;
	reset->is_unknown = !is_empty;
	if (!is_empty) {
		asked = asked_new(r, reset->tenant, send_reset, reset_answered);
		asked->reset = reset;
		if (send_reset(&asked->call))
			return;
		free(asked);
	}
	reset->done(reset);
}

/* Redis knows how many, and of what else */
static uint64_t
redis_records(const struct counter_store *store)
{
	(void)store;
	return 0;
}

static const char *
redis_advice(const struct counter_store *store)
{
	const struct redis_store *r = (const struct redis_store *)store;

	return *r->route->ops->eviction(r->route) == '\0' ? NULL :
	    "Redis' maxmemory-policy is not noeviction: when its memory is "
	    "full it forgets counters, and limits let more pass";
}

const struct counter_store_ops counters_redis = {
	.scheme = "redis",
	.check_uri = redis_check_uri,
	.open = redis_open,
	.start = redis_start,
	.close = redis_close,
	.ask = redis_ask,
	.reset = redis_reset,
	.records = redis_records,
	.evicted = redis_records,
	.advice = redis_advice,
};
