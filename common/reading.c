/* SPDX-License-Identifier: ISC */
/* reading.c - entries become layers: shared with the reading before where
 * nothing has changed, replaced by their last good form where they are bad.
 * Never decides between two entries; that is for snapshot.c, next. */
#include "common/reading.h"

#include <stdlib.h>
#include <string.h>

#include "common/table.h"
#include "common/xmalloc.h"

struct node {
	struct layer *layer;
	unsigned long line;
};

struct reading {
	const struct reading *previous;
	layer_parser *parse;
	struct findings *findings;
	struct node *nodes;
	size_t count, room;
	struct table *by_dn;	/* to layers */
	struct templates *templates;
};

struct reading *
reading_new(struct arena *arena, const struct reading *previous,
    layer_parser *parse, struct findings *findings)
{
	struct reading *r = xcalloc(1, sizeof(*r));

	r->previous = previous;
	r->parse = parse;
	r->findings = findings;
	r->by_dn = table_new();
	r->templates = templates_new(arena,
	    previous != NULL ? previous->templates : NULL);
	return r;
}

void
reading_free(struct reading *r)
{
	size_t i;

	for (i = 0; i < r->count; i++)
		layer_release(r->nodes[i].layer);
	templates_free(r->templates);
	table_free(r->by_dn);
	free(r->nodes);
	free(r);
}

/* What served for this DN before: also a template without its entry */
static struct layer *
last_layer(const struct reading *r, const char *key)
{
	const struct template *template;
	struct layer *layer;

	if (r->previous == NULL)
		return NULL;
	if ((layer = table_gets(r->previous->by_dn, key)) != NULL)
		return layer;
	template = templates_get(r->previous->templates, key);
	return template != NULL ? template->layer : NULL;
}

static void
note_last_form(struct reading *r, const char *dn)
{
	findings_add(r->findings, FINDING_NOTE, dn, "", "",
	    "the last good form of this entry serves");
}

static void
report_no_kind(struct reading *r, const struct entry *entry)
{
	if (entry_has_class(entry, "posternPolicy"))
		findings_add(r->findings, FINDING_ERROR, entry->dn,
		    "objectClass", "posternPolicy", "no effect without "
		    "posternDomain, posternMailbox or posternTemplate");
}

/* The entry's layer, held; NULL: it says nothing */
static struct layer *
layer_for(struct reading *r, const struct entry *entry)
{
	struct layer *last = last_layer(r, entry->key);
	struct layer *layer = NULL;
	enum layer_kind kind;

	if (layer_kind_of(entry, &kind)) {
		if (last != NULL && layer_is_of(last, entry))
			return layer_hold(last);
		layer = layer_new(entry, kind, r->parse, r->findings);
	} else if (!entry->is_damaged) {
		report_no_kind(r, entry);
		return NULL;
	}
	if ((layer != NULL && layer->is_good) || last == NULL || !last->is_good)
		return layer;
	layer_release(layer);
	note_last_form(r, entry->dn);
	return layer_hold(last);
}

void
reading_take(struct reading *r, const struct entry *entry)
{
	struct layer *layer = layer_for(r, entry);

	if (layer == NULL)
		return;
	if (r->count == r->room) {
		r->room = r->room ? 2 * r->room : 64;
		r->nodes = xrealloc(r->nodes, r->room, sizeof(*r->nodes));
	}
	r->nodes[r->count++] = (struct node){ layer, entry->line };
	table_puts(r->by_dn, layer->key, layer);
}

static int
by_seniority(const void *left, const void *right)
{
	const struct node *a = left, *b = right;
	bool a_has_time = *a->layer->created != '\0';
	bool b_has_time = *b->layer->created != '\0';
	int order = 0;

	if (a_has_time != b_has_time)
		return a_has_time ? -1 : 1;
	if (a_has_time)
		order = strcmp(a->layer->created, b->layer->created);
	else if (a->line != b->line)
		order = a->line < b->line ? -1 : 1;
	return order != 0 ? order : strcmp(a->layer->key, b->layer->key);
}

static bool
can_inherit(struct reading *r, const struct layer *layer)
{
	const struct layer *from;

	if (layer->template_key == NULL)
		return true;
	from = table_gets(r->by_dn, layer->template_key);
	return (from != NULL && from->kind == LAYER_TEMPLATE) ||
	    templates_find(r->templates, layer->template_key) != NULL;
}

/* A reference to what is not and never was is a bad value, too: the form that
 * the entry had before serves, if that one's reference holds */
static void
mend_reference(struct reading *r, struct node *node)
{
	struct layer *layer = node->layer, *last;

	if (can_inherit(r, layer))
		return;
	last = last_layer(r, layer->key);
	if (last == NULL || last == layer || !last->is_good ||
	    last->kind != layer->kind || !can_inherit(r, last))
		return;
	findings_add(r->findings, FINDING_ERROR, layer->dn,
	    "posternTemplate", layer->template_key, "no such entry");
	note_last_form(r, layer->dn);
	node->layer = layer_hold(last);
	table_puts(r->by_dn, last->key, last);
	layer_release(layer);
}

void
reading_settle(struct reading *r)
{
	struct layer *layer;
	size_t i;

	if (r->count > 0)
		qsort(r->nodes, r->count, sizeof(*r->nodes), by_seniority);
	for (i = 0; i < r->count; i++)
		mend_reference(r, &r->nodes[i]);
	for (i = 0; i < r->count; i++) {
		layer = r->nodes[i].layer;
		if (layer->kind == LAYER_TEMPLATE)
			templates_add(r->templates, layer_hold(layer),
			    r->findings);
	}
	r->previous = NULL;
}

struct layer *
reading_at(const struct reading *r, size_t at)
{
	return at < r->count ? r->nodes[at].layer : NULL;
}

struct layer *
reading_find(const struct reading *r, const char *key)
{
	return table_gets(r->by_dn, key);
}

struct templates *
reading_templates(const struct reading *r)
{
	return r->templates;
}
