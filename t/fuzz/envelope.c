/* SPDX-License-Identifier: ISC */
/* envelope.c - fuzz target: what follows MAIL, RCPT and XFORWARD is taken or
 * refused with a reason, and what was taken is taken for the same when the
 * next hop is told. */
#include "dkimsign/envelope.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "dkimsign/xforward.h"

#define ALL ((1u << XFORWARD_ATTRIBUTES) - 1)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct offer every = { .extensions = ~0u };

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
must_be_refusal(const struct reply *why)
{
	must(why->code / 100 == 4 || why->code / 100 == 5);
	must(why->enhanced[0] - '0' == why->code / 100);
	must(why->text[0] != '\0');
}

static void
check_mail(struct arena *arena, const char *text)
{
	struct envelope one, two;
	struct reply why;

	if (envelope_mail(&one, arena, text, &every, 1000, &why) == -1) {
		must_be_refusal(&why);
		return;
	}
	text = arena_printf(arena, "FROM:<%s>%s", one.sender, one.parameters);
	must(envelope_mail(&two, arena, text, &every, 1000, &why) == 0);
	must(strcmp(one.sender, two.sender) == 0);
	must(strcmp(one.parameters, two.parameters) == 0);
	must(one.needs == two.needs);
}

static void
check_rcpt(struct arena *arena, const char *text)
{
	struct envelope envelope = { .needs = OFFER_SMTPUTF8 };
	const struct recipient *one, *two;
	struct reply why;

	if (envelope_rcpt(&envelope, arena, text, &every, &why) == -1) {
		must_be_refusal(&why);
		must(envelope.count == 0);
		return;
	}
	one = &envelope.recipients[0];
	text = arena_printf(arena, "TO:<%s>%s", one->address, one->parameters);
	must(envelope_rcpt(&envelope, arena, text, &every, &why) == 0);
	must(envelope.count == 2);
	two = &envelope.recipients[1];
	must(strcmp(one->address, two->address) == 0);
	must(strcmp(one->parameters, two->parameters) == 0);
}

static void
check_xforward(struct arena *arena, const char *text)
{
	struct xforward one = { 0 }, two = { 0 };
	const char *again = "NAME=[UNAVAILABLE]";
	unsigned i;

	if (xforward_take(&one, arena, text, ALL) == -1)
		return;
	must(one.tells_client);
	for (i = 0; i < XFORWARD_ATTRIBUTES; i++) {
		must(strlen(xforward_text(&one, arena, i)) <=
		    (one.values[i] != NULL ? strlen(one.values[i]) : 0));
		if (one.values[i] != NULL)
			again = arena_printf(arena, "%s %s=%s", again,
			    xforward_names[i], one.values[i]);
	}
	must(xforward_take(&two, arena, again, ALL) == 0);
	for (i = 0; i < XFORWARD_ATTRIBUTES; i++)
		must(one.values[i] == NULL ? two.values[i] == NULL
		    : strcmp(one.values[i], two.values[i]) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(0);
	const char *text = arena_strndup(arena, (const char *)data, size);

	check_mail(arena, text);
	check_rcpt(arena, text);
	check_xforward(arena, text);
	arena_free(arena);
	return 0;
}
