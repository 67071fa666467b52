/* SPDX-License-Identifier: ISC */
/* keyview.c - looks at each key as dkimsign would, with the code by which it
 * chooses them, and words what comes of it. Shows no private half. */
#include "dkimsign/keyview.h"

#include <stdlib.h>
#include <string.h>

#include "common/xmalloc.h"
#include "dkimsign/keyring.h"
#include "dkimsign/pubkey.h"

#define KEYS_MAX 64	/* parsed at a time: those of one tenant */

const char *const keyview_words[] = {
	[KEYVIEW_SIGNS] = "signs",
	[KEYVIEW_OFF] = "off",
	[KEYVIEW_NOT_YET] = "not-yet",
	[KEYVIEW_OLDER] = "older",
	[KEYVIEW_BAD] = "bad",
	[KEYVIEW_RETIRED] = "retired",
	[KEYVIEW_WITHDRAWN] = "withdrawn",
};

struct keyviewer {
	struct verifier *verifier;
	struct keycache *cache;
};

struct keyviewer *
keyviewer_new(const char *passphrase, unsigned min_rsa_bits,
    const char **why)
{
	struct keycache_settings settings = { .passphrase = passphrase,
		.min_rsa_bits = min_rsa_bits, .max_keys = KEYS_MAX,
		.is_quiet = true };
	struct verifier *verifier = verifier_new(why);
	struct keyviewer *viewer;

	if (verifier == NULL)
		return NULL;
	viewer = xcalloc(1, sizeof(*viewer));
	viewer->verifier = verifier;
	viewer->cache = keycache_new(&settings, verifier);
	return viewer;
}

void
keyviewer_free(struct keyviewer *viewer)
{
	if (viewer == NULL)
		return;
	keycache_free(viewer->cache);
	verifier_free(viewer->verifier);
	free(viewer);
}

/* What was found wrong with the entry when it was read, or NULL */
static const char *
entry_fault(const struct snapshot *snapshot, const struct layer *layer,
    struct arena *arena)
{
	const struct findings *findings = snapshot_findings(snapshot);
	const struct finding *finding;
	size_t i;

	for (i = 0; i < findings_count(findings); i++) {
		finding = findings_at(findings, i);
		if (finding->level == FINDING_ERROR &&
		    strcmp(finding->dn, layer->dn) == 0)
			return arena_printf(arena, "%s: %s",
			    finding->attribute, finding->reason);
	}
	return NULL;
}

/* Why it will never sign, or NULL */
static const char *
fault_of(const struct keyviewer *viewer, const struct snapshot *snapshot,
    const struct keyview *view, struct arena *arena)
{
	const char *why = entry_fault(snapshot, view->layer, arena);

	if (why != NULL)
		return why;
	if (view->entry->private_key == NULL)
		return "no private half, or none that we may read";
	return keycache_try(viewer->cache, view->layer, &why) == -1 ? why
	    : NULL;
}

static enum keyview_state
state_of(const struct keyview *view, int64_t now_ms)
{
	if (now_ms >= view->entry->not_after_ms)
		return view->entry->private_key != NULL ? KEYVIEW_RETIRED
		    : KEYVIEW_WITHDRAWN;
	if (*view->reason != '\0')
		return KEYVIEW_BAD;
	return now_ms < view->entry->not_before_ms ? KEYVIEW_NOT_YET
	    : KEYVIEW_OLDER;
}

/* By the public half that the entry has; a key that has none is its own */
static void
describe(struct keyview *view, const char *public, struct arena *arena)
{
	struct pubkey pubkey;
	const char *why;

	if (public == NULL || pubkey_read(public, &pubkey, &why) == -1)
		return;
	view->algorithm = signkey_words[pubkey.algorithm];
	view->bits = pubkey.bits;
	view->record = arena_printf(arena, "v=DKIM1; k=%s; p=%s",
	    view->algorithm, public);
}

static void
look_at(const struct keyviewer *viewer, const struct snapshot *snapshot,
    const struct layer *layer, int64_t now_ms, struct arena *arena,
    struct keyview *view)
{
	const char *fault;

	*view = (struct keyview){ .layer = layer,
		.entry = dkim_entry_of(layer), .selector = "",
		.algorithm = "", .reason = "" };
	if (view->entry->selector != NULL)
		view->selector = view->entry->selector;
	describe(view, view->entry->public_key, arena);
	if (now_ms < view->entry->not_after_ms &&
	    (fault = fault_of(viewer, snapshot, view, arena)) != NULL)
		view->reason = fault;
	view->state = state_of(view, now_ms);
}

/* Those that dkimsign would take, and what is only known of a parsed key */
static void
mark_chosen(struct keyviewer *viewer, const struct snapshot *snapshot,
    const struct tenant *tenant, int64_t now_ms, struct arena *arena,
    struct keyview *views, size_t count)
{
	struct cached_key chosen[SIGNKEY_ALGORITHMS];
	bool has_bad, is_off = dkim_signing_of(snapshot, tenant) ==
	    DKIM_SIGNING_OFF;
	size_t i, j, keys = keyring_choose(viewer->cache, snapshot, tenant,
	    now_ms, arena, chosen, &has_bad);

	for (i = 0; i < keys; i++) {
		for (j = 0; j < count; j++)
			if (strcmp(views[j].layer->key, chosen[i].dn) == 0)
				views[j].state = is_off ? KEYVIEW_OFF
				    : KEYVIEW_SIGNS;
		signkey_release(chosen[i].key);
	}
}

/* The public half of a key whose entry does not have it */
static void
describe_by_private(struct keyviewer *viewer, struct arena *arena,
    struct keyview *view)
{
	struct cached_key key;

	if (view->entry->public_key != NULL ||
	    view->entry->private_key == NULL || *view->reason != '\0')
		return;
	keycache_get(viewer->cache, view->layer, arena, &key);
	if (key.key != NULL)
		describe(view, signkey_public(key.key), arena);
	signkey_release(key.key);
}

size_t
keyview_all(struct keyviewer *viewer, const struct snapshot *snapshot,
    const struct tenant *tenant, int64_t now_ms, struct arena *arena,
    struct keyview **out)
{
	const struct layer *layer;
	struct keyview *views;
	size_t i, count = 0;

	while (snapshot_key_at(snapshot, tenant, count) != NULL)
		count++;
	views = arena_alloc(arena, count * sizeof(*views));
	for (i = 0; (layer = snapshot_key_at(snapshot, tenant, i)) != NULL;
	    i++) {
		look_at(viewer, snapshot, layer, now_ms, arena, &views[i]);
		describe_by_private(viewer, arena, &views[i]);
	}
	mark_chosen(viewer, snapshot, tenant, now_ms, arena, views, count);
	*out = views;
	return count;
}
