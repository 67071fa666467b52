/* SPDX-License-Identifier: ISC */
/* findings.c - a list of what is wrong and where, in the order it was found. */
#include "common/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/arena.h"
#include "common/log.h"
#include "common/table.h"
#include "common/xmalloc.h"

#define FINDINGS_BYTES 488	/* one or two of them, mostly */
#define LOGGED_MAX 100		/* lines of one list */

struct findings {
	struct arena *arena;
	struct finding *list;
	size_t count, room, errors;
};

struct findings *
findings_new(void)
{
	struct findings *findings = xcalloc(1, sizeof(*findings));

	findings->arena = arena_new(FINDINGS_BYTES);
	return findings;
}

void
findings_free(struct findings *findings)
{
	if (findings == NULL)
		return;
	arena_free(findings->arena);
	free(findings->list);
	free(findings);
}

static const char *
kept(struct findings *findings, const char *text)
{
	return text == NULL ? "" : arena_strdup(findings->arena, text);
}

void
findings_add(struct findings *findings, enum finding_level level,
    const char *dn, const char *attribute, const char *value,
    const char *fmt, ...)
{
	va_list ap;
	char reason[512];

	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	if (findings->count == findings->room) {
		findings->room = findings->room ? findings->room * 2 : 8;
		findings->list = xrealloc(findings->list, findings->room,
		    sizeof(*findings->list));
	}
	findings->list[findings->count++] = (struct finding){
		.level = level,
		.dn = kept(findings, dn),
		.attribute = kept(findings, attribute),
		.value = kept(findings, value),
		.reason = kept(findings, reason),
	};
	findings->errors += level == FINDING_ERROR;
}

void
findings_append(struct findings *findings, const struct findings *other)
{
	const struct finding *one;
	size_t i;

	for (i = 0; i < other->count; i++) {
		one = &other->list[i];
		findings_add(findings, one->level, one->dn, one->attribute,
		    one->value, "%s", one->reason);
	}
}

size_t
findings_count(const struct findings *findings)
{
	return findings->count;
}

const struct finding *
findings_at(const struct findings *findings, size_t at)
{
	return &findings->list[at];
}

size_t
findings_errors(const struct findings *findings)
{
	return findings->errors;
}

/* Directory values hold blanks by right; a line must stay one line */
static void
append(char *out, size_t room, const char *text)
{
	size_t len = 0;

	while (out[len] != '\0')
		len++;
	if (*text == '\0')
		return;
	if (len > 0 && len + 2 < room) {
		out[len++] = ':';
		out[len++] = ' ';
	}
	for (; *text != '\0' && len + 1 < room; text++)
		out[len++] = (unsigned char)*text < ' ' || *text == '\x7f' ? '?'
		    : *text;
	out[len] = '\0';
}

const char *
finding_text(const struct finding *finding)
{
	static _Thread_local char texts[16][2048];
	static _Thread_local unsigned turn;
	char *out = texts[turn++ % 16];

	out[0] = '\0';
	append(out, sizeof(texts[0]), finding->dn);
	append(out, sizeof(texts[0]), finding->attribute);
	append(out, sizeof(texts[0]), finding->value);
	append(out, sizeof(texts[0]), finding->reason);
	return out;
}

static struct table *
known_texts(const struct findings *findings, struct arena *arena)
{
	struct table *known = table_new();
	size_t i;

	for (i = 0; findings != NULL && i < findings->count; i++)
		table_puts(known, arena_strdup(arena,
		    finding_text(&findings->list[i])), known);
	return known;
}

void
findings_log(const char *what, const struct findings *findings,
    const struct findings *before)
{
	struct arena *arena = arena_new(0);
	struct table *known = known_texts(before, arena);
	const char *text;
	size_t i, fresh = 0;

	for (i = 0; i < findings->count; i++) {
		text = finding_text(&findings->list[i]);
		if (table_gets(known, text) != NULL || ++fresh > LOGGED_MAX)
			continue;
		if (findings->list[i].level == FINDING_ERROR)
			log_error(NULL, "%s: %s", what, text);
		else
			log_warn(NULL, "%s: %s", what, text);
	}
	if (fresh > LOGGED_MAX)
		log_error(NULL, "%s: and %zu more findings", what,
		    fresh - LOGGED_MAX);
	table_free(known);
	arena_free(arena);
}
