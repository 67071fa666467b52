/* SPDX-License-Identifier: ISC */
/* faults.c - an entry is held against what has been decided: what it claims and
 * has not, what it refers to and is not. Pure: decides nothing itself. */
#include "common/faults.h"

#include "common/owner.h"

static void
check_tenant(const struct snapshot *s, const struct node *node,
    struct findings *out)
{
	const struct layer *layer = node->layer;
	const struct tenant *tenant, *holder;
	size_t i;

	tenant = snapshot_tenant_by_id(s, layer->name);
	if (tenant->layer != layer) {
		findings_add(out, FINDING_ERROR, layer->dn, "", "",
		    "refused: the tenant id %s is taken by %s", tenant->id,
		    tenant->layer->dn);
		return;
	}
	template_check_reference(s->names, layer, out);
	for (i = 0; i < layer->domain_count; i++) {
		holder = snapshot_tenant_of(s, layer->domains[i]);
		if (holder != tenant)
			findings_add(out, FINDING_ERROR, layer->dn,
			    "associatedDomain", layer->domains[i],
			    "%s has it already", holder->layer->dn);
	}
}

/* True where the tenant above is, and nothing that is below has an effect */
static bool
is_refused(const struct owner *owner, const struct layer *layer,
    struct findings *out)
{
	if (owner->refused == NULL)
		return false;
	findings_add(out, FINDING_ERROR, layer->dn, "", "",
	    "no effect: its tenant %s is refused", owner->refused->layer->dn);
	return true;
}

static void
check_mail(const struct snapshot *s, const struct node *node,
    const struct owner *owner, const char *mail, struct findings *out)
{
	const struct tenant *owned = owner->tenant;
	const struct layer *holder;

	if (!owner_may_have(s, owner, mail))
		findings_add(out, FINDING_ERROR, node->layer->dn, "mail",
		    mail, "no effect: %s%s has this domain",
		    owned != NULL ? "not its tenant " : "no tenant",
		    owned != NULL ? owned->id : "");
	else if ((holder = snapshot_mailbox(s, mail)) != node->layer)
		findings_add(out, FINDING_ERROR, node->layer->dn, "mail",
		    mail, "%s has it already", holder->dn);
}

static void
check_mailbox(const struct snapshot *s, const struct node *node,
    struct findings *out)
{
	struct owner owner = owner_of(s, node);
	size_t i;

	if (is_refused(&owner, node->layer, out))
		return;
	for (i = 0; i < node->layer->mail_count; i++)
		check_mail(s, node, &owner, node->layer->mails[i], out);
}

static void
check_template(const struct snapshot *s, const struct node *node,
    struct findings *out)
{
	template_check(s->names, node, out);
}

static void
check_key(const struct snapshot *s, const struct node *node,
    struct findings *out)
{
	struct owner owner = owner_of(s, node);

	if (!is_refused(&owner, node->layer, out) && owner.tenant == NULL)
		findings_add(out, FINDING_ERROR, node->layer->dn, "", "",
		    "no effect: a key stands below its tenant");
}

void
faults_find(const struct snapshot *snapshot, const struct node *node,
    struct findings *out)
{
	static void (*const checks[])(const struct snapshot *,
	    const struct node *, struct findings *) = {
		[LAYER_TEMPLATE] = check_template,
		[LAYER_TENANT] = check_tenant,
		[LAYER_MAILBOX] = check_mailbox,
		[LAYER_KEY] = check_key,
	};

	if (node->findings != NULL)
		findings_append(out, node->findings);
	if (node->wanted != NULL) {
		findings_add(out, FINDING_ERROR, node->wanted->dn,
		    "posternTemplate", node->wanted->template_key,
		    "no such entry");
		findings_add(out, FINDING_NOTE, node->wanted->dn, "", "",
		    "the last good form of this entry serves");
	}
	if (node->layer != NULL)
		checks[node->layer->kind](snapshot, node, out);
}
