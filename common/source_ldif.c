/* SPDX-License-Identifier: ISC */
/* source_ldif.c - the directory in a file: read when it has changed and come
 * to rest, and while it could not be read, every now and then. Next: ldif.c. */
#include "common/source.h"

#include <stdlib.h>
#include <string.h>

#include "common/ldif.h"
#include "common/watch.h"
#include "common/xmalloc.h"

#define LOOK_MS 250
#define RETRY_LOOKS 8		/* what could not be read is tried again */

struct ldif_source {
	struct source source;
	const char *path;
	struct watch watch;
	bool has_failed;
	unsigned looks;		/* since the last attempt */
};

static int
ldif_check(const struct source_settings *settings, const char **why)
{
	*why = "ldif: wants a whole path: ldif:///path";
	return strncmp(settings->uri, "ldif:///", 8) == 0 ? 0 : -1;
}

static struct source *
ldif_open(const struct source_settings *settings,
    const atomic_bool *must_stop)
{
	struct ldif_source *s = xcalloc(1, sizeof(*s));

	(void)must_stop;
	s->source.ops = &source_ldif;
	s->path = settings->uri + strlen("ldif://");
	s->watch.path = s->path;
	return &s->source;
}

static void
ldif_close(struct source *source)
{
	free(source);
}

static bool
ldif_is_due(struct source *source)
{
	struct ldif_source *s = (struct ldif_source *)source;
	enum watch_state state = watch_look(&s->watch);

	return state == WATCH_CHANGED ||
	    (state == WATCH_GONE && !s->has_failed) ||
	    (s->has_failed && ++s->looks >= RETRY_LOOKS);
}

static enum source_told
ldif_read_all(struct source *source, enum source_wish wish,
    const struct source_reader *to, const char **why)
{
	struct ldif_source *s = (struct ldif_source *)source;
	int rc;

	(void)wish;
	watch_take(&s->watch);
	rc = ldif_read(s->path, to->take, to->arg, to->findings, why);
	if (rc == 0 && !watch_is_taken(&s->watch)) {
		*why = "it changed while it was read";
		rc = -1;
	}
	s->has_failed = rc != 0;
	s->looks = 0;
	return rc == 0 ? SOURCE_TOLD_ALL : SOURCE_FAILED;
}

static int
ldif_wait_ms(struct source *source)
{
	(void)source;
	return LOOK_MS;
}

static int
ldif_wait_fd(struct source *source)
{
	(void)source;
	return -1;
}

static const char *const schemes[] = { "ldif", NULL };

const struct source_ops source_ldif = {
	.schemes = schemes,
	.check = ldif_check, .open = ldif_open, .close = ldif_close,
	.is_due = ldif_is_due, .read = ldif_read_all,
	.wait_ms = ldif_wait_ms, .wait_fd = ldif_wait_fd,
};
