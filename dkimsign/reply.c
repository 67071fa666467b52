/* SPDX-License-Identifier: ISC */
/* reply.c - reads a reply line by line, and says what becomes of it on the way
 * to Postfix. Must never make good what is not, nor bounce for our own fault.
 * Next: lmtp.c writes it. */
#include "dkimsign/reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS "0123456789"

/* A line is ours to write: one line, and nothing that is not ASCII */
static void
clean(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || (unsigned char)*text > '~')
			*text = '?';
}

/* The length of an RFC 3463 code at the start of text; 0: there is none */
static size_t
enhanced_length(const char *text)
{
	size_t len = 1, part, digits;

	if (strchr("245", *text) == NULL || *text == '\0')
		return 0;
	for (part = 0; part < 2; part++) {
		if (text[len] != '.')
			return 0;
		digits = strspn(text + len + 1, DIGITS);
		if (digits < 1 || digits > 3)
			return 0;
		len += digits + 1;
	}
	return text[len] == ' ' || text[len] == '\0' ? len : 0;
}

/* Takes it off the text, which starts behind it then */
static const char *
take_enhanced(const char *text, char out[12])
{
	size_t len = enhanced_length(text);

	memcpy(out, text, len);
	out[len] = '\0';
	text += len;
	return text + strspn(text, " ");
}

void
reply_set(struct reply *reply, const char *codes, const char *fmt, ...)
{
	va_list ap;

	reply->code = atoi(codes);
	snprintf(reply->enhanced, sizeof(reply->enhanced), "%s", codes + 4);
	va_start(ap, fmt);
	vsnprintf(reply->text, sizeof(reply->text), fmt, ap);
	va_end(ap);
	clean(reply->text);
}

static int
code_of(const char *line)
{
	if (strspn(line, DIGITS) != 3 || *line < '2' || *line > '5')
		return 0;
	return line[3] == ' ' || line[3] == '-' || line[3] == '\0'
	    ? atoi(line) : 0;
}

enum reply_part
reply_line(struct reply *reply, const char *line)
{
	int code = code_of(line);
	size_t len = strlen(reply->text);
	char enhanced[12];
	const char *text;

	if (code == 0 || (reply->code != 0 && reply->code != code))
		return REPLY_BAD;
	text = take_enhanced(line[3] != '\0' ? line + 4 : "", enhanced);
	if (reply->code == 0)
		memcpy(reply->enhanced, enhanced, sizeof(enhanced));
	reply->code = code;
	snprintf(reply->text + len, sizeof(reply->text) - len, "%s%s",
	    len > 0 && *text != '\0' ? " " : "", text);
	clean(reply->text);
	return line[3] == '-' ? REPLY_MORE : REPLY_WHOLE;
}

bool
reply_is_good(const struct reply *reply)
{
	return reply->code / 100 == 2;
}

/* The enhanced code, its class made to fit; of nothing, "X.0.0" */
static void
set_enhanced(struct reply *reply, char class, const char *theirs)
{
	snprintf(reply->enhanced, sizeof(reply->enhanced), "%c%s", class,
	    *theirs != '\0' ? theirs + 1 : ".0.0");
}

void
reply_map(const struct reply *theirs, bool defers_5xx, struct reply *ours)
{
	bool is_passed = theirs->code / 100 == 2 || theirs->code / 100 == 4 ||
	    theirs->code == 552 || (theirs->code / 100 == 5 && !defers_5xx);

	*ours = *theirs;
	if (theirs->code == 421)
		ours->code = 451;	/* it is not we who close */
	else if (theirs->code / 100 == 2)
		ours->code = 250;
	else if (!is_passed) {
		ours->code = 451;
		snprintf(ours->text, sizeof(ours->text),
		    "next hop said: %d %s%s%.360s", theirs->code,
		    theirs->enhanced, *theirs->enhanced ? " " : "",
		    theirs->text);
	}
	set_enhanced(ours, (char)('0' + ours->code / 100),
	    theirs->code / 100 == 3 ? "" : theirs->enhanced);
}
