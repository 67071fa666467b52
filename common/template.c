/* SPDX-License-Identifier: ISC */
/* template.c - the way up from template to template, and where that must end:
 * at a loop, at a depth, at global. Pure. */
#include "common/template.h"

#include <string.h>

const struct node *
template_get(struct trie *const names[], const char *key)
{
	return key == NULL ? NULL
	    : name_first(name_get(names, NAME_TEMPLATE, key));
}

const struct node *
template_global(struct trie *const names[])
{
	return name_first(name_get(names, NAME_GLOBAL, "global"));
}

static const struct node *
parent_of(struct trie *const names[], const struct node *template)
{
	return template_get(names, template->layer->template_key);
}

/* Each template once on the way up; how many, without global */
static size_t
climb(struct trie *const names[], const char *key,
    const struct layer **out, size_t max)
{
	const struct node *global = template_global(names);
	const struct node *at = template_get(names, key);
	size_t count = 0, i;

	for (; at != NULL && at != global; at = parent_of(names, at)) {
		for (i = 0; i < count && out[i] != at->layer; i++)
			;
		if (i < count || count == max)
			break;
		out[count++] = at->layer;
	}
	return count;
}

size_t
template_chain(struct trie *const names[], const char *key,
    const struct layer **out)
{
	size_t count = climb(names, key, out, TEMPLATE_DEPTH_MAX);
	const struct node *global = template_global(names);

	if (global != NULL)
		out[count++] = global->layer;
	return count;
}

void
template_check_reference(struct trie *const names[],
    const struct layer *layer, struct findings *findings)
{
	const struct node *found = template_get(names,
	    layer->template_key);

	if (layer->template_key != NULL && (found == NULL || found->is_gone))
		findings_add(findings, FINDING_ERROR, layer->dn,
		    "posternTemplate", layer->template_key,
		    "no such entry; %s", found != NULL
		    ? "its last form serves" : "inherited from global");
}

/* Its way up leads back to it, and past none that is older: so that of each
 * loop one template tells */
static bool
is_eldest_of_loop(struct trie *const names[],
    const struct node *template)
{
	const struct node *global = template_global(names), *at = template;
	size_t left = trie_count(names[NAME_TEMPLATE]);

	do {
		at = parent_of(names, at);
		if (at == NULL || at == global ||
		    node_seniority(at, template) < 0)
			return false;
	} while (at != template && --left > 0);
	return at == template;
}

static void
check_loop(struct trie *const names[], const struct node *template,
    struct findings *findings)
{
	const char *path = template->layer->name;
	const struct node *at = template;
	struct arena *arena;

	if (!is_eldest_of_loop(names, template))
		return;
	arena = arena_new(0);
	do {
		at = parent_of(names, at);
		path = arena_printf(arena, "%s -> %s", path, at->layer->name);
	} while (at != template);
	findings_add(findings, FINDING_ERROR, template->layer->dn,
	    "posternTemplate", template->layer->template_key,
	    "a loop: %s; each is used once", path);
	arena_free(arena);
}

static void
check_depth(struct trie *const names[], const struct layer *layer,
    struct findings *findings)
{
	const struct layer *layers[TEMPLATE_DEPTH_MAX + 1];

	if (climb(names, layer->key, layers,
	    TEMPLATE_DEPTH_MAX + 1) > TEMPLATE_DEPTH_MAX)
		findings_add(findings, FINDING_ERROR, layer->dn,
		    "posternTemplate", layer->template_key,
		    "more than %d templates deep: what lies beyond is not "
		    "used, but global", TEMPLATE_DEPTH_MAX);
}

void
template_check(struct trie *const names[], const struct node *template,
    struct findings *findings)
{
	const struct node *global = template_global(names);
	const struct layer *layer = template->layer;

	if (template == global && layer->template_key != NULL)
		findings_add(findings, FINDING_NOTE, layer->dn,
		    "posternTemplate", layer->template_key,
		    "no effect: global ends every chain");
	if (template == global)
		return;
	if (strcmp(layer->name, "global") == 0 && !template->is_gone)
		findings_add(findings, FINDING_ERROR, layer->dn, "cn",
		    layer->name, "%s is global: this one only where it is "
		    "referred to", global->layer->dn);
	template_check_reference(names, layer, findings);
	check_loop(names, template, findings);
	check_depth(names, layer, findings);
}
