/* SPDX-License-Identifier: ISC */
/* redis_question.c - a question becomes one script with its keys and numbers,
 * the script's answer becomes the question's. Pure. Next: redis_script.c for
 * what is decided there. */
#include "policyd/redis_question.h"

#include <string.h>

#include "common/arena.h"
#include "common/loop.h"
#include "policyd/redis_key.h"
#include "policyd/redis_script.h"

static void
command_begin(struct redis_command *command, struct arena *arena, size_t room)
{
	arena_reset(arena);
	*command = (struct redis_command){ .arena = arena,
		.argv = arena_alloc(arena, room * sizeof(char *)),
		.lengths = arena_alloc(arena, room * sizeof(size_t)) };
}

static void
add_bytes(struct redis_command *command, const void *bytes, size_t len)
{
	command->argv[command->argc] = bytes;
	command->lengths[command->argc++] = len;
}

static void
add(struct redis_command *command, const char *word)
{
	add_bytes(command, word, strlen(word));
}

static void
add_key(struct redis_command *command, const char *tenant,
    const struct counter_key *key)
{
	char *name = arena_alloc(command->arena, REDIS_KEY_MAX);

	redis_key(tenant, key, name);
	add(command, name);
}

/* One word */
static void
add_numbers(struct redis_command *command, const int64_t *numbers, size_t count)
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
add_limits(struct redis_command *command, const struct counter_question *q)
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
add_grey(struct redis_command *command, const struct counter_grey *grey)
{
	add_numbers(command, (const int64_t[]){ grey->delay_ms,
	    grey->window_ms, grey->pass_ms, grey->promote }, 4);
}

void
redis_question_make(struct redis_command *command, struct arena *arena,
    const struct counter_question *q, const char *sha)
{
	size_t key_count = 1 + q->limit_count + (q->grey != NULL ? 2 : 0);

	command_begin(command, arena, 5 + key_count);
	add(command, sha != NULL ? "EVALSHA" : "EVAL");
	add(command, sha != NULL ? sha : redis_script_ask);
	add(command, arena_printf(arena, "%zu", key_count));
	add_key(command, q->tenant, NULL);
	for (size_t i = 0; i < q->limit_count; i++)
		add_key(command, q->tenant, &q->limits[i].key);
	if (q->grey != NULL) {
		add_key(command, q->tenant, &q->grey->record);
		add_key(command, q->tenant, &q->grey->promotion);
	}
	add_limits(command, q);
	if (q->grey != NULL)
		add_grey(command, q->grey);
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
 * False: there is none, or it cannot be so. */
static bool
read_told(struct counter_question *q, int64_t at, int64_t value,
    int64_t wait_ms)
{
	if (value < 0)
		return false;
	if (at == 0 && q->grey != NULL) {
		if (value > GREY_EARLY || wait_ms < 0)
			return false;
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

bool
redis_question_read(struct counter_question *q, const redisReply *reply)
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

void
redis_reset_make(struct redis_command *command, struct arena *arena,
    const struct counter_reset *reset)
{
	command_begin(command, arena, 8 + reset->key_count);
	if (reset->keys != NULL) {
		add(command, "DEL");
		for (size_t i = 0; i < reset->key_count; i++)
			add_key(command, reset->tenant, &reset->keys[i]);
		return;
	}
	add(command, "EVAL");
	add(command, redis_script_reset);
	add(command, "1");
	add_key(command, reset->tenant, NULL);
	add_numbers(command, (const int64_t[]){ loop_now_injected(),
	    reset->limit_tag }, 2);
}
