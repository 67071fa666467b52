/* SPDX-License-Identifier: ISC */
/* hop.c - where the next hop may be. What is said to it: t/71-faults.t. */
#include "dkimsign/hop.h"

#include "t/unit/tap.h"

static const struct { const char *name, *uri; bool is_good, is_lmtp; } rows[] = {
	{ "SMTP by TCP", "smtp://127.0.0.1:10026", true, false },
	{ "SMTP to a name", "smtp://mx.example:25", true, false },
	{ "SMTP by IPv6", "smtp://[::1]:10026", true, false },
	{ "SMTP to a socket", "smtp+unix:/run/x", true, false },
	{ "LMTP by TCP", "lmtp://127.0.0.1:24", true, true },
	{ "LMTP to a socket", "lmtp+unix:/run/x", true, true },
	{ "no port", "smtp://127.0.0.1", false, false },
	{ "a port that is none", "smtp://127.0.0.1:x", false, false },
	{ "no host", "smtp://:25", false, false },
	{ "IPv6 without brackets", "smtp://::1:25", false, false },
	{ "half a path", "smtp+unix:run/x", false, false },
	{ "our own syntax of listen", "inet:127.0.0.1:25", false, false },
	{ "another scheme", "http://127.0.0.1:25", false, false },
	{ "TLS, which we have not", "smtps://127.0.0.1:465", false, false },
	{ "nothing", "", false, false },
};

int
main(void)
{
	const char *why = "";
	struct hop *hop;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		tap_ok((hop_check(rows[i].uri, &why) == 0) == rows[i].is_good,
		    rows[i].name);
		if (!rows[i].is_good) {
			tap_ok(*why != '\0', "and it is said why not");
			continue;
		}
		hop = hop_new(rows[i].uri);
		tap_ok(hop_is_lmtp(hop) == rows[i].is_lmtp,
		    "and which protocol it is");
		hop_free(hop);
	}
	return tap_done();
}
