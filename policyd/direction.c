/* SPDX-License-Identifier: ISC */
/* direction.c - which way does this message travel: in, out, inside, through?
 * And whose is it: who pays, whose policy holds. Pure. Next: rules.c. */
#include "policyd/direction.h"

#include "policyd/ends.h"

enum direction
direction_of(bool is_trusted, bool has_owner, bool has_null_sender,
    bool recipient_is_ours)
{
	if (recipient_is_ours)
		return is_trusted && has_owner ? DIR_INTERNAL : DIR_INBOUND;
	if (is_trusted && (has_owner || has_null_sender))
		return DIR_OUTBOUND;
	return DIR_RELAY;
}

/* The accountable mailbox's address: all mail values of one entry are one */
static const char *
mailbox_name(const struct layer *entry, const char *address)
{
	return entry != NULL ? entry->name : address;
}

static void
account_set(struct facts *facts, const struct tenant *tenant,
    const char *address)
{
	const struct layer *mailbox = NULL;

	if (tenant != NULL)
		mailbox = snapshot_mailbox(facts->snapshot, address);
	facts->account = tenant;
	facts->account_id = tenant != NULL ? tenant->id : "-";
	facts->mailbox = mailbox_name(mailbox, address);
	chain_of(facts->snapshot, tenant, mailbox, &facts->chain);
}

static void
recipient_chain_set(struct facts *facts)
{
	chain_of(facts->snapshot, facts->recipient_tenant,
	    snapshot_mailbox(facts->snapshot, facts->recipient.bare),
	    &facts->recipient_chain);
}

void
direction_find(struct facts *facts)
{
	facts->direction = direction_of(facts->trust != TRUST_NONE,
	    facts->owner != NULL, facts->attrs->sender[0] == '\0',
	    facts->recipient_tenant != NULL);
	switch (facts->direction) {
	case DIR_INTERNAL:
		recipient_chain_set(facts);
		/* FALLTHROUGH */
	case DIR_OUTBOUND:
		if (facts->owner == NULL)
			/* counted by client, not by what it may invent */
			account_set(facts, NULL, ends_client(facts));
		else
			account_set(facts, facts->owner,
			    facts->trust == TRUST_LOGIN ? facts->login.bare
			    : facts->sender.bare);
		break;
	case DIR_INBOUND:
		account_set(facts, facts->recipient_tenant,
		    facts->recipient.bare);
		break;
	default:
		account_set(facts, NULL, ends_client(facts));
	}
}
