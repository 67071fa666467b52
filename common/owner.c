/* SPDX-License-Identifier: ISC */
/* owner.c - a mailbox or a key below a tenant is that one's; a mailbox below
 * none is the tenant's who has the first of its domains that is ours. Pure. */
#include "common/owner.h"

#include <string.h>

static const struct node *
tenant_above(const struct snapshot *s, const struct node *node)
{
	struct trie_key path = node->item.key;
	const struct node *above;

	while ((path = node_path_above(path)).len > 0) {
		above = (const struct node *)trie_get(s->nodes, path);
		if (node_is(above, LAYER_TENANT))
			return above;
	}
	return NULL;
}

bool
owner_is_in_force(const struct snapshot *s, const struct node *tenant)
{
	return name_first(name_get(s->names, NAME_ID, tenant->layer->name)) ==
	    tenant;
}

static const char *
domain_of(const char *mail)
{
	return strrchr(mail, '@') + 1;
}

struct owner
owner_of(const struct snapshot *s, const struct node *node)
{
	const struct node *above = tenant_above(s, node);
	struct owner owner = { .is_above = above != NULL };
	size_t i;

	if (above != NULL && !owner_is_in_force(s, above))
		owner.refused = above;
	else if (above != NULL)
		owner.tenant = snapshot_tenant_by_id(s, above->layer->name);
	for (i = 0; above == NULL && owner.tenant == NULL &&
	    i < node->layer->mail_count; i++)
		owner.tenant = snapshot_tenant_of(s,
		    domain_of(node->layer->mails[i]));
	return owner;
}

bool
owner_may_have(const struct snapshot *s, const struct owner *owner,
    const char *mail)
{
	return owner->tenant != NULL &&
	    snapshot_tenant_of(s, domain_of(mail)) == owner->tenant;
}

static bool
has_some_mail(const struct snapshot *s, const struct node *node)
{
	const struct layer *layer = node->layer;
	size_t i;

	for (i = 0; i < layer->mail_count; i++)
		if (name_get(s->names, NAME_MAIL, layer->mails[i])->holder ==
		    node)
			return true;
	return false;
}

const char *
owner_estate(const struct snapshot *s, const struct node *node)
{
	struct owner owner;

	if (!node_is(node, LAYER_KEY) && (!node_is(node, LAYER_MAILBOX) ||
	    !has_some_mail(s, node)))
		return NULL;
	owner = owner_of(s, node);
	return owner.tenant != NULL ? owner.tenant->id : NULL;
}
