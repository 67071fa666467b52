/* SPDX-License-Identifier: ISC */
/* attrs.h - one policy request as Postfix sends it (SMTPD_POLICY_README):
 * name=value lines, an empty line at the end. */
#ifndef POLICYD_ATTRS_H
#define POLICYD_ATTRS_H

#include <stdbool.h>
#include <stddef.h>

/* What we read of it. "" where Postfix sent nothing: an absent attribute, an
 * empty one and (for numbers) 0 mean the same. */
struct attrs {
	const char *request;
	const char *protocol_state;
	const char *helo_name;
	const char *queue_id;
	const char *sender;
	const char *recipient;
	const char *recipient_count;
	const char *client_address;
	const char *client_name;
	const char *reverse_client_name;
	const char *instance;
	const char *sasl_username;
	const char *size;
	const char *ccert_fingerprint;
	const char *ccert_pubkey_fingerprint;
	const char *encryption_protocol;
	const char *policy_context;
	const char *server_address;
};

/* The length of the first whole request in bytes, its empty line included;
 * 0 where it is not yet complete. */
size_t attrs_length(const char *bytes, size_t len);

/* text holds one whole request and is cut up in place: *out points into it.
 * Unknown names are passed over, of a name sent twice the first counts. 0, or
 * -1 and *why (static): a NUL, a line without '=', no request=. */
int attrs_parse(char *text, size_t len, struct attrs *out, const char **why);

#endif
