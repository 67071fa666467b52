/* SPDX-License-Identifier: ISC */
/* state_keep.c - the state file follows the directory: soon after a change, not
 * at every one of a burst, and the less often the longer it takes. A disk that
 * is full is told once and stops nothing. Next: state_file.c. */
#include "common/state_keep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "common/state_file.h"
#include "common/xmalloc.h"

#define AFTER_MS 2000		/* the changes of a burst are one */
#define COST_SHARE 20		/* writing takes 1/20 of the time, mostly */
#define PAUSE_MAX_MS 30000
#define RETRY_MS 60000

struct state_keep {
	const struct source_settings *settings;
	struct source *source;
	struct state_file_mark mark;	/* of the file as it is */
	int64_t due_ms;			/* 0: nothing to be written */
	int64_t cost_ms;		/* of the last write */
	char problem[256];
};

/* Of a clock that nobody sets */
static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct state_keep *
state_keep_new(const struct source_settings *settings, struct source *source)
{
	struct state_keep *keep;

	if (*settings->state_file == '\0' || source->ops->recall == NULL)
		return NULL;
	if (settings->wants_keys)
		panic("a state file with private keys");
	keep = xcalloc(1, sizeof(*keep));
	keep->settings = settings;
	keep->source = source;
	return keep;
}

void
state_keep_free(struct state_keep *keep)
{
	free(keep);
}

int64_t
state_keep_read(struct state_keep *keep, const struct source_reader *to)
{
	struct state_file_mark mark;
	char written[STATE_FILE_TIME];
	const char *why;

	if (keep == NULL)
		return 0;
	if (state_file_read(keep->settings, to, &mark, &why) != 0) {
		if (*why != '\0')
			log_warn(NULL, "state file: %s; starting without it",
			    why);
		return 0;
	}
	keep->mark = mark;
	state_file_time(mark.written_ms, written);
	log_info(NULL, "state file: %s read, as it was written %s",
	    keep->settings->state_file, written);
	return mark.written_ms;
}

void
state_keep_changed(struct state_keep *keep)
{
	int64_t pause_ms;

	if (keep == NULL || keep->due_ms != 0)
		return;
	pause_ms = AFTER_MS + COST_SHARE * keep->cost_ms;
	keep->due_ms = now_ms() +
	    (pause_ms < PAUSE_MAX_MS ? pause_ms : PAUSE_MAX_MS);
}

void
state_keep_forget(struct state_keep *keep)
{
	if (keep != NULL)
		keep->due_ms = 0;
}

int
state_keep_wait_ms(const struct state_keep *keep)
{
	int64_t left;

	if (keep == NULL || keep->due_ms == 0)
		return -1;
	left = keep->due_ms - now_ms();
	return left > 0 ? (int)left : 0;
}

static void
give(void *arg, const struct source_reader *to)
{
	struct source *source = arg;

	source->ops->recall(source, to);
}

static void
conclude(struct state_keep *keep, const char *problem)
{
	if (*problem != '\0' && *keep->problem == '\0')
		log_warn(NULL, "state file: %s; going on without", problem);
	else if (*problem == '\0' && *keep->problem != '\0')
		log_info(NULL, "state file: %s is written again",
		    keep->settings->state_file);
	snprintf(keep->problem, sizeof(keep->problem), "%s", problem);
}

static void
write_now(struct state_keep *keep)
{
	int64_t began_ms = now_ms();
	const char *why = "";

	keep->due_ms = 0;
	if (state_file_write(keep->settings, give, keep->source, &keep->mark,
	    &why) != 0)
		keep->due_ms = now_ms() + RETRY_MS;
	keep->cost_ms = now_ms() - began_ms;
	conclude(keep, why);
}

void
state_keep_write(struct state_keep *keep, bool is_last)
{
	if (keep == NULL || keep->due_ms == 0 ||
	    (!is_last && now_ms() < keep->due_ms))
		return;
	if (keep->source->ops->can_recall(keep->source))
		write_now(keep);
	else
		keep->due_ms = now_ms() + AFTER_MS;
}

const char *
state_keep_problem(const struct state_keep *keep)
{
	return keep != NULL ? keep->problem : "";
}
