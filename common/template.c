/* SPDX-License-Identifier: ISC */
/* template.c - who inherits from which template, and where that must end: at
 * a loop, at a depth, at global. A template that vanishes under those who
 * refer to it serves on in its last form. Next: snapshot.c. */
#include "common/template.h"

#include <stdlib.h>
#include <string.h>

#include "common/table.h"
#include "common/xmalloc.h"

struct templates {
	struct arena *arena;
	const struct templates *previous;
	struct table *by_dn;
	struct template **list;
	size_t count, room;
	struct template *global;
};

struct templates *
templates_new(struct arena *arena, const struct templates *previous)
{
	struct templates *templates = xcalloc(1, sizeof(*templates));

	templates->arena = arena;
	templates->previous = previous;
	templates->by_dn = table_new();
	return templates;
}

void
templates_free(struct templates *templates)
{
	size_t i;

	for (i = 0; i < templates->count; i++)
		layer_release(templates->list[i]->layer);
	table_free(templates->by_dn);
	free(templates->list);
	free(templates);
}

static struct template *
add(struct templates *templates, struct layer *layer)
{
	struct template *template;

	if (templates->count == templates->room) {
		templates->room = templates->room ? 2 * templates->room : 16;
		templates->list = xrealloc(templates->list, templates->room,
		    sizeof(*templates->list));
	}
	template = arena_alloc(templates->arena, sizeof(*template));
	template->layer = layer;
	templates->list[templates->count++] = template;
	table_puts(templates->by_dn, layer->key, template);
	return template;
}

void
templates_add(struct templates *templates, struct layer *layer,
    struct findings *findings)
{
	struct template *template = add(templates, layer);

	if (strcmp(layer->name, "global") != 0)
		return;
	if (templates->global == NULL)
		templates->global = template;
	else
		findings_add(findings, FINDING_ERROR, layer->dn, "cn",
		    layer->name, "%s is global: this one only where it is "
		    "referred to", templates->global->layer->dn);
}

const struct template *
templates_get(const struct templates *templates, const char *key)
{
	return table_gets(templates->by_dn, key);
}

struct template *
templates_find(struct templates *templates, const char *key)
{
	struct template *found = table_gets(templates->by_dn, key);
	const struct template *last;

	if (found != NULL || templates->previous == NULL)
		return found;
	if ((last = templates_get(templates->previous, key)) == NULL)
		return NULL;
	found = add(templates, layer_hold(last->layer));
	found->is_kept = true;
	return found;
}

struct template *
templates_of(struct templates *templates, const struct layer *layer,
    struct findings *findings)
{
	struct template *found;

	if (layer->template_key == NULL)
		return NULL;
	found = templates_find(templates, layer->template_key);
	if (found == NULL || found->is_kept)
		findings_add(findings, FINDING_ERROR, layer->dn,
		    "posternTemplate", layer->template_key,
		    "no such entry; %s", found != NULL
		    ? "its last form serves" : "inherited from global");
	return found;
}

/* Each template once on the way up; how many, without global */
static size_t
climb(const struct templates *templates, const struct template *from,
    const struct layer **out, size_t max)
{
	const struct template *at;
	size_t count = 0, i;

	for (at = from; at != NULL && at != templates->global;
	    at = at->parent) {
		for (i = 0; i < count && out[i] != at->layer; i++)
			;
		if (i < count || count == max)
			break;
		out[count++] = at->layer;
	}
	return count;
}

static void
report_loop(const struct template *first, struct findings *findings)
{
	struct arena *arena = arena_new(0);
	const char *path = first->layer->name;
	const struct template *at = first;

	do {
		at = at->parent;
		path = arena_printf(arena, "%s -> %s", path, at->layer->name);
	} while (at != first);
	findings_add(findings, FINDING_ERROR, first->layer->dn,
	    "posternTemplate", first->layer->template_key,
	    "a loop: %s; each is used once", path);
	arena_free(arena);
}

/* Marks what it passes: a mark of this very walk closes a loop, an older one
 * has been looked at */
static void
check_way_up(struct template *from, size_t walk, struct findings *findings)
{
	struct template *at;

	for (at = from; at != NULL && at->walk == 0; at = at->parent)
		at->walk = walk;
	if (at != NULL && at->walk == walk)
		report_loop(at, findings);
}

static void
check_depth(const struct templates *templates, const struct template *from,
    struct findings *findings)
{
	const struct layer *layers[TEMPLATE_DEPTH_MAX + 1];

	if (climb(templates, from, layers,
	    TEMPLATE_DEPTH_MAX + 1) > TEMPLATE_DEPTH_MAX)
		findings_add(findings, FINDING_ERROR, from->layer->dn,
		    "posternTemplate", from->layer->template_key,
		    "more than %d templates deep: what lies beyond is not "
		    "used, but global", TEMPLATE_DEPTH_MAX);
}

void
templates_link(struct templates *templates, struct findings *findings)
{
	struct template *template;
	size_t i;

	/* The list grows meanwhile by those that have vanished */
	for (i = 0; i < templates->count; i++) {
		template = templates->list[i];
		if (template != templates->global)
			template->parent = templates_of(templates,
			    template->layer, findings);
		else if (template->layer->template_key != NULL)
			findings_add(findings, FINDING_NOTE,
			    template->layer->dn, "posternTemplate",
			    template->layer->template_key,
			    "no effect: global ends every chain");
	}
	for (i = 0; i < templates->count; i++) {
		check_way_up(templates->list[i], i + 1, findings);
		check_depth(templates, templates->list[i], findings);
	}
	templates->previous = NULL;
}

size_t
template_chain(const struct templates *templates,
    const struct template *from, const struct layer **out)
{
	size_t count = climb(templates, from, out, TEMPLATE_DEPTH_MAX);

	if (templates->global != NULL)
		out[count++] = templates->global->layer;
	return count;
}
