/* SPDX-License-Identifier: ISC */
/* keycache.c - parsed keys by their entry's DN, so that a new version of an
 * entry which is bad falls back to the last good one. A key signs only after
 * libopendkim has seen it sign; while one is parsed nobody waits for it. Next:
 * keyring.c. */
#include "dkimsign/keycache.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/log.h"
#include "common/metrics.h"
#include "common/table.h"
#include "common/xmalloc.h"
#include "dkimsign/dkim_entry.h"

#define FAULTS "postern_dkimsign_key_faults_total"
#define FAULTS_HELP "Keys refused when they were read, and keys taken out " \
    "because a signature did not verify."

static struct metric refused = {
	.name = FAULTS, .labels = "fault=\"refused\"", .help = FAULTS_HELP
};
static struct metric taken_out = {
	.name = FAULTS, .labels = "fault=\"taken-out\"", .help = FAULTS_HELP
};

/* What is known of one entry */
struct slot {
	TAILQ_ENTRY(slot) by_use;
	char *dn;
	uint8_t seen[32];	/* the version that was parsed last */
	struct signkey *good;	/* of this version or of one before; or NULL */
	char *selector;		/* that goes with it */
};

TAILQ_HEAD(by_use, slot);

struct keycache {
	struct keycache_settings settings;
	char *passphrase;
	struct verifier *verifier;
	pthread_mutex_t mutex;	/* of what follows; never held for long */
	struct table *slots;	/* by DN */
	struct by_use by_use;	/* used last first */
};

void
keycache_metrics(void)
{
	metric_register(&refused);
	metric_register(&taken_out);
}

struct keycache *
keycache_new(const struct keycache_settings *settings,
    struct verifier *verifier)
{
	struct keycache *cache = xcalloc(1, sizeof(*cache));

	cache->settings = *settings;
	if (settings->passphrase != NULL)
		cache->passphrase = xstrdup(settings->passphrase);
	cache->settings.passphrase = cache->passphrase;
	cache->verifier = verifier;
	cache->slots = table_new();
	TAILQ_INIT(&cache->by_use);
	pthread_mutex_init(&cache->mutex, NULL);
	return cache;
}

static void
slot_free(struct keycache *cache, struct slot *slot)
{
	TAILQ_REMOVE(&cache->by_use, slot, by_use);
	table_remove(cache->slots, slot->dn, strlen(slot->dn));
	signkey_release(slot->good);
	free(slot->selector);
	free(slot->dn);
	free(slot);
}

void
keycache_free(struct keycache *cache)
{
	struct slot *slot;

	if (cache == NULL)
		return;
	while ((slot = TAILQ_FIRST(&cache->by_use)) != NULL)
		slot_free(cache, slot);
	if (cache->passphrase != NULL)
		OPENSSL_cleanse(cache->passphrase,
		    strlen(cache->passphrase));
	free(cache->passphrase);
	table_free(cache->slots);
	pthread_mutex_destroy(&cache->mutex);
	free(cache);
}

/* The key of this entry, proven, or NULL and *why */
static struct signkey *
parse(const struct keycache *cache, const struct dkim_entry *entry,
    enum verify_outcome *outcome, const char **why)
{
	struct signkey *key = signkey_new(entry->private_key,
	    entry->private_key_len, cache->passphrase,
	    cache->settings.min_rsa_bits, entry->public_key, why);

	*outcome = VERIFY_BAD;
	if (key != NULL)
		*outcome = verify_key(cache->verifier, key, why);
	if (*outcome == VERIFY_GOOD)
		return key;
	signkey_release(key);
	return NULL;
}

static struct slot *
make_slot(struct keycache *cache, const char *dn)
{
	struct slot *slot = xcalloc(1, sizeof(*slot));

	if (table_count(cache->slots) >= cache->settings.max_keys)
		slot_free(cache, TAILQ_LAST(&cache->by_use, by_use));
	slot->dn = xstrdup(dn);
	table_puts(cache->slots, slot->dn, slot);
	TAILQ_INSERT_HEAD(&cache->by_use, slot, by_use);
	return slot;
}

/* What is known of this entry, made anew where nothing is: now the slot that
 * was used last. Under the mutex. */
static struct slot *
use_slot(struct keycache *cache, const char *dn)
{
	struct slot *slot = table_gets(cache->slots, dn);

	if (slot == NULL)
		return make_slot(cache, dn);
	TAILQ_REMOVE(&cache->by_use, slot, by_use);
	TAILQ_INSERT_HEAD(&cache->by_use, slot, by_use);
	return slot;
}

/* The slot's key, held for the caller; its key NULL where it has none */
static void
copy_key(const struct slot *slot, const struct layer *layer,
    struct arena *arena, struct cached_key *out)
{
	*out = (struct cached_key){ .dn = layer->key };
	if (slot->good == NULL)
		return;
	out->key = signkey_hold(slot->good);
	out->selector = arena_strdup(arena, slot->selector);
}

static bool
find_known(struct keycache *cache, const struct layer *layer,
    struct arena *arena, struct cached_key *out)
{
	const struct dkim_entry *entry = dkim_entry_of(layer);
	struct slot *slot;
	bool is_known;

	pthread_mutex_lock(&cache->mutex);
	slot = use_slot(cache, layer->key);
	is_known = memcmp(slot->seen, entry->version, sizeof(slot->seen)) == 0;
	if (is_known)
		copy_key(slot, layer, arena, out);
	pthread_mutex_unlock(&cache->mutex);
	return is_known;
}

/* Takes over key, which is this version's, or NULL where that is bad. True:
 * nobody was faster. */
static bool
learn(struct keycache *cache, const struct layer *layer, struct signkey *key,
    struct arena *arena, struct cached_key *out)
{
	const struct dkim_entry *entry = dkim_entry_of(layer);
	struct slot *slot;
	bool is_news;

	pthread_mutex_lock(&cache->mutex);
	slot = use_slot(cache, layer->key);
	is_news = memcmp(slot->seen, entry->version, sizeof(slot->seen)) != 0;
	if (is_news && key != NULL) {
		signkey_release(slot->good);
		free(slot->selector);
		slot->good = signkey_hold(key);
		slot->selector = xstrdup(entry->selector);
	}
	memcpy(slot->seen, entry->version, sizeof(slot->seen));
	copy_key(slot, layer, arena, out);
	pthread_mutex_unlock(&cache->mutex);
	signkey_release(key);
	return is_news;
}

void
keycache_get(struct keycache *cache, const struct layer *layer,
    struct arena *arena, struct cached_key *out)
{
	enum verify_outcome outcome;
	struct signkey *key;
	const char *why;

	if (find_known(cache, layer, arena, out))
		return;
	key = parse(cache, dkim_entry_of(layer), &outcome, &why);
	*out = (struct cached_key){ .dn = layer->key };
	if (outcome == VERIFY_UNKNOWN)	/* the next message asks again */
		return;
	if (!learn(cache, layer, key, arena, out) || key != NULL)
		return;
	metric_add(&refused, 1);
	if (cache->settings.is_quiet)
		return;
	log_error(NULL, "key refused: dn=%s reason=\"%s\" serves=%s",
	    log_foreign(layer->dn), why, out->key == NULL ? "none"
	    : "last-good");
}

void
keycache_take_out(struct keycache *cache, const struct cached_key *key,
    const char *why)
{
	struct slot *slot;
	bool is_news = false;

	pthread_mutex_lock(&cache->mutex);
	slot = table_gets(cache->slots, key->dn);
	if (slot != NULL && slot->good == key->key) {
		signkey_release(slot->good);
		slot->good = NULL;
		is_news = true;
	}
	pthread_mutex_unlock(&cache->mutex);
	if (!is_news)
		return;
	metric_add(&taken_out, 1);
	log_error(NULL, "key taken out: dn=%s selector=%s "
	    "reason=\"a signature does not verify: %s\"",
	    log_foreign(key->dn), key->selector, why);
}

int
keycache_try(const struct keycache *cache, const struct layer *layer,
    const char **why)
{
	enum verify_outcome outcome;
	struct signkey *key = parse(cache, dkim_entry_of(layer), &outcome,
	    why);

	if (key == NULL)
		return -1;
	signkey_release(key);
	return 0;
}
