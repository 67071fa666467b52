/* SPDX-License-Identifier: ISC */
/* counters_redis.c - counters that any number of hosts share: a question
 * becomes one script with its keys and numbers, the script's answer becomes
 * the question's. Decides nothing itself, never waits, never asks twice but for
 * a script that Redis has forgotten. Next: redis_route.c for the server that is
 * asked, redis_script.c for what is decided there. */
#include "policyd/counters.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/xmalloc.h"
#include "policyd/counter_key.h"
#include "policyd/redis_key.h"
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

/* A command while it is made */
struct command {
	struct arena *arena;
	const char **argv;
	size_t *lengths;
	int argc;
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

/* The first line of the file */
static int
read_password(struct redis_store *r, const char *path, const char **why)
{
	char line[512];
	FILE *file;

	if (path == NULL || *path == '\0')
		return 0;
	*why = "counters.password_file: cannot be read";
	if ((file = fopen(path, "re")) == NULL)
		return -1;
	if (fgets(line, sizeof(line), file) != NULL) {
		line[strcspn(line, "\r\n")] = '\0';
		r->uri.password = arena_strdup(r->arena, line);
		*why = NULL;
	}
	fclose(file);
	explicit_bzero(line, sizeof(line));
	return *why == NULL ? 0 : -1;
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

static void
command_begin(struct command *command, struct redis_store *r, size_t room)
{
	arena_reset(r->words);
	*command = (struct command){ .arena = r->words,
		.argv = arena_alloc(r->words, room * sizeof(char *)),
		.lengths = arena_alloc(r->words, room * sizeof(size_t)) };
}

static void
add_bytes(struct command *command, const void *bytes, size_t len)
{
	command->argv[command->argc] = bytes;
	command->lengths[command->argc++] = len;
}

static void
add(struct command *command, const char *word)
{
	add_bytes(command, word, strlen(word));
}

static void
add_key(struct command *command, const char *tenant,
    const struct counter_key *key)
{
	char *name = arena_alloc(command->arena, REDIS_KEY_MAX);

	redis_key(tenant, key, name);
	add(command, name);
}

/* One word */
static void
add_numbers(struct command *command, const int64_t *numbers, size_t count)
{
	uint8_t *bytes = arena_alloc(command->arena, count * REDIS_NUMBER);

	for (size_t i = 0; i < count; i++)
		redis_number(numbers[i], bytes + i * REDIS_NUMBER);
	add_bytes(command, bytes, count * REDIS_NUMBER);
}

static int64_t
exact(uint64_t number)
{
	return number < REDIS_NUMBER_MAX ? (int64_t)number : REDIS_NUMBER_MAX;
}

/* redis_script.h has their order. The clock is Redis' own, unless it is
 * injected here. */
static void
add_limits(struct command *command, const struct counter_question *q)
{
	int64_t *numbers = arena_alloc(command->arena,
	    (3 + 5 * q->limit_count) * sizeof(*numbers)), *to = numbers;

	*to++ = loop_now_injected();
	*to++ = q->is_peek;
	*to++ = (int64_t)q->limit_count;
	for (size_t i = 0; i < q->limit_count; i++) {
		const struct counter_limit *limit = &q->limits[i];

		*to++ = limit->window_ms;
		*to++ = exact(limit->count) - exact(limit->cost);
		*to++ = exact(limit->cost);
		*to++ = limit->refuses;
		*to++ = limit->limit_tag;
	}
	add_numbers(command, numbers, (size_t)(to - numbers));
}

static void
add_grey(struct command *command, const struct counter_grey *grey)
{
	add_numbers(command, (const int64_t[]){ grey->delay_ms,
	    grey->window_ms, grey->pass_ms, grey->promote }, 4);
}

static bool
send_question(struct redis_call *call)
{
	struct asked *asked = (struct asked *)call;
	const struct counter_question *q = asked->question;
	size_t key_count = 1 + q->limit_count + (q->grey != NULL ? 2 : 0);
	struct redis_store *r = asked->store;
	struct command command;

	command_begin(&command, r, 5 + key_count);
	add(&command, asked->is_whole ? "EVAL" : "EVALSHA");
	add(&command, asked->is_whole ? redis_script_ask : r->sha);
	add(&command, arena_printf(r->words, "%zu", key_count));
	add_key(&command, q->tenant, NULL);
	for (size_t i = 0; i < q->limit_count; i++)
		add_key(&command, q->tenant, &q->limits[i].key);
	if (q->grey != NULL) {
		add_key(&command, q->tenant, &q->grey->record);
		add_key(&command, q->tenant, &q->grey->promotion);
	}
	add_limits(&command, q);
	if (q->grey != NULL)
		add_grey(&command, q->grey);
	return r->route->ops->ask(r->route, call, command.argc, command.argv,
	    command.lengths);
}

/* Where the script tells nothing there was nothing wrong */
static void
answer_begin(struct counter_question *q)
{
	if (q->grey != NULL) {
		q->grey->answer = GREY_PASS;
		q->grey->wait_ms = 0;
	}
	for (size_t i = 0; i < q->limit_count; i++) {
		q->limits[i].used = 0;
		q->limits[i].is_exceeded = false;
		q->limits[i].wait_ms = 0;
	}
}

/* What the script tells of limit number at, or of the greylist record.
 * False: there is none. */
static bool
read_told(struct counter_question *q, int64_t at, int64_t value,
    int64_t wait_ms)
{
	if (at == 0 && q->grey != NULL) {
		q->grey->answer = (enum grey_answer)value;
		q->grey->wait_ms = wait_ms;
		return true;
	}
	if (at < 1 || (uint64_t)at > q->limit_count)
		return false;
	q->limits[at - 1].used = (uint64_t)value;
	q->limits[at - 1].is_exceeded = wait_ms >= 0;
	q->limits[at - 1].wait_ms = wait_ms >= 0 ? wait_ms : 0;
	return true;
}

static bool
is_answer(const redisReply *reply)
{
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements % 3 != 1)
		return false;
	for (size_t i = 0; i < reply->elements; i++)
		if (reply->element[i]->type != REDIS_REPLY_INTEGER)
			return false;
	return true;
}

/* False: that is no answer */
static bool
read_answer(struct counter_question *q, const redisReply *reply)
{
	redisReply *const *one = reply->element;

	answer_begin(q);
	q->is_charged = true;
	if (reply->type == REDIS_REPLY_INTEGER)
		return true;
	if (!is_answer(reply))
		return false;
	q->is_charged = one[0]->integer != 0;
	for (size_t i = 1; i < reply->elements; i += 3)
		if (!read_told(q, one[i]->integer, one[i + 1]->integer,
		    one[i + 2]->integer))
			return false;
	return true;
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
	q->is_unknown = reply == NULL || !read_answer(q, reply);
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

/* By key they are gone; by limit they are void from now on, uncounted */
static bool
send_reset(struct redis_call *call)
{
	struct asked *asked = (struct asked *)call;
	const struct counter_reset *reset = asked->reset;
	struct redis_store *r = asked->store;
	struct command command;

	command_begin(&command, r, 8 + reset->key_count);
	if (reset->keys != NULL) {
		add(&command, "DEL");
		for (size_t i = 0; i < reset->key_count; i++)
			add_key(&command, reset->tenant, &reset->keys[i]);
	} else {
		add(&command, "EVAL");
		add(&command, redis_script_reset);
		add(&command, "1");
		add_key(&command, reset->tenant, NULL);
		add_numbers(&command, (const int64_t[]){ loop_now_injected(),
		    reset->limit_tag }, 2);
	}
	return r->route->ops->ask(r->route, call, command.argc, command.argv,
	    command.lengths);
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
