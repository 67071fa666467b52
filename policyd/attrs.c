/* SPDX-License-Identifier: ISC */
/* attrs.c - cuts one request into its attributes, in place, without
 * allocating. Knows names, never meanings. Next: ends.c. */
#include "policyd/attrs.h"

#include <string.h>

#define IGNORED ((size_t)-1)
#define AT(member) offsetof(struct attrs, member)
#define ROW(name, offset) { name, sizeof(name) - 1, offset }

/* Every attribute of Postfix 2.1 to 3.12 in the order it sends them, so that
 * the search for one, which starts behind the last, is over at once. */
static const struct row {
	const char *name;	/* with its '=' */
	size_t len;
	size_t offset;
} rows[] = {
	ROW("request=", AT(request)),
	ROW("protocol_state=", AT(protocol_state)),
	ROW("protocol_name=", IGNORED),
	ROW("client_address=", AT(client_address)),
	ROW("client_name=", AT(client_name)),
	ROW("client_port=", IGNORED),
	ROW("reverse_client_name=", AT(reverse_client_name)),
	ROW("server_address=", AT(server_address)),
	ROW("server_port=", IGNORED),
	ROW("helo_name=", AT(helo_name)),
	ROW("sender=", AT(sender)),
	ROW("recipient=", AT(recipient)),
	ROW("recipient_count=", AT(recipient_count)),
	ROW("queue_id=", AT(queue_id)),
	ROW("instance=", AT(instance)),
	ROW("size=", AT(size)),
	ROW("etrn_domain=", IGNORED),
	ROW("stress=", IGNORED),
	ROW("sasl_method=", IGNORED),
	ROW("sasl_username=", AT(sasl_username)),
	ROW("sasl_sender=", IGNORED),
	ROW("ccert_subject=", IGNORED),
	ROW("ccert_issuer=", IGNORED),
	ROW("ccert_fingerprint=", AT(ccert_fingerprint)),
	ROW("ccert_pubkey_fingerprint=", AT(ccert_pubkey_fingerprint)),
	ROW("encryption_protocol=", AT(encryption_protocol)),
	ROW("encryption_cipher=", IGNORED),
	ROW("encryption_keysize=", IGNORED),
	ROW("tls_sni=", IGNORED),
	ROW("policy_context=", AT(policy_context)),
	ROW("compatibility_level=", IGNORED),
	ROW("mail_version=", IGNORED),
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

/* The row of the attribute that line is, looked for from *next on and round */
static const struct row *
row_find(const char *line, size_t *next)
{
	size_t i, at = *next;

	for (i = 0; i < ROWS; i++, at++) {
		if (at >= ROWS)
			at = 0;
		if (strncmp(line, rows[at].name, rows[at].len) == 0) {
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

	if (row->offset == IGNORED)
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
	char *line = text, *end;
	const struct row *row;
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
		if ((row = row_find(line, &next)) != NULL)
			take(out, row, line + row->len);
		else if (strchr(line, '=') == NULL)
			return -1;
		line = end + 1;
	}
	fill_absent(out);
	*why = "no request=smtpd_access_policy";
	return strcmp(out->request, "smtpd_access_policy") == 0 ? 0 : -1;
}
