/* SPDX-License-Identifier: ISC */
/* ends.c - sender, recipient, login and client of a request, and the tenants
 * they belong to. Pure: one snapshot, no I/O. Next: direction.c. */
#include "policyd/ends.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool
is_listed(const struct option_list *list, const char *text)
{
	size_t i;

	if (*text == '\0')
		return false;
	for (i = 0; i < list->count; i++)
		if (strcasecmp(list->items[i], text) == 0)
			return true;
	return false;
}

static bool
client_is_in_network(const struct facts *facts)
{
	const struct conf *conf = facts->conf;
	size_t i;

	for (i = 0; i < conf->trusted_networks_text.count; i++)
		if (facts->client != NULL &&
		    cidr_contains(&conf->trusted_networks[i], facts->client))
			return true;
	return false;
}

/* Postfix reports certificates that it does not trust, too: only a listed
 * fingerprint counts. */
static enum trust
trust_find(const struct facts *facts)
{
	const struct attrs *attrs = facts->attrs;
	const struct option_list *ccerts = &facts->conf->trusted_ccerts;

	if (*attrs->sasl_username != '\0')
		return TRUST_LOGIN;
	if (is_listed(ccerts, attrs->ccert_fingerprint) ||
	    is_listed(ccerts, attrs->ccert_pubkey_fingerprint))
		return TRUST_CCERT;
	return client_is_in_network(facts) ? TRUST_NETWORK : TRUST_NONE;
}

static void
login_find(struct facts *facts)
{
	const char *login = facts->attrs->sasl_username;
	const char *delimiter = facts->conf->recipient_delimiter;

	address_parse(facts->arena, login, delimiter, &facts->login);
	if (*login == '\0' || strchr(login, '@') != NULL ||
	    facts->conf->login_domain[0] == '\0')
		return;
	login = arena_printf(facts->arena, "%s@%s", login,
	    facts->conf->login_domain);
	address_parse(facts->arena, login, delimiter, &facts->login);
}

/* With a login only its domain counts: who may send as another tenant must
 * not burn that tenant's limits. Without one the sender is all we have. */
static const struct tenant *
owner_find(const struct facts *facts)
{
	switch (facts->trust) {
	case TRUST_NONE:
		return NULL;
	case TRUST_LOGIN:
		return snapshot_tenant_of(facts->snapshot,
		    facts->login.domain);
	default:
		return facts->sender_tenant;
	}
}

void
ends_find(struct facts *facts)
{
	const struct attrs *attrs = facts->attrs;
	const char *delimiter = facts->conf->recipient_delimiter;

	address_parse(facts->arena, attrs->sender, delimiter, &facts->sender);
	address_parse(facts->arena, attrs->recipient, delimiter,
	    &facts->recipient);
	login_find(facts);
	if (ipaddr_parse(attrs->client_address, &facts->client_storage) == 0)
		facts->client = &facts->client_storage;
	facts->trust = trust_find(facts);
	facts->sender_tenant = snapshot_tenant_of(facts->snapshot,
	    facts->sender.domain);
	facts->recipient_tenant = snapshot_tenant_of(facts->snapshot,
	    facts->recipient.domain);
	facts->owner = owner_find(facts);
	facts->size_bytes = strtoull(attrs->size, NULL, 10);
	facts->recipient_count = strtoull(attrs->recipient_count, NULL, 10);
}

const char *
ends_client(const struct facts *facts)
{
	char text[CIDR_TEXT];

	if (facts->client == NULL)
		return "unknown";
	return arena_strdup(facts->arena,
	    cidr_network_text(facts->client, 32, 64, text));
}
