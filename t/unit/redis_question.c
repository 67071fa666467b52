/* SPDX-License-Identifier: ISC */
/* redis_question.c - what the script answers, as Redis writes it: whatever it
 * could not have said is no answer. The script itself: t/50-redis.t. */
#include "policyd/redis_question.h"

#include "t/unit/tap.h"

/* Of a greylist record and one limit */
static const struct {
	const char *name, *resp;
	bool want;
} rows[] = {
	{ "charged", ":1\r\n", true },
	{ "nothing is told", "*1\r\n:1\r\n", true },
	{ "early", "*4\r\n:0\r\n:0\r\n:2\r\n:5000\r\n", true },
	{ "a limit", "*4\r\n:0\r\n:1\r\n:7\r\n:-1\r\n", true },
	{ "no answer of greylisting",
	    "*4\r\n:0\r\n:0\r\n:3\r\n:5000\r\n", false },
	{ "nor is that", "*4\r\n:0\r\n:0\r\n:-1\r\n:5000\r\n", false },
	{ "it passed before it came",
	    "*4\r\n:0\r\n:0\r\n:2\r\n:-1\r\n", false },
	{ "used less than nothing",
	    "*4\r\n:0\r\n:1\r\n:-7\r\n:-1\r\n", false },
	{ "a limit that there is not",
	    "*4\r\n:0\r\n:2\r\n:7\r\n:-1\r\n", false },
	{ "half of one", "*3\r\n:0\r\n:1\r\n:7\r\n", false },
	{ "text", "$1\r\nx\r\n", false },
};

static bool
read_text(const char *resp)
{
	struct counter_limit limit = { .count = 1 };
	struct counter_grey grey = { .delay_ms = 1 };
	struct counter_question q = { .limits = &limit, .limit_count = 1,
		.grey = &grey };
	redisReader *reader = redisReaderCreate();
	void *reply = NULL;
	bool is_answer;

	redisReaderFeed(reader, resp, strlen(resp));
	redisReaderGetReply(reader, &reply);
	is_answer = reply != NULL && redis_question_read(&q, reply);
	freeReplyObject(reply);
	redisReaderFree(reader);
	return is_answer;
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		tap_ok(read_text(rows[i].resp) == rows[i].want, rows[i].name);
	return tap_done();
}
