/* SPDX-License-Identifier: ISC */
/* attrs.c - is a policy request cut where it ends, and each attribute found
 * that Postfix sends? */
#include "policyd/attrs.h"

#include <stdlib.h>

#include "t/unit/tap.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define REQUEST "request=smtpd_access_policy\n"

static const struct {
	const char *name;
	const char *bytes;
	size_t want;
} lengths[] = {
	{ "no bytes are no request", "", 0 },
	{ "a line alone is not yet one", "a=b\n", 0 },
	{ "an empty line ends it", "a=b\n\n", 5 },
	{ "several lines", "a=b\nc=d\n\n", 9 },
	{ "the next one does not belong to it", "a=b\n\nc=d\n\n", 5 },
	{ "half of the next one neither", "a=b\n\nc", 5 },
	{ "without a line's end there is no end", "a=b", 0 },
	{ "an empty line at the start is a request, if a bad one", "\na=b\n\n",
	    1 },
	{ "a carriage return does not make a line empty", "a=b\r\n\r\n", 0 },
};

/* Every attribute that we read */
static const struct {
	const char *attribute;
	size_t offset;
} members[] = {
	{ "protocol_state", offsetof(struct attrs, protocol_state) },
	{ "helo_name", offsetof(struct attrs, helo_name) },
	{ "queue_id", offsetof(struct attrs, queue_id) },
	{ "sender", offsetof(struct attrs, sender) },
	{ "recipient", offsetof(struct attrs, recipient) },
	{ "recipient_count", offsetof(struct attrs, recipient_count) },
	{ "client_address", offsetof(struct attrs, client_address) },
	{ "client_name", offsetof(struct attrs, client_name) },
	{ "reverse_client_name", offsetof(struct attrs, reverse_client_name) },
	{ "instance", offsetof(struct attrs, instance) },
	{ "sasl_username", offsetof(struct attrs, sasl_username) },
	{ "size", offsetof(struct attrs, size) },
	{ "ccert_fingerprint", offsetof(struct attrs, ccert_fingerprint) },
	{ "ccert_pubkey_fingerprint",
	    offsetof(struct attrs, ccert_pubkey_fingerprint) },
	{ "encryption_protocol", offsetof(struct attrs, encryption_protocol) },
	{ "policy_context", offsetof(struct attrs, policy_context) },
	{ "server_address", offsetof(struct attrs, server_address) },
};

static const struct {
	const char *name;
	const char *bytes;
	const char *sender;	/* NULL: refused, why: */
	const char *why;
} parses[] = {
	{ "a sender", REQUEST "sender=a@b.example\n\n", "a@b.example", NULL },
	{ "attributes come in any order", "sender=a@b.example\n" REQUEST "\n",
	    "a@b.example", NULL },
	{ "the first '=' parts name and value", REQUEST "sender=a=b@c\n\n",
	    "a=b@c", NULL },
	{ "blanks belong to the value", REQUEST "sender= a b \n\n", " a b ",
	    NULL },
	{ "8-bit bytes are let through", REQUEST "sender=\377\303@b\n\n",
	    "\377\303@b", NULL },
	{ "an empty value is empty", REQUEST "sender=\n\n", "", NULL },
	{ "an absent attribute is empty", REQUEST "\n", "", NULL },
	{ "of a name sent twice the first counts",
	    REQUEST "sender=one\nsender=two\n\n", "one", NULL },
	{ "also where the first is empty",
	    REQUEST "sender=\nsender=two\n\n", "", NULL },
	{ "unknown attributes are passed over",
	    REQUEST "etrn_domain=x\nnever_seen=y\nsender=a\n\n", "a", NULL },
	{ "a name's case does matter", REQUEST "Sender=a\n\n", "", NULL },
	{ "an empty name is nobody's", REQUEST "=x\nsender=a\n\n", "a", NULL },
	{ "a line without '=' is refused", REQUEST "sender\n\n", NULL,
	    "a line without '='" },
	{ "a request without request= is refused", "sender=a\n\n", NULL,
	    "no request=smtpd_access_policy" },
	{ "another protocol's request is refused",
	    "request=junk\nsender=a\n\n", NULL,
	    "no request=smtpd_access_policy" },
	{ "an empty request is refused", "\n", NULL,
	    "no request=smtpd_access_policy" },
	{ "an HTTP request is refused", "GET / HTTP/1.1\n\n", NULL,
	    "a line without '='" },
};

/* In memory of exactly that size, so that a sanitizer sees each byte too far */
static int
parse(const char *bytes, size_t len, char **text, struct attrs *out,
    const char **why)
{
	*text = malloc(len);
	memcpy(*text, bytes, len);
	return attrs_parse(*text, len, out, why);
}

static void
test_members(void)
{
	char bytes[200], value[40], name[80], *text;
	struct attrs attrs;
	const char *why;
	size_t i;

	for (i = 0; i < ROWS(members); i++) {
		snprintf(value, sizeof(value), "value of %zu", i);
		snprintf(bytes, sizeof(bytes), REQUEST "%s=%s\n\n",
		    members[i].attribute, value);
		snprintf(name, sizeof(name), "%s is read",
		    members[i].attribute);
		parse(bytes, strlen(bytes), &text, &attrs, &why);
		tap_is(*(const char **)(void *)((char *)&attrs +
		    members[i].offset), value, name);
		free(text);
	}
}

static void
test_nul(void)
{
	static const char bytes[] = REQUEST "sender=a\0b\n\n";
	struct attrs attrs;
	const char *why;
	char *text;

	tap_int(parse(bytes, sizeof(bytes) - 1, &text, &attrs, &why), -1,
	    "a NUL byte is refused");
	tap_is(why, "a NUL byte", "and named as such");
	free(text);
}

int
main(void)
{
	struct attrs attrs;
	const char *why;
	char *text;
	size_t i;
	int rc;

	for (i = 0; i < ROWS(lengths); i++)
		tap_int((int64_t)attrs_length(lengths[i].bytes,
		    strlen(lengths[i].bytes)), (int64_t)lengths[i].want,
		    lengths[i].name);
	for (i = 0; i < ROWS(parses); i++) {
		rc = parse(parses[i].bytes, strlen(parses[i].bytes), &text,
		    &attrs, &why);
		if (parses[i].sender != NULL)
			tap_is(rc == 0 ? attrs.sender : NULL,
			    parses[i].sender, parses[i].name);
		else
			tap_is(rc == -1 ? why : NULL, parses[i].why,
			    parses[i].name);
		free(text);
	}
	test_members();
	test_nul();
	return tap_done();
}
