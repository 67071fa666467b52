/* SPDX-License-Identifier: ISC */
/* envelope.c - cuts the arguments of MAIL and RCPT, the parameters a row each.
 * Judges form alone: who may send to whom was decided before us. */
#include "dkimsign/envelope.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct parsing {
	struct envelope *envelope;
	struct arena *arena;
	const struct offer *offer;
	uint64_t size_max;
	struct reply *why;
	unsigned seen;		/* parameters, as bits by their row */
};

static int
fail(const struct parsing *parsing, const char *codes, const char *text)
{
	reply_set(parsing->why, codes, "%s", text);
	return -1;
}

static int
check_size(const struct parsing *parsing, const char *value)
{
	if (strspn(value, "0123456789") != strlen(value) || *value == '\0')
		return fail(parsing, "501 5.5.4", "SIZE wants a number");
	if (strlen(value) > 19 || strtoull(value, NULL, 10) >
	    parsing->size_max)
		return fail(parsing, "552 5.3.4", "message too large");
	return 0;
}

static int
check_body(const struct parsing *parsing, const char *value)
{
	if (strcasecmp(value, "7BIT") == 0 ||
	    strcasecmp(value, "8BITMIME") == 0)
		return 0;
	return fail(parsing, "501 5.5.4", "BODY is 7BIT or 8BITMIME");
}

static int
check_flag(const struct parsing *parsing, const char *value)
{
	return *value == '\0' ? 0
	    : fail(parsing, "501 5.5.4", "SMTPUTF8 has no value");
}

static int
check_any(const struct parsing *parsing, const char *value)
{
	return *value != '\0' ? 0
	    : fail(parsing, "501 5.5.4", "a parameter without its value");
}

struct parameter {
	const char *name;
	enum offer_extension extension;
	int (*check)(const struct parsing *parsing, const char *value);
	bool is_ours;		/* told anew to the next hop, not handed on */
};

static const struct parameter mail_parameters[] = {
	{ "SIZE", OFFER_SIZE, check_size, true },
	{ "BODY", OFFER_8BITMIME, check_body, false },
	{ "SMTPUTF8", OFFER_SMTPUTF8, check_flag, false },
	{ "RET", OFFER_DSN, check_any, false },
	{ "ENVID", OFFER_DSN, check_any, false },
	{ NULL, 0, NULL, false },
};
static const struct parameter rcpt_parameters[] = {
	{ "NOTIFY", OFFER_DSN, check_any, false },
	{ "ORCPT", OFFER_DSN, check_any, false },
	{ NULL, 0, NULL, false },
};

static bool
has_8bit(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text > '~')
			return true;
	return false;
}

/* The end of a path that begins at text, on its >; NULL: it has none. What is
 * in quotes may be anything (RFC 5321 4.1.2). */
static const char *
path_end(const char *text)
{
	bool is_quoted = false;

	for (; *text != '\0'; text++) {
		if (*text == '\\' && is_quoted && text[1] != '\0')
			text++;
		else if (*text == '"')
			is_quoted = !is_quoted;
		else if (!is_quoted && *text == '>')
			return text;
		else if (!is_quoted && (*text == ' ' || *text == '<'))
			return NULL;
	}
	return NULL;
}

/* "FROM:<path>": the path, and what follows it */
static const char *
path_take(const struct parsing *parsing, const char *arguments,
    const char *word, const char **rest)
{
	size_t len = strlen(word);
	const char *at = arguments, *end;

	if (strncasecmp(at, word, len) != 0)
		return NULL;
	at += len;
	at += strspn(at, " ");	/* against the RFC, and harmless */
	if (*at != '<' || (end = path_end(at + 1)) == NULL ||
	    (end[1] != '\0' && end[1] != ' '))
		return NULL;
	*rest = end + 1;
	return arena_strndup(parsing->arena, at + 1, (size_t)(end - at - 1));
}

static int
parameter_take(struct parsing *parsing, const struct parameter *rows,
    const char *text, const char **kept)
{
	size_t name_len = strcspn(text, "=");
	const char *value = text[name_len] == '=' ? text + name_len + 1 : "";
	const struct parameter *row = rows;

	while (row->name != NULL && (strlen(row->name) != name_len ||
	    strncasecmp(row->name, text, name_len) != 0))
		row++;
	if (row->name == NULL ||
	    !(parsing->offer->extensions & row->extension))
		return fail(parsing, "555 5.5.4", "parameter not offered");
	if (parsing->seen & (1u << (row - rows)))
		return fail(parsing, "501 5.5.4", "a parameter twice");
	parsing->seen |= 1u << (row - rows);
	if (row->check(parsing, value) == -1)
		return -1;
	if (row->is_ours)
		return 0;
	parsing->envelope->needs |= row->extension;
	*kept = arena_printf(parsing->arena, "%s %s", *kept, text);
	return 0;
}

/* kept: those that the next hop is told, each with a blank in front */
static int
parameters_take(struct parsing *parsing, const struct parameter *rows,
    const char *rest, const char **kept)
{
	size_t len;

	*kept = "";
	while (*(rest += strspn(rest, " ")) != '\0') {
		len = strcspn(rest, " ");
		if (parameter_take(parsing, rows, arena_strndup(parsing->arena,
		    rest, len), kept) == -1)
			return -1;
		rest += len;
	}
	return 0;
}

int
envelope_mail(struct envelope *envelope, struct arena *arena,
    const char *arguments, const struct offer *offer, uint64_t size_max,
    struct reply *why)
{
	struct parsing parsing = { envelope, arena, offer, size_max, why, 0 };
	const char *rest;

	*envelope = (struct envelope){ 0 };
	envelope->sender = path_take(&parsing, arguments, "FROM:", &rest);
	if (envelope->sender == NULL)
		return fail(&parsing, "501 5.5.4", "MAIL FROM:<address>");
	if (parameters_take(&parsing, mail_parameters, rest,
	    &envelope->parameters) == -1)
		return -1;
	if (has_8bit(arguments) && !(envelope->needs & OFFER_SMTPUTF8))
		return fail(&parsing, "553 5.6.7", "UTF-8 without SMTPUTF8");
	return 0;
}

static void
append(struct envelope *envelope, struct arena *arena, struct recipient one)
{
	struct recipient *grown;

	if (envelope->count == envelope->room) {
		envelope->room = envelope->room ? envelope->room * 2 : 8;
		grown = arena_alloc(arena, envelope->room * sizeof(*grown));
		if (envelope->count > 0)
			memcpy(grown, envelope->recipients,
			    envelope->count * sizeof(*grown));
		envelope->recipients = grown;
	}
	envelope->recipients[envelope->count++] = one;
}

int
envelope_rcpt(struct envelope *envelope, struct arena *arena,
    const char *arguments, const struct offer *offer, struct reply *why)
{
	struct parsing parsing = { envelope, arena, offer, 0, why, 0 };
	struct recipient one;
	const char *rest;

	/* In front of all that takes memory: these are not counted as errors */
	if (envelope->count == RECIPIENTS_MAX)
		return fail(&parsing, "452 4.5.3", "too many recipients");
	one.address = path_take(&parsing, arguments, "TO:", &rest);
	if (one.address == NULL || *one.address == '\0')
		return fail(&parsing, "501 5.5.4", "RCPT TO:<address>");
	if (parameters_take(&parsing, rcpt_parameters, rest,
	    &one.parameters) == -1)
		return -1;
	if (has_8bit(arguments) && !(envelope->needs & OFFER_SMTPUTF8))
		return fail(&parsing, "553 5.6.7", "UTF-8 without SMTPUTF8");
	append(envelope, arena, one);
	return 0;
}
