/* SPDX-License-Identifier: ISC */
/* t/unit/ldap_mirror.c - what a server tells, in the order in which it may tell
 * it, and what is there then. The messages are libldap's own: the server is the
 * other end of a pair of sockets. */
#include "common/ldap_mirror.h"

#include <openldap.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "t/unit/tap.h"

static LDAP *ld;
static int server, msgid;
static struct ldap_mirror *mirror;
static char dns[1024];	/* what mails() says */

static const struct berval *
named(const char *id)
{
	static struct berval name;

	name = (struct berval){ strlen(id), (char *)id };
	return &name;
}

/* What the server sends, as it arrives. Frees ber. */
static LDAPMessage *
arrive(BerElement *ber)
{
	LDAPMessage *message = NULL;
	struct berval bytes;

	ber_flatten2(ber, &bytes, 0);
	if (write(server, bytes.bv_val, bytes.bv_len) != (ssize_t)bytes.bv_len ||
	    ldap_result(ld, msgid, LDAP_MSG_ONE, NULL, &message) !=
	    LDAP_RES_SEARCH_ENTRY)
		abort();
	ber_free(ber, 1);
	return message;
}

/* An entry with a tagged mail, and what is only told of a change, put into
 * the mirror: true as ldap_mirror_put() says */
static bool
put(const char *id, const char *dn, const char *mail)
{
	BerElement *ber = ber_alloc_t(LBER_USE_DER);
	LDAPMessage *message;
	bool has_left;

	ber_printf(ber, "{it{s{{s[s]}{s[s]}{s[s]}}}}", msgid,
	    (ber_tag_t)LDAP_RES_SEARCH_ENTRY, dn, "mail;lang-de", mail,
	    "hasSubordinates", "TRUE", "modifyTimestamp", "20261121005300Z");
	message = arrive(ber);
	has_left = ldap_mirror_put(mirror, id != NULL ? named(id) : NULL, ld,
	    message);
	ldap_msgfree(message);
	return has_left;
}

/* All mails, blank between, in order of DN */
static const char *seen[16];
static size_t seen_count;

static void
see(void *arg, const struct entry *entry)
{
	(void)arg;
	seen[seen_count++] = entry_first(entry, "mail");
}

static int
by_text(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static const char *
mails(void)
{
	struct source_reader to = { .take = see };
	size_t i;

	seen_count = 0;
	ldap_mirror_give(mirror, &to);
	qsort(seen, seen_count, sizeof(*seen), by_text);
	*dns = '\0';
	for (i = 0; i < seen_count; i++)
		sprintf(dns + strlen(dns), "%s%s", i > 0 ? " " : "", seen[i]);
	return dns;
}

static void
test_entries(void)
{
	const struct entry *entry;

	tap_is(mails(), "", "a new mirror is empty");
	put("1", "dc=a,dc=x", "a1");
	put("2", "dc=b,dc=x", "b1");
	tap_is(mails(), "a1 b1", "what was told is there");
	put("1", "dc=a,dc=x", "a2");
	tap_is(mails(), "a2 b1", "a new form replaces the one before");
	entry = ldap_mirror_get(mirror, named("1"));
	tap_ok(entry != NULL && entry_get(entry, "hasSubordinates") == NULL &&
	    entry_get(entry, "modifyTimestamp") == NULL,
	    "what is only told of a change is no part of an entry");
	ldap_mirror_remove(mirror, named("1"));
	ldap_mirror_remove(mirror, named("7"));
	tap_is(mails(), "b1", "what was removed has gone");
	tap_ok(ldap_mirror_get(mirror, named("1")) == NULL, "by its name, too");
	put("3", "not a DN", "c1");
	tap_is(mails(), "b1", "what has no DN is left out");
	put(NULL, "dc=C,dc=x", "c1");
	put(NULL, "dc=c, dc=x", "c2");
	tap_is(mails(), "b1 c2", "without a name the DN is it, in one form");
}

/* An entry as one text: its DN, and each value in order behind its name, with
 * a dot for a NUL */
static const char *
text_of(const struct entry *entry)
{
	static char text[512];
	char *at = text + sprintf(text, "%s", entry->dn);
	const struct entry_value *value;
	size_t i, j, k;

	for (i = 0; i < entry->count; i++)
		for (j = 0; j < entry->attributes[i].count; j++) {
			value = &entry->attributes[i].values[j];
			at += sprintf(at, " %s=", entry->attributes[i].name);
			for (k = 0; k < value->len; k++)
				*at++ = value->text[k] ? value->text[k] : '.';
			*at = value->text[k];
		}
	return text;
}

static void
test_values(void)
{
	BerElement *ber = ber_alloc_t(LBER_USE_DER);
	const char *id = "r1", with_nul[] = "a\0b";
	const struct entry *entry;
	struct berval **values;
	LDAPMessage *message;

	ber_printf(ber, "{it{s{{s[so]}{s[]}{s[s]}{s[s]}{s[sss]}}}}", msgid,
	    (ber_tag_t)LDAP_RES_SEARCH_ENTRY, "UID=R , dc=x", "mail;x-a", "m1",
	    with_nul, (ber_len_t)3, "description", ";x-b", "nameless",
	    "Mail", "m2", "cn", "", "c1", "");
	message = arrive(ber);
	ldap_mirror_put(mirror, named(id), ld, message);
	values = ldap_get_values_len(ld, message, "mail;x-a");
	tap_ok(values != NULL && values[1] != NULL && values[1]->bv_len == 3 &&
	    memcmp(values[1]->bv_val, "\0\0\0", 3) == 0,
	    "a value is wiped where it came from");
	ldap_value_free_len(values);
	ldap_msgfree(message);
	entry = ldap_mirror_get(mirror, named(id));
	tap_is(text_of(entry), "UID=R , dc=x mail=m1 mail=a.b mail=m2 cn= "
	    "cn=c1 cn=", "an entry has the values that it came with");
	tap_is(entry->key, "uid=r,dc=x", "and its DN in the one form, too");
	ldap_mirror_remove(mirror, named(id));
}

static void
test_moves(void)
{
	put("1", "dc=a,dc=x", "a1");
	tap_ok(!put("2", "dc=b,dc=x", "b2"), "a change is no move");
	tap_ok(!put("2", "dc=bb,dc=x", "b3"), "nor is a move of one alone");
	put("4", "uid=m,dc=a,dc=x", "m1");
	tap_ok(put("1", "dc=aa,dc=x", "a2"),
	    "where others stand below the DN before, that is told");
	put("5", "uid=m,dc=bbb,dc=x", "m2");
	tap_ok(!put("2", "dc=b,dc=x", "b4"),
	    "one whose DN ends alike does not stand below it");
}

static void
test_one_dn(void)
{
	put("8", "dc=same,dc=x", "s1");
	put("9", "dc=Same,dc=x", "s2");
	tap_ok(strstr(mails(), "s1") == NULL && strstr(dns, "s2") != NULL,
	    "of two with one DN the later holds");
	put("8", "dc=same,dc=x", "s3");
	tap_ok(strstr(mails(), "s3") != NULL && strstr(dns, "s2") == NULL,
	    "whichever was there first");
	ldap_mirror_remove(mirror, named("8"));
	tap_ok(strstr(mails(), "s2") != NULL, "when it goes, the other holds");
}

static void
test_rounds(void)
{
	ldap_mirror_begin(mirror);
	ldap_mirror_see(mirror, named("2"));
	ldap_mirror_see(mirror, named("7"));
	put("4", "uid=m,dc=a,dc=x", "m3");
	put("6", "dc=new,dc=x", "n1");
	ldap_mirror_sweep(mirror);
	tap_is(mails(), "b4 m3 n1", "what was neither seen nor put goes");
	ldap_mirror_begin(mirror);
	ldap_mirror_sweep(mirror);
	tap_is(mails(), "", "nothing seen, nothing left");
}

/* The DNs of the news with their mails, or none */
static void
heard(void *arg, const struct entry *entry)
{
	(void)arg;
	sprintf(dns + strlen(dns), "%s=%s ", entry->key,
	    entry_first(entry, "mail"));
}

static void
heard_gone(void *arg, const char *key)
{
	(void)arg;
	sprintf(dns + strlen(dns), "%s ", key);
}

static const char *
news(void)
{
	struct source_reader to = { .take = heard, .gone = heard_gone };

	*dns = '\0';
	ldap_mirror_give_news(mirror, &to);
	ldap_mirror_forget_news(mirror);
	return dns;
}

static void
test_news(void)
{
	put("1", "dc=a,dc=x", "a1");
	put("2", "dc=b,dc=x", "b1");
	ldap_mirror_forget_news(mirror);
	tap_is(news(), "", "what was given is no news");
	put("1", "dc=a,dc=x", "a2");
	put("1", "dc=a,dc=x", "a3");
	tap_is(news(), "dc=a,dc=x=a3 ", "a change is, as it is at last");
	ldap_mirror_remove(mirror, named("2"));
	tap_is(news(), "dc=b,dc=x ", "and that one has gone");
	put("1", "dc=c,dc=x", "a3");
	news();
	tap_ok(strstr(dns, "dc=a,dc=x ") != NULL &&
	    strstr(dns, "dc=c,dc=x=a3 ") != NULL,
	    "a new DN is both");
	tap_is(news(), "", "each is told once");
}

int
main(void)
{
	int pair[2], version = LDAP_VERSION3;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 ||
	    ldap_init_fd(pair[0], LDAP_PROTO_IPC, NULL, &ld) != LDAP_SUCCESS)
		return 1;
	server = pair[1];
	ldap_set_option(ld, LDAP_OPT_PROTOCOL_VERSION, &version);
	if (ldap_search_ext(ld, "", LDAP_SCOPE_BASE, NULL, NULL, 0, NULL,
	    NULL, NULL, 0, &msgid) != LDAP_SUCCESS)
		return 1;
	mirror = ldap_mirror_new();
	test_entries();
	test_values();
	test_moves();
	test_one_dn();
	test_rounds();
	test_news();
	ldap_mirror_free(mirror);
	ldap_unbind_ext(ld, NULL, NULL);
	close(server);
	return tap_done();
}
