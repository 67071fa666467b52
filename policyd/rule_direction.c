/* SPDX-License-Identifier: ISC */
/* rule_direction.c - which conditions hold for this request, and what the
 * direction rules in force say to each; the harshest wins. Pure. */
#include <string.h>
#include <strings.h>

#include "policyd/effective.h"
#include "policyd/lists.h"
#include "policyd/rule.h"

/* An unauthenticated client uses one of our domains, and that domain's tenant
 * has not allowed it (its newsletter service) */
static bool
own_sender(const struct facts *facts)
{
	return facts->trust == TRUST_NONE && facts->sender_tenant != NULL &&
	    !lists_allow_client(facts, facts->sender_tenant);
}

/* Whoever has the domain, or the nearest one above it: below the owner's there
 * may be another tenant's */
static bool
foreign_sender(const struct facts *facts)
{
	const char *domain = facts->sender.domain, *dot;
	const struct tenant *tenant;

	if (facts->owner == NULL || *facts->attrs->sender == '\0')
		return false;
	while ((tenant = snapshot_tenant_of(facts->snapshot, domain)) == NULL) {
		if ((dot = strchr(domain, '.')) == NULL)
			return true;
		domain = dot + 1;
	}
	return tenant != facts->owner;
}

/* All addresses of the login's mailbox entry are the login itself */
static bool
other_mailbox(const struct facts *facts)
{
	const struct layer *mailbox;

	if (facts->trust != TRUST_LOGIN || *facts->attrs->sender == '\0' ||
	    strcmp(facts->sender.bare, facts->login.bare) == 0)
		return false;
	mailbox = snapshot_mailbox(facts->snapshot, facts->login.bare);
	return mailbox == NULL || mailbox != snapshot_mailbox(facts->snapshot,
	    facts->sender.bare);
}

static bool
no_tls(const struct facts *facts)
{
	return facts->trust == TRUST_LOGIN &&
	    *facts->attrs->encryption_protocol == '\0';
}

static bool
no_login(const struct facts *facts)
{
	return facts->trust == TRUST_NETWORK;
}

/* Postfix says "unknown"; saying nothing is not a claim */
static bool
no_rdns(const struct facts *facts)
{
	return strcasecmp(facts->attrs->reverse_client_name, "unknown") == 0;
}

/* RFC 5321 4.1.1.1: a fully-qualified name, or an address literal; and the
 * literal is the client's own address */
static bool
bad_helo(const struct facts *facts)
{
	const char *helo = facts->attrs->helo_name;
	char domain[DOMAIN_MAX];
	struct ipaddr address;

	if (*helo == '[')
		return facts->client == NULL ||
		    ipaddr_parse(helo, &address) == -1 ||
		    memcmp(&address, facts->client, sizeof(address)) != 0;
	return ipaddr_parse(helo, &address) == 0 ||
	    domain_normalise(helo, strlen(helo), domain) == -1 ||
	    strchr(domain, '.') == NULL;
}

static bool
null_sender(const struct facts *facts)
{
	return *facts->attrs->sender == '\0';
}

static bool
any(const struct facts *facts)
{
	(void)facts;
	return true;
}

static const struct {
	bool (*holds)(const struct facts *facts);
	const char *text;	/* why, for who is refused */
} conditions[CONDITION_COUNT] = {
	[COND_OWN_SENDER] = { own_sender,
	    "mail from this sender's domain needs a login" },
	[COND_FOREIGN_SENDER] = { foreign_sender,
	    "this login may not send from that domain" },
	[COND_OTHER_MAILBOX] = { other_mailbox,
	    "this login may not send as another mailbox" },
	[COND_NO_TLS] = { no_tls, "sending needs an encrypted connection" },
	[COND_NO_LOGIN] = { no_login, "sending needs a login" },
	[COND_NO_RDNS] = { no_rdns, "your address has no reverse DNS name" },
	[COND_BAD_HELO] = { bad_helo,
	    "your HELO is neither a full host name nor your address" },
	[COND_NULL_SENDER] = { null_sender, "no mail from the null sender" },
	[COND_ANY] = { any, "not accepted here" },
};

static const char *
text_for(const struct facts *facts, enum condition condition,
    const struct direction_rule *rule)
{
	if (*rule->argument != '\0')
		return rule->argument;
	if (facts->direction == DIR_RELAY && condition == COND_ANY)
		return "relaying denied: neither sender nor recipient is ours";
	return arena_printf(facts->arena, "%s%s (%s)", rule_prefix(facts),
	    conditions[condition].text, condition_words[condition]);
}

static void
apply(const struct facts *facts, enum condition condition,
    const struct effective_rule *found, struct decision *decision)
{
	struct verdict verdict = {
		.action = found->rule->action,
		.rule = arena_printf(facts->arena, "direction:%s",
		    condition_words[condition]),
		.dn = found->from != NULL ? found->from->dn : "",
		.text = text_for(facts, condition, found->rule),
	};

	verdict_raise(&decision->verdict, &verdict);
}

void
rule_direction(const struct facts *facts, struct decision *decision)
{
	struct effective_rule found;
	int condition;

	for (condition = 0; condition < CONDITION_COUNT; condition++) {
		found = effective_rule(&facts->chain, facts->direction,
		    (enum condition)condition);
		/* cheap first: most rules say permit */
		if (found.rule == NULL || found.rule->action == ACTION_PERMIT)
			continue;
		if (conditions[condition].holds(facts))
			apply(facts, (enum condition)condition, &found,
			    decision);
	}
}
