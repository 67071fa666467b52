/* SPDX-License-Identifier: ISC */
/* service_world.h - a whole policyd without its sockets: a directory read from
 * a file, counters in memory or none that answer, and requests asked of it. */
#ifndef UNIT_SERVICE_WORLD_H
#define UNIT_SERVICE_WORLD_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/directory.h"
#include "common/loop.h"
#include "policyd/alert.h"
#include "policyd/request.h"
#include "t/unit/world.h"

/* A store that knows nothing, at once or when the test says so */
struct fake_store {
	struct counter_store store;
	bool is_late;
	unsigned asked;
	struct counter_question *waiting;
};

static struct fake_store fake;
static struct service service;
static struct conf *service_conf;

static inline void
fake_answer(struct counter_question *question)
{
	question->is_unknown = !fake.is_late;
	question->is_charged = fake.is_late;
	question->done(question);
}

static inline void
fake_ask(struct counter_store *store, struct counter_question *question)
{
	(void)store;
	fake.asked++;
	if (fake.is_late)
		fake.waiting = question;
	else
		fake_answer(question);
}

static inline void
fake_close(struct counter_store *store)
{
	(void)store;
}

static const struct counter_store_ops fake_ops = { .scheme = "fake:",
	.ask = fake_ask, .close = fake_close };

/* The directory's file; a real one, as a thread watches it */
static inline const char *
service_path(void)
{
	static char path[200];
	const char *dir = getenv("TMPDIR");

	snprintf(path, sizeof(path), "%s/postern-unit-%ld.ldif",
	    dir != NULL ? dir : "/tmp", (long)getpid());
	return path;
}

static inline void
write_ldif(const char *ldif)
{
	FILE *file = fopen(service_path(), "w");

	if (file == NULL || fputs(ldif, file) == EOF || fclose(file) == EOF)
		abort();
}

/* ldif NULL: a directory that was not read yet */
static inline void
service_begin(const char *ldif)
{
	struct counter_settings settings = { .uri = "memory:",
	    .max_records = 100000 };
	static char uri[300];
	const char *why;

	snprintf(uri, sizeof(uri), "ldif://%s", service_path());
	service_conf = world_conf();
	loop_now_set(WORLD_NOW);
	service = (struct service){ .conf = service_conf,
		.directory = directory_new(&(struct source_settings){
		    .uri = uri }, policy_parse, &why),
		.counters = counters_open(&settings, &why),
		.transactions = transactions_new() };
	if (ldif == NULL)
		return;
	write_ldif(ldif);
	directory_start(service.directory, 30000);
	if (directory_current(service.directory) == NULL)
		abort();
}

/* In place of memory: a store that cannot answer, or not yet */
static inline void
service_use_fake(bool is_late)
{
	service.counters->ops->close(service.counters);
	fake = (struct fake_store){ .store.ops = &fake_ops,
		.is_late = is_late };
	service.counters = &fake.store;
}

static inline void
service_end(void)
{
	transactions_free(service.transactions);
	arena_free(service.spare);
	service.counters->ops->close(service.counters);
	directory_free(service.directory);
	unlink(service_path());
}

static inline void
service_later(int64_t ms)
{
	loop_now_set(loop_now() + ms);
}

#endif
