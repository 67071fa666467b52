/* SPDX-License-Identifier: ISC */
/* t/unit/keyring.c - which keys sign now, and what serves where one is bad. */
#include "dkimsign/keyring.h"

#include <pthread.h>
#include <stdlib.h>

#include "dkimsign/dkim_entry.h"
#include "t/unit/key_ldif.h"
#include "t/unit/ldif_text.h"
#include "t/unit/rfc_keys.h"
#include "t/unit/tap.h"

#define RSA1 RFC6376_PEM
#define RSA2 RFC8463_RSA_PEM
#define ED RFC8463_ED25519_PEM
#define NOW INT64_C(1795170600000)	/* 20261120103000Z */
#define FROM(time) "posternDkimNotBefore: " time "\n"
#define TILL(time) "posternDkimNotAfter: " time "\n"
#define PUBLIC(key) "posternDkimPublicKey: " key "\n"

static struct arena *arena;
static struct verifier *verifier;

static struct keycache *
cache_of(unsigned min_rsa_bits, size_t max_keys)
{
	return keycache_new(&(struct keycache_settings){
	    .min_rsa_bits = min_rsa_bits, .max_keys = max_keys }, verifier);
}

/* Selectors of the keys chosen for tenant a, in order: "e1 r1", "-" behind
 * them where some key is bad */
static const char *
chosen(struct keycache *cache, const struct snapshot *s)
{
	struct cached_key keys[SIGNKEY_ALGORITHMS];
	const char *text = "";
	bool has_bad;
	size_t i, count = keyring_choose(cache, s,
	    snapshot_tenant_by_id(s, "a"), NOW, arena, keys, &has_bad);

	for (i = 0; i < count; i++) {
		text = arena_printf(arena, "%s%s%s", text, i > 0 ? " " : "",
		    keys[i].selector);
		signkey_release(keys[i].key);
	}
	return has_bad ? arena_printf(arena, "%s-", text) : text;
}

/* Up to four keys of one tenant */
static const struct {
	const char *name;
	struct { const char *selector, *pem, *rest; } keys[4];
	unsigned min_bits;
	const char *want;
} rows[] = {
	{ "no key", { { 0 } }, 1024, "" },
	{ "one that has no times", { { "s", RSA1, "" } }, 1024, "s" },
	{ "both algorithms, Ed25519 first", { { "r", RSA1, "" },
	    { "e", ED, "" } }, 1024, "e r" },
	{ "the later of two", { { "r1", RSA1, FROM("20260101000000Z") },
	    { "r0", RSA2, FROM("20260601000000Z") } }, 1024, "r0" },
	{ "of the same time, the greater selector",
	    { { "r1", RSA1, FROM("20260101000000Z") },
	    { "r2", RSA2, FROM("20260101000000Z") } }, 1024, "r2" },
	{ "one without a time is the oldest", { { "z", RSA1, "" },
	    { "a", RSA2, FROM("20200101000000Z") } }, 1024, "a" },
	{ "one whose time comes in a second",
	    { { "r1", RSA1, FROM("20260101000000Z") },
	    { "r2", RSA2, FROM("20261120103001Z") } }, 1024, "r1" },
	{ "one whose time is now", { { "r1", RSA1, FROM("20260101000000Z") },
	    { "r2", RSA2, FROM("20261120103000Z") } }, 1024, "r2" },
	{ "one whose time ends now", { { "r1", RSA1, FROM("20260101000000Z") },
	    { "r2", RSA2, FROM("20260601000000Z") TILL("20261120103000Z") } },
	    1024, "r1" },
	{ "one whose time ends in a second", { { "r1", RSA1, "" },
	    { "r2", RSA2, FROM("20260601000000Z") TILL("20261120103001Z") } },
	    1024, "r2" },
	{ "never is not now", { { "r1", RSA1, FROM("99991231235959Z") } },
	    1024, "" },
	{ "each algorithm has its own newest",
	    { { "r1", RSA1, FROM("20260101000000Z") },
	    { "e1", ED, FROM("20250101000000Z") },
	    { "r2", RSA2, FROM("20260601000000Z") } }, 1024, "e1 r2" },
	{ "a bad one leaves it to an older one",
	    { { "r1", RSA1, FROM("20260101000000Z") },
	    { "r2", "garbage", FROM("20260601000000Z") } }, 1024, "r1-" },
	{ "a bad one alone", { { "r2", "garbage", "" } }, 1024, "-" },
	{ "a bad one whose time has not come", { { "r1", RSA1, "" },
	    { "r2", "garbage", FROM("20270101000000Z") } }, 1024, "r1" },
	{ "one too short", { { "r1", RSA1, "" }, { "e", ED, "" } }, 2048,
	    "e-" },
	{ "one whose public key is another",
	    { { "r1", RSA1, PUBLIC("AAAA") } }, 1024, "-" },
	{ "one whose public key is given",
	    { { "r1", RSA1, PUBLIC(RFC6376_PUBLIC) } }, 1024, "r1" },
	{ "two of one selector: the newer", { { "s", RSA1, "" },
	    { "s", ED, FROM("20260101000000Z") } }, 1024, "s" },
	{ "one with a bad time does not sign", { { "r1", RSA1, "" },
	    { "r2", RSA2, FROM("yesterday") } }, 1024, "r1" },
};

static struct snapshot *
snapshot_with(const char *keys, const struct snapshot *previous)
{
	return snapshot_of(arena_printf(arena, "%s%s",
	    TENANT("a", "a.example"), keys), previous, dkim_entry_parse);
}

static void
test_rows(void)
{
	size_t i, k;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct keycache *cache = cache_of(rows[i].min_bits, 100);
		const char *keys = "";
		struct snapshot *s;

		for (k = 0; k < 4 && rows[i].keys[k].pem != NULL; k++)
			keys = arena_printf(arena, "%s%s", keys,
			    key_ldif(arena, "a", arena_printf(arena, "k%zu",
			    k), rows[i].keys[k].selector, rows[i].keys[k].pem,
			    rows[i].keys[k].rest));
		s = snapshot_with(keys, NULL);
		tap_is(chosen(cache, s), rows[i].want, rows[i].name);
		tap_is(chosen(cache, s), rows[i].want, "and once more");
		snapshot_release(s);
		keycache_free(cache);
	}
}

/* One entry in one form after the other */
static void
test_versions(void)
{
	static const struct {
		const char *name, *selector, *pem, *want;
	} forms[] = {
		{ "a first form that is bad", "s0", "garbage", "-" },
		{ "a good form", "s1", RSA1, "s1" },
		{ "a bad form: the last good one signs, by its own selector",
		    "s2", "garbage", "s1" },
		{ "another bad form", "s2", ED RSA1, "s1" },
		{ "a good form again", "s2", RSA2, "s2" },
		{ "the same key by another selector", "s3", RSA2, "s3" },
		{ "the selector before", "s2", RSA2, "s2" },
	};
	struct keycache *cache = cache_of(1024, 100);
	struct snapshot *s = NULL, *next;
	size_t i;

	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		next = snapshot_with(key_ldif(arena, "a", "k",
		    forms[i].selector, forms[i].pem, ""), s);
		snapshot_release(s);
		s = next;
		tap_is(chosen(cache, s), forms[i].want, forms[i].name);
	}
	next = snapshot_with("\ndn: cn=k,dc=a\nobjectClass: posternDkimKey\n"
	    "posternDkimSelector: s2\n", s);
	snapshot_release(s);
	tap_is(chosen(cache, next), "", "a withdrawn key signs no more");
	snapshot_release(next);
	next = snapshot_with("", NULL);
	tap_is(chosen(cache, next), "", "nor does one that is gone");
	snapshot_release(next);
	keycache_free(cache);
}

static void
test_take_out(void)
{
	struct keycache *cache = cache_of(1024, 100);
	struct snapshot *s = snapshot_with(key_ldif(arena, "a", "k", "s1",
	    RSA1, ""), NULL), *next;
	struct cached_key keys[SIGNKEY_ALGORITHMS];
	bool has_bad;

	keyring_choose(cache, s, snapshot_tenant_by_id(s, "a"), NOW, arena,
	    keys, &has_bad);
	keycache_take_out(cache, &keys[0], "test");
	tap_is(chosen(cache, s), "-", "what is taken out signs no more");
	next = snapshot_with(key_ldif(arena, "a", "k", "s2", RSA2, ""), s);
	tap_is(chosen(cache, next), "s2", "until its entry changes");
	keycache_take_out(cache, &keys[0], "test");
	tap_is(chosen(cache, next), "s2",
	    "a report on the old key does not concern the new one");
	signkey_release(keys[0].key);
	snapshot_release(next);
	snapshot_release(s);
	keycache_free(cache);
}

static void
test_bound(void)
{
	struct keycache *cache = cache_of(1024, 2);
	const char *r1 = key_ldif(arena, "a", "k1", "r1", RSA1,
	    FROM("20260101000000Z"));
	const char *e1 = key_ldif(arena, "a", "k2", "e1", ED, "");
	struct snapshot *three = snapshot_with(arena_printf(arena, "%s%s%s",
	    r1, key_ldif(arena, "a", "k0", "r0", RSA2,
	    FROM("20250101000000Z")), e1), NULL);
	struct snapshot *bad = snapshot_with(arena_printf(arena, "%s%s",
	    key_ldif(arena, "a", "k1", "r2", "garbage", ""), e1), three);

	tap_is(chosen(cache, three), "e1 r1",
	    "a cache for two keys serves a tenant of three");
	tap_is(chosen(cache, three), "e1 r1", "again");
	tap_is(chosen(cache, bad), "e1-", "who is pushed out has no last form");
	snapshot_release(bad);
	snapshot_release(three);
	keycache_free(cache);
}

static struct keycache *shared;

static void *
choose_often(void *arg)
{
	struct snapshot *const *snapshots = arg;
	struct arena *own = arena_new(0);
	struct cached_key keys[SIGNKEY_ALGORITHMS];
	size_t i, count, wrong = 0;
	bool has_bad;

	for (i = 0; i < 200; i++) {
		const struct snapshot *s = snapshots[i % 2];

		count = keyring_choose(shared, s, snapshot_tenant_by_id(s,
		    "a"), NOW, own, keys, &has_bad);
		wrong += count != 2;
		while (count > 0)
			signkey_release(keys[--count].key);
		arena_reset(own);
	}
	arena_free(own);
	return (void *)wrong;
}

static void
test_threads(void)
{
	struct snapshot *snapshots[2];
	pthread_t threads[4];
	size_t i, wrong = 0;
	void *result;

	shared = cache_of(1024, 1);
	for (i = 0; i < 2; i++)
		snapshots[i] = snapshot_with(arena_printf(arena, "%s%s",
		    key_ldif(arena, "a", "k1", i ? "r2" : "r1",
		    i ? RSA2 : RSA1, ""),
		    key_ldif(arena, "a", "k2", "e1", ED, "")), NULL);
	for (i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, choose_often, snapshots);
	for (i = 0; i < 4; i++) {
		pthread_join(threads[i], &result);
		wrong += (size_t)result;
	}
	tap_int((int64_t)wrong, 0, "four threads, two versions, room for one");
	for (i = 0; i < 2; i++)
		snapshot_release(snapshots[i]);
	keycache_free(shared);
}

static void
test_check(void)
{
	struct keycache *cache = cache_of(1024, 10);
	struct findings *findings = findings_new();
	struct snapshot *s = snapshot_with(arena_printf(arena, "%s%s",
	    key_ldif(arena, "a", "k1", "r1", RSA1, FROM("20270101000000Z")),
	    key_ldif(arena, "a", "k2", "r2", "garbage",
	    FROM("20270101000000Z"))), NULL);

	keyring_check(cache, s, NOW, findings);
	tap_ok(is_found(findings, "cn=k2,dc=a: posternDkimPrivateKey: "
	    "not a private key in PEM"), "a bad key is found before its time");
	tap_ok(is_found(findings, "dc=a: it has keys, but"),
	    "and a tenant of which none signs now");
	tap_int((int64_t)findings_count(findings), 2, "no more");
	findings_free(findings);
	snapshot_release(s);
	keycache_free(cache);
}

static const struct {
	const char *domain, *id, *own;
} nearest[] = {
	{ "a.example", "a", "a.example" },
	{ "x.y.a.example", "a", "a.example" },
	{ "b.a.example", "b", "b.a.example" },
	{ "x.b.a.example", "b", "b.a.example" },
	{ "xa.example", NULL, NULL },
	{ "example", NULL, NULL },
	{ "[192.0.2.1]", NULL, NULL },
	{ "", NULL, NULL },
};

static void
test_nearest(void)
{
	struct snapshot *s = snapshot_of(TENANT("a", "a.example") "\n"
	    TENANT("b", "b.a.example"), NULL, dkim_entry_parse);
	const struct tenant *tenant;
	const char *own;
	size_t i;

	for (i = 0; i < sizeof(nearest) / sizeof(nearest[0]); i++) {
		own = NULL;
		tenant = tenant_nearest(s, nearest[i].domain, &own);
		tap_is(tenant != NULL ? tenant->id : NULL, nearest[i].id,
		    nearest[i].domain);
		tap_is(own, nearest[i].own, "by this domain");
	}
	snapshot_release(s);
}

int
main(void)
{
	const char *why;

	tap_log();
	arena = arena_new(0);
	verifier = verifier_new(&why);
	test_rows();
	test_versions();
	test_take_out();
	test_bound();
	test_threads();
	test_check();
	test_nearest();
	verifier_free(verifier);
	arena_free(arena);
	return tap_done();
}
