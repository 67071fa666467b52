/* SPDX-License-Identifier: ISC */
/* replay.c - gives Redis the commands in a file again and again, so many at a
 * time that it never waits for us: how fast it can run them at all. Prints one
 * line: commands per second.
 *
 *	replay seconds /path/of/socket file-in-redis-protocol */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <hiredis/hiredis.h>

#define BATCH 64

struct command {
	const char *bytes;
	size_t len;
};

static char *text;		/* the file */
static struct command *commands;
static size_t count;

static void
die(const char *what)
{
	fprintf(stderr, "replay: %s\n", what);
	exit(1);
}

static double
now_secs(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The end of "*4\r\n$7\r\nEVALSHA\r\n..." */
static char *
command_end(char *at)
{
	unsigned long words;

	if (*at++ != '*')
		die("not a list of commands");
	for (words = strtoul(at, &at, 10), at += 2; words > 0; words--)
		at += strtoul(at + 1, &at, 10) + 4;
	return at;
}

static void
commands_read(const char *path)
{
	FILE *file = fopen(path, "r");
	char *at;
	long size = 0;

	if (file == NULL || fseek(file, 0, SEEK_END) == -1 ||
	    (size = ftell(file)) <= 0)
		die("nothing to replay");
	rewind(file);
	text = calloc((size_t)size + 1, 1);
	commands = calloc((size_t)size / 16 + 1, sizeof(*commands));
	if (text == NULL || commands == NULL ||
	    fread(text, 1, (size_t)size, file) != (size_t)size)
		die("cannot read");
	fclose(file);
	for (at = text; at < text + size; count++) {
		commands[count].bytes = at;
		at = command_end(at);
		commands[count].len = (size_t)(at - commands[count].bytes);
	}
}

static void
send_batch(redisContext *redis)
{
	static size_t next;
	int i;

	for (i = 0; i < BATCH; i++, next++)
		redisAppendFormattedCommand(redis,
		    commands[next % count].bytes, commands[next % count].len);
}

static void
receive_batch(redisContext *redis)
{
	redisReply *reply;
	int i;

	for (i = 0; i < BATCH; i++) {
		if (redisGetReply(redis, (void **)&reply) != REDIS_OK)
			die(redis->errstr);
		if (reply->type == REDIS_REPLY_ERROR)
			die(reply->str);
		freeReplyObject(reply);
	}
}

int
main(int argc, char **argv)
{
	redisContext *redis;
	double begin, end;
	unsigned long batches;

	if (argc != 4)
		return 2;
	redis = redisConnectUnix(argv[2]);
	if (redis == NULL || redis->err)
		die("cannot connect");
	commands_read(argv[3]);
	begin = now_secs();
	end = begin + atof(argv[1]);
	/* one batch is always on its way while another is answered */
	send_batch(redis);
	for (batches = 0; now_secs() < end; batches++) {
		send_batch(redis);
		receive_batch(redis);
	}
	printf("per_second=%.0f\n",
	    (double)batches * BATCH / (now_secs() - begin));
	redisFree(redis);
	free(commands);
	free(text);
	return 0;
}
