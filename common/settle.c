/* SPDX-License-Identifier: ISC */
/* settle.c - who holds what: templates, then tenants' ids, their domains, the
 * addresses in these; each once, in that order, as each rests upon those
 * before. What changes there reaches exactly those whom it concerns: so that
 * the outcome is the one that all entries together would have. */
#include "common/settle.h"

#include <string.h>

#include "common/estate.h"
#include "common/faults.h"
#include "common/owner.h"

/* now may be copied or removed; was is NULL where it is new */
typedef void settle_name(struct draft *d, struct name *now,
    const struct name *was);

struct walk {
	struct draft *draft;
	enum name_kind kind;
	settle_name *decide;
};

static void
settle_one(void *arg, struct trie_item *item)
{
	const struct walk *walk = arg;
	struct draft *d = walk->draft;
	const char *text = item->key.bytes;
	struct name *now = name_get(d->next->names, walk->kind, text);

	if (now != NULL)
		walk->decide(d, now,
		    name_get(d->before->names, walk->kind, text));
}

/* Each name of the kind that is marked by now */
static void
settle_kind(struct draft *d, enum name_kind kind, settle_name *decide)
{
	struct walk walk = { d, kind, decide };

	trie_each(d->dirty[kind], settle_one, &walk);
}

static bool
is_same_entry(const struct node *a, const struct node *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return a->item.key.len == b->item.key.len &&
	    memcmp(a->path, b->path, a->item.key.len) == 0;
}

/* Who loses says who holds it */
static void
touch_rivals(struct draft *d, const struct name *now,
    const struct name *was)
{
	unsigned i;

	if (now->count < 2 && (was == NULL || was->count < 2))
		return;
	for (i = 0; i < now->count; i++)
		draft_touch(d, now->claims[i]);
}

static struct node *
entry_in(const struct snapshot *s, const struct trie_item *item)
{
	struct trie_item *found = trie_get(s->nodes, item->key);

	if (found == NULL)
		found = trie_get(s->gone, item->key);
	return (struct node *)found;
}

/* ---- Templates ---- */

static bool
is_there(const struct snapshot *s, const char *key)
{
	return template_get(s->names, key) != NULL;
}

/* What served for the entry before, also as a template that had gone */
static struct layer *
last_layer(const struct draft *d, const struct node *node)
{
	const struct node *last = entry_in(d->before, &node->item);

	if (last == NULL || last->layer == NULL)
		last = template_get(d->before->names, node->layer->key);
	return last != NULL ? last->layer : NULL;
}

/* A reference to what is not and never was is a bad value, too: the form that
 * the entry had before serves, if that one's reference holds, and for as long
 * as that is so */
static void
refer(void *arg, struct trie_item *item)
{
	struct draft *d = arg;
	struct node *node = entry_in(d->next, item);
	struct layer *layer = node != NULL ? node->layer : NULL, *last;

	if (layer == NULL || node->is_gone)
		return;
	if (node->wanted != NULL) {
		if (is_there(d->next, node->wanted->template_key))
			draft_replace(d, node, node_with(node, node->wanted,
			    NULL));
		return;
	}
	if (layer->template_key == NULL ||
	    is_there(d->next, layer->template_key))
		return;
	last = last_layer(d, node);
	if (last != NULL && last != layer && last->is_good &&
	    last->kind == layer->kind && (last->template_key == NULL ||
	    is_there(d->next, last->template_key)))
		draft_replace(d, node, node_with(node, last, layer));
}

static void
touch_heir(void *arg, struct trie_item *item)
{
	draft_touch(arg, (struct node *)item);
	refer(arg, item);
}

static void
settle_template(struct draft *d, struct name *now, const struct name *was)
{
	const struct node *is = name_first(now), *had = name_first(was);

	if ((is == NULL) != (had == NULL) ||
	    (is != NULL && is->is_gone != had->is_gone))
		trie_each(now->watchers, touch_heir, d);
}

struct sweep {
	struct draft *draft;
	struct trie *wanted;
};

static bool
has(const struct trie *nodes, const struct trie_item *item)
{
	return trie_get(nodes, item->key) != NULL;
}

/* Someone who is there refers to it, or someone who is wanted himself */
static void
want(void *arg, struct trie_item *item)
{
	struct sweep *sweep = arg;
	const struct node *gone = (struct node *)item, *heir;
	const struct name *name = name_get(sweep->draft->next->names,
	    NAME_TEMPLATE, gone->layer->key);
	size_t i;

	for (i = 0; i < trie_count(name->watchers); i++) {
		heir = (const struct node *)trie_at(name->watchers, i);
		if (!heir->is_gone || has(sweep->wanted, &heir->item)) {
			trie_hold(&item->node);
			trie_put(&sweep->wanted, item);
			return;
		}
	}
}

static void
forget_unwanted(void *arg, struct trie_item *item)
{
	struct sweep *sweep = arg;

	if (!has(sweep->wanted, item))
		draft_forget(sweep->draft, (struct node *)item);
}

static void
sweep_gone(struct draft *d)
{
	struct sweep sweep = { d, NULL };
	size_t before;

	do {
		before = trie_count(sweep.wanted);
		trie_each(d->next->gone, want, &sweep);
	} while (trie_count(sweep.wanted) > before);
	trie_each(d->next->gone, forget_unwanted, &sweep);
	trie_release(sweep.wanted);
}

static void
settle_global(struct draft *d, struct name *now, const struct name *was)
{
	touch_rivals(d, now, was);
	if (!is_same_entry(name_first(now), name_first(was)))
		d->has_way_changed = true;
}

static void
touch_template(void *arg, struct trie_item *item)
{
	struct name *name = (struct name *)item;

	if (name->count > 0)
		draft_touch(arg, name->claims[0]);
}

static void
settle_templates(struct draft *d)
{
	trie_each(d->touched, refer, d);
	settle_kind(d, NAME_TEMPLATE, settle_template);
	if (d->dirty[NAME_TEMPLATE] != NULL)
		sweep_gone(d);
	settle_kind(d, NAME_GLOBAL, settle_global);
	if (d->has_way_changed)
		trie_each(d->next->names[NAME_TEMPLATE],
		    touch_template, d);
}

/* ---- Tenants and their domains ---- */

static void
mark_domains(struct draft *d, const struct name *id)
{
	const struct layer *layer;
	unsigned i;
	size_t j;

	for (i = 0; i < id->count; i++) {
		layer = id->claims[i]->layer;
		for (j = 0; j < layer->domain_count; j++)
			draft_mark(d, NAME_DOMAIN, layer->domains[j]);
	}
}

static void
settle_id(struct draft *d, struct name *now, const struct name *was)
{
	const struct node *is = name_first(now), *had = name_first(was);

	touch_rivals(d, now, was);
	if (is_same_entry(is, had))
		return;
	mark_domains(d, now);
	if (had != NULL)
		draft_touch_below(d, had);
	if (is != NULL)
		draft_touch_below(d, is);
}

static void
settle_domain(struct draft *d, struct name *now, const struct name *was)
{
	const struct node *holder = NULL;
	const struct node *had = was != NULL ? was->holder : NULL;
	unsigned i;

	touch_rivals(d, now, was);
	for (i = 0; i < now->count && holder == NULL; i++)
		if (owner_is_in_force(d->next, now->claims[i]))
			holder = now->claims[i];
	if (!is_same_entry(holder, had))
		trie_each(now->watchers, draft_touch_part, d);
	if (now->holder == holder)
		return;
	now = name_own(d->next->names, now, d->round);
	now->holder = holder;
	tenant_release(now->tenant);
	now->tenant = NULL;	/* make_tenant() will say */
	if (holder != NULL)
		draft_mark(d, NAME_ID, holder->layer->name);
	if (had != NULL)
		draft_mark(d, NAME_ID, had->layer->name);
}

static void
set_tenant(struct trie *names[], struct name *name, struct tenant *tenant,
    unsigned round)
{
	name = name_own(names, name, round);
	tenant_release(name->tenant);
	name->tenant = tenant_hold(tenant);
}

static void
make_tenant(struct draft *d, struct name *id, const struct name *was)
{
	const struct node *node = name_first(id);
	struct trie **names = d->next->names;
	struct tenant *tenant;
	struct name *domain;
	size_t i;

	(void)was;
	if (node == NULL) {
		trie_remove(&names[NAME_ID], id->item.key);
		return;
	}
	tenant = tenant_new(node->layer);
	set_tenant(names, id, tenant, d->round);
	for (i = 0; i < node->layer->domain_count; i++) {
		domain = name_get(names, NAME_DOMAIN,
		    node->layer->domains[i]);
		if (domain->holder != node || domain->tenant == tenant)
			continue;	/* not its own, or listed twice */
		set_tenant(names, domain, tenant, d->round);
		tenant->domains[tenant->domain_count++] =
		    node->layer->domains[i];
	}
	tenant_release(tenant);
}

/* ---- Mailboxes and keys ---- */

static void
settle_mail(struct draft *d, struct name *now, const struct name *was)
{
	const struct node *holder = NULL;
	struct owner owner;
	unsigned i;

	touch_rivals(d, now, was);
	for (i = 0; i < now->count && holder == NULL; i++) {
		owner = owner_of(d->next, now->claims[i]);
		if (owner_may_have(d->next, &owner, now->item.key.bytes))
			holder = now->claims[i];
	}
	if (now->holder != holder)
		name_own(d->next->names, now, d->round)->holder =
		    holder;
}

static void
move_estate(struct draft *d, struct node *old, struct node *new)
{
	const char *was = owner_estate(d->before, old);
	const char *is = owner_estate(d->next, new);
	bool has_moved = was == NULL || is == NULL || strcmp(was, is) != 0 ||
	    old->layer->kind != new->layer->kind;

	if (was != NULL && has_moved)
		estate_remove(&d->next->estates, was, old, d->round);
	if (is != NULL && (has_moved || old != new))
		estate_add(&d->next->estates, is, new, d->round);
}

/* ---- All that is touched ---- */

static void
note_faults(struct draft *d, const struct trie_item *item,
    const struct node *node)
{
	struct snapshot *next = d->next;
	struct fault *fault = (struct fault *)trie_get(next->faults,
	    item->key);
	struct findings *findings = findings_new();

	if (fault != NULL)
		next->errors -= findings_errors(fault->findings);
	if (node != NULL)
		faults_find(next, node, findings);
	if (findings_count(findings) > 0) {
		next->errors += findings_errors(findings);
		trie_put(&next->faults, &fault_new(item->key,
		    findings)->item);
		return;
	}
	trie_remove(&next->faults, item->key);
	findings_free(findings);
}

static void
conclude(void *arg, struct trie_item *item)
{
	struct draft *d = arg;
	struct node *now = entry_in(d->next, item);

	move_estate(d, entry_in(d->before, item), now);
	note_faults(d, item, now);
}

static void
sort_claims(struct draft *d, struct name *now, const struct name *was)
{
	(void)was;
	name_sort(d->next->names, now, d->round);
}

static void
drop_unused(struct draft *d, struct name *now, const struct name *was)
{
	(void)was;
	if (now->count == 0 && now->watchers == NULL)
		trie_remove(&d->next->names[now->kind], now->item.key);
}

void
settle(struct draft *d)
{
	static const struct {
		enum name_kind kind;
		settle_name *decide;
	} steps[] = {
		{ NAME_ID, settle_id },
		{ NAME_DOMAIN, settle_domain },
		{ NAME_ID, make_tenant },
		{ NAME_MAIL, settle_mail },
	};
	enum name_kind kind;
	size_t i;

	for (kind = 0; kind < NAME_KINDS; kind++)
		settle_kind(d, kind, sort_claims);
	settle_templates(d);
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		settle_kind(d, steps[i].kind, steps[i].decide);
	trie_each(d->touched, conclude, d);
	for (kind = 0; kind < NAME_KINDS; kind++)
		settle_kind(d, kind, drop_unused);
}
