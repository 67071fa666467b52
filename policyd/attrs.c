/* SPDX-License-Identifier: ISC */
/* attrs.c - cuts one request into its attributes, in place, without
 * allocating. Knows names, never meanings. Next: ends.c. */
#include "policyd/attrs.h"

#include <string.h>

#define IGNORED ((size_t)-1)
#define AT(member) offsetof(struct attrs, member)

/* Every attribute of Postfix 2.1 to 3.12 in the order it sends them, so that
 * the search for one, which starts behind the last, is over at once. */
static const struct row {
	const char *name;
	size_t offset;
} rows[] = {
	{ "request", AT(request) },
	{ "protocol_state", AT(protocol_state) },
	{ "protocol_name", IGNORED },
	{ "client_address", AT(client_address) },
	{ "client_name", AT(client_name) },
	{ "client_port", IGNORED },
	{ "reverse_client_name", AT(reverse_client_name) },
	{ "server_address", AT(server_address) },
	{ "server_port", IGNORED },
	{ "helo_name", AT(helo_name) },
	{ "sender", AT(sender) },
	{ "recipient", AT(recipient) },
	{ "recipient_count", AT(recipient_count) },
	{ "queue_id", AT(queue_id) },
	{ "instance", AT(instance) },
	{ "size", AT(size) },
	{ "etrn_domain", IGNORED },
	{ "stress", IGNORED },
	{ "sasl_method", IGNORED },
	{ "sasl_username", AT(sasl_username) },
	{ "sasl_sender", IGNORED },
	{ "ccert_subject", IGNORED },
	{ "ccert_issuer", IGNORED },
	{ "ccert_fingerprint", AT(ccert_fingerprint) },
	{ "ccert_pubkey_fingerprint", AT(ccert_pubkey_fingerprint) },
	{ "encryption_protocol", AT(encryption_protocol) },
	{ "encryption_cipher", IGNORED },
	{ "encryption_keysize", IGNORED },
	{ "tls_sni", IGNORED },
	{ "policy_context", AT(policy_context) },
	{ "compatibility_level", IGNORED },
	{ "mail_version", IGNORED },
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

size_t
attrs_length(const char *bytes, size_t len)
{
	const char *at = bytes, *end = bytes + len;

	if (len > 0 && *at == '\n')
		return 1;
	while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		if (++at == end)
			return 0;
		if (*at == '\n')
			return (size_t)(at + 1 - bytes);
	}
	return 0;
}

/* The row of that name, looked for from *next on and round */
static const struct row *
row_find(const char *name, size_t *next)
{
	size_t i, at;

	for (i = 0; i < ROWS; i++) {
		at = (*next + i) % ROWS;
		if (strcmp(rows[at].name, name) == 0) {
			*next = at + 1;
			return &rows[at];
		}
	}
	return NULL;
}

static void
take(struct attrs *out, const struct row *row, const char *value)
{
	const char **to;

	if (row == NULL || row->offset == IGNORED)
		return;
	to = (const char **)(void *)((char *)out + row->offset);
	if (*to == NULL)
		*to = value;
}

static void
fill_absent(struct attrs *out)
{
	const char **to;
	size_t i;

	for (i = 0; i < ROWS; i++) {
		if (rows[i].offset == IGNORED)
			continue;
		to = (const char **)(void *)((char *)out + rows[i].offset);
		if (*to == NULL)
			*to = "";
	}
}

int
attrs_parse(char *text, size_t len, struct attrs *out, const char **why)
{
	char *line = text, *end, *value;
	size_t next = 0;

	*out = (struct attrs){ 0 };
	*why = "a NUL byte";
	if (memchr(text, '\0', len) != NULL)
		return -1;
	*why = "a line without '='";
	while (line < text + len && *line != '\n') {
		end = memchr(line, '\n', (size_t)(text + len - line));
		if (end == NULL)
			return -1;
		*end = '\0';
		if ((value = strchr(line, '=')) == NULL)
			return -1;
		*value++ = '\0';
		take(out, row_find(line, &next), value);
		line = end + 1;
	}
	fill_absent(out);
	*why = "no request=smtpd_access_policy";
	return strcmp(out->request, "smtpd_access_policy") == 0 ? 0 : -1;
}
