/* SPDX-License-Identifier: ISC */
/* t/unit/dkim_entry.c - what an entry says about signing, and about its key. */
#include "dkimsign/dkim_entry.h"

#include "t/unit/ldif_text.h"
#include "t/unit/tap.h"

#define BAD INT64_MIN

static const struct {
	const char *name, *text;
	int64_t want_ms;	/* BAD: refused */
} times[] = {
	{ "seconds, UTC", "20261120103000Z", INT64_C(1795170600000) },
	{ "the epoch", "19700101000000Z", 0 },
	{ "before it", "19691231235959Z", -1000 },
	{ "never", "99991231235959Z", INT64_C(253402300799000) },
	{ "no seconds", "202611201030Z", INT64_C(1795170600000) },
	{ "no minutes", "2026112010Z", INT64_C(1795168800000) },
	{ "a fraction counts for nothing", "20261120103000.999Z",
	    INT64_C(1795170600000) },
	{ "a comma is as good", "20261120103000,5Z", INT64_C(1795170600000) },
	{ "east of Greenwich", "20261120113000+0100", INT64_C(1795170600000) },
	{ "west of Greenwich", "20261120050000-0530", INT64_C(1795170600000) },
	{ "an offset of hours", "20261120113000+01", INT64_C(1795170600000) },
	{ "a leap day", "20240229000000Z", INT64_C(1709164800000) },
	{ "no leap day", "20230229000000Z", BAD },
	{ "the 31st of April", "20260431000000Z", BAD },
	{ "month 0", "20260001000000Z", BAD },
	{ "month 13", "20261301000000Z", BAD },
	{ "day 0", "20261100000000Z", BAD },
	{ "hour 24", "20261120240000Z", BAD },
	{ "minute 60", "20261120106000Z", BAD },
	{ "second 60", "20261231235960Z", BAD },
	{ "no zone", "20261120103000", BAD },
	{ "a zone of another hour", "20261120103000+2400", BAD },
	{ "something behind", "20261120103000Z ", BAD },
	{ "a point without a fraction", "20261120103000.Z", BAD },
	{ "two-digit year", "261120103000Z", BAD },
	{ "a date as people write it", "2026-11-20", BAD },
	{ "nothing", "", BAD },
};

static void
test_times(void)
{
	const char *why;
	int64_t ms;
	size_t i;

	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		ms = BAD;
		if (generalized_time(times[i].text, &ms, &why) != 0)
			ms = BAD;
		tap_int(ms, times[i].want_ms, times[i].name);
	}
}

#define TENANT "dn: dc=a\nobjectClass: posternDomain\n" \
    "associatedDomain: a.example\n"
#define KEY TENANT "\ndn: cn=k,dc=a\nobjectClass: posternDkimKey\n"
#define PRIVATE "posternDkimPrivateKey: secret words\n"

/* The one key of the one tenant */
static const struct {
	const char *name, *ldif, *finding;	/* NULL: none */
	bool has_private;
} keys[] = {
	{ "the least that is useful", KEY "posternDkimSelector: s\n" PRIVATE,
	    NULL, true },
	{ "all of it", KEY "posternDkimSelector: s\n" PRIVATE
	    "posternDkimPublicKey: AAAA\n"
	    "posternDkimNotBefore: 20260101000000Z\n"
	    "posternDkimNotAfter: 20270101000000Z\n"
	    "posternDkimPublishedSince: 20260101000000Z\n", NULL, true },
	{ "a withdrawn one", KEY "posternDkimSelector: s\n", NULL, false },
	{ "no selector", KEY PRIVATE,
	    "cn=k,dc=a: posternDkimSelector: missing", false },
	{ "a selector that is none", KEY "posternDkimSelector: a b\n" PRIVATE,
	    "posternDkimSelector: a b: not DNS labels", false },
	{ "two selectors", KEY "posternDkimSelector: a\n"
	    "posternDkimSelector: b\n" PRIVATE,
	    "posternDkimSelector: a: only one value is allowed", false },
	{ "two private keys", KEY "posternDkimSelector: a\n" PRIVATE
	    "posternDkimPrivateKey: others\n",
	    "cn=k,dc=a: posternDkimPrivateKey: only one value", false },
	{ "a time that is none", KEY "posternDkimSelector: a\n" PRIVATE
	    "posternDkimNotAfter: tomorrow\n",
	    "posternDkimNotAfter: tomorrow: a time as", false },
	{ "a public key that is none", KEY "posternDkimSelector: a\n" PRIVATE
	    "posternDkimPublicKey: v=DKIM1; p=\n",
	    "posternDkimPublicKey: v=DKIM1; p=: base64", false },
	{ "a NUL in the private key", KEY "posternDkimSelector: a\n"
	    "posternDkimPrivateKey:: c2VjAHJldA==\n",
	    "cn=k,dc=a: posternDkimPrivateKey: holds a NUL", false },
};

static const struct dkim_entry *
key_of(const struct snapshot *s)
{
	return dkim_entry_of(snapshot_key_at(s,
	    snapshot_tenant_by_id(s, "a"), 0));
}

static void
test_keys(void)
{
	const struct findings *findings;
	struct snapshot *s;
	size_t i, k;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		s = snapshot_of(keys[i].ldif, NULL, dkim_entry_parse);
		findings = snapshot_findings(s);
		tap_ok((key_of(s)->private_key != NULL) ==
		    keys[i].has_private, keys[i].name);
		tap_ok(keys[i].finding == NULL ? findings_count(findings) == 0
		    : is_found(findings, keys[i].finding),
		    "and what is found says so");
		tap_ok(!is_found(findings, "secret"), "but tells no secret");
		for (k = 0; k < findings_count(findings); k++)
			printf("# %s\n", finding_text(findings_at(findings,
			    k)));
		snapshot_release(s);
	}
}

static void
test_values(void)
{
	struct snapshot *s = snapshot_of(KEY "posternDkimSelector: S1.B\xc3\xbc"
	    "cher\n" PRIVATE "posternDkimPublicKey: AA BB\n\n"
	    "dn: cn=l,dc=a\nobjectClass: posternDkimKey\n"
	    "posternDkimSelector: s\n" PRIVATE
	    "posternDkimNotAfter: 20261120103000Z\n", NULL, dkim_entry_parse);
	const struct dkim_entry *key = key_of(s);

	tap_is(key->selector, "s1.xn--bcher-kva",
	    "a selector is made of A-labels in lower case");
	tap_is(key->public_key, "AABB", "blanks in base64 do not count");
	tap_ok(key->private_key_len == 12 &&
	    memcmp(key->private_key, "secret words", 12) == 0,
	    "the private key is there as it came");
	tap_ok(key->not_before_ms == INT64_MIN &&
	    key->not_after_ms == INT64_MAX, "no time is always");
	tap_int(dkim_entry_of(snapshot_key_at(s, snapshot_tenant_by_id(s, "a"),
	    1))->not_after_ms, INT64_C(1795170600000), "and a time is one");
	tap_ok(memcmp(key->version, dkim_entry_of(snapshot_key_at(s,
	    snapshot_tenant_by_id(s, "a"), 1))->version, 32) != 0,
	    "another selector is another version");
	snapshot_release(s);
}

/* posternDkimSigning on global, a template, the tenant */
static const struct {
	const char *name, *global, *template, *tenant;
	enum dkim_signing want;
} signings[] = {
	{ "said nowhere: on", "", "", "", DKIM_SIGNING_ON },
	{ "by global", "required", "", "", DKIM_SIGNING_REQUIRED },
	{ "the template is nearer", "required", "off", "", DKIM_SIGNING_OFF },
	{ "the tenant is nearest", "required", "off", "ON", DKIM_SIGNING_ON },
	{ "a bad word is inherited", "required", "", "maybe",
	    DKIM_SIGNING_REQUIRED },
};

static void
test_signing(void)
{
	char ldif[1024];
	struct snapshot *s;
	size_t i, used, k;

	for (i = 0; i < sizeof(signings) / sizeof(signings[0]); i++) {
		const char *const parts[][2] = {
			{ "dn: cn=global\nobjectClass: posternTemplate\n",
			    signings[i].global },
			{ "dn: cn=t\nobjectClass: posternTemplate\n",
			    signings[i].template },
			{ TENANT "posternTemplate: cn=t\n",
			    signings[i].tenant },
		};

		for (k = used = 0; k < 3; k++)
			used += (size_t)snprintf(ldif + used,
			    sizeof(ldif) - used, "%s%s%s\n\n", parts[k][0],
			    *parts[k][1] ? "posternDkimSigning: " : "",
			    parts[k][1]);
		s = snapshot_of(ldif, NULL, dkim_entry_parse);
		tap_ok(dkim_signing_of(s, snapshot_tenant_by_id(s, "a")) ==
		    signings[i].want, signings[i].name);
		snapshot_release(s);
	}
}

int
main(void)
{
	const char *const *names = dkim_entry_attributes();
	size_t count;

	test_times();
	test_keys();
	test_values();
	test_signing();
	for (count = 0; names[count] != NULL; count++)
		continue;
	tap_int((int64_t)count, 6, "six attributes are asked for");
	return tap_done();
}
