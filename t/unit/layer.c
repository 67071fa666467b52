/* SPDX-License-Identifier: ISC */
/* t/unit/layer.c - what one entry says, and what is wrong with it. */
#include "common/layer.h"

#include "t/unit/ldif_text.h"
#include "t/unit/tap.h"

/* The layer as one text: KIND name [domain or mail ...] <template> */
static char told[1024];
static struct findings *findings;
static struct layer *made;

static void
tell(void *arg, const struct entry *entry)
{
	static const char letters[] = "TDMK";
	enum layer_kind kind;
	struct layer *l;
	size_t i, used;

	(void)arg;
	if (!layer_kind_of(entry, &kind)) {
		strcpy(told, "none of ours");
		return;
	}
	if ((l = layer_new(entry, kind, parse_status, findings)) == NULL) {
		strcpy(told, "refused");
		return;
	}
	used = (size_t)snprintf(told, sizeof(told), "%s%c %s",
	    l->is_good ? "" : "bad ", letters[l->kind], l->name);
	for (i = 0; i < l->domain_count; i++)
		used += (size_t)snprintf(told + used, sizeof(told) - used,
		    " %s", l->domains[i]);
	for (i = 0; i < l->mail_count; i++)
		used += (size_t)snprintf(told + used, sizeof(told) - used,
		    " %s", l->mails[i]);
	if (l->template_key != NULL)
		snprintf(told + used, sizeof(told) - used, " <%s>",
		    l->template_key);
	layer_release(made);
	made = l;
}

#define DOMAIN "dn: DC=Client1.Example,dc=m\nobjectClass: posternDomain\n"
#define MAILBOX "dn: uid=u,dc=m\nobjectClass: posternMailbox\n"
#define TEMPLATE "dn: cn=Gold,dc=m\nobjectClass: posternTemplate\n"

static const struct {
	const char *name, *text, *told, *finding;
} rows[] = {
	{ "a tenant's id is its RDN value in lower case",
	    DOMAIN "associatedDomain: A.example\n",
	    "D client1.example a.example", NULL },
	{ "an escaped RDN value is unescaped",
	    "dn: o=A\\2C B,dc=m\nobjectClass: posternDomain\n"
	    "associatedDomain: a.example\n", "D a, b a.example", NULL },
	{ "a U-label is converted",
	    DOMAIN "associatedDomain:: YsO8Y2hlci5leGFtcGxl\n",
	    "D client1.example xn--bcher-kva.example", NULL },
	{ "a bad domain is reported, the others hold",
	    DOMAIN "associatedDomain: a b\nassociatedDomain: b.example\n",
	    "bad D client1.example b.example",
	    "associatedDomain: a b: not a domain name" },
	{ "a tenant without a usable domain is refused",
	    DOMAIN "associatedDomain: a b\n", "refused",
	    "not a domain name" },
	{ "a tenant without any domain is refused", DOMAIN, "refused",
	    "associatedDomain: missing" },
	{ "a template is named by cn", TEMPLATE "posternTemplate: CN = Up,"
	    "dc=m\n", "T gold <cn=up,dc=m>", NULL },
	{ "a template may be a policy, too", TEMPLATE
	    "objectClass: posternPolicy\n", "T gold", NULL },
	{ "a template with another RDN is refused",
	    "dn: ou=x\nobjectClass: posternTemplate\ncn: x\n", "refused",
	    "a template's DN begins with cn=NAME" },
	{ "a template that is no DN is reported",
	    TEMPLATE "posternTemplate: up\n", "bad T gold",
	    "posternTemplate: up: not a DN" },
	{ "two templates are reported", TEMPLATE "posternTemplate: cn=a\n"
	    "posternTemplate: cn=b\n", "bad T gold", "more than one value" },
	{ "a mailbox is named by its least mail, quoting undone",
	    MAILBOX "mail: b+c@a.example\nmail: \"Anna\"@A.example\n",
	    "M anna@a.example b+c@a.example anna@a.example", NULL },
	{ "a bad mail is reported, the others hold",
	    MAILBOX "mail: anna\nmail: <>\nmail: b@a.example\n",
	    "bad M b@a.example b@a.example",
	    "mail: anna: not a mail address" },
	{ "a mailbox without mail is refused", MAILBOX, "refused",
	    "mail: missing" },
	{ "posternTemplate on a mailbox has no effect",
	    MAILBOX "mail: b@a.example\nposternTemplate: cn=a\n",
	    "M b@a.example b@a.example",
	    "posternTemplate: cn=a: no effect on a mailbox" },
	{ "tenant and mailbox in one is a tenant, and reported",
	    DOMAIN "objectClass: posternMailbox\nmail: a@a.example\n"
	    "associatedDomain: a.example\n",
	    "bad D client1.example a.example",
	    "no effect: the entry is a tenant" },
	{ "the pseudo-tenant's id cannot be taken", "dn: dc=-,dc=m\n"
	    "objectClass: domain\nobjectClass: posternDomain\n"
	    "associatedDomain: a.example\n", "refused", "is reserved" },
	{ "a key is named by cn", "dn: cn=K1,dc=m\n"
	    "objectClass: posternDkimKey\n", "K k1", NULL },
	{ "a key inherits from nothing", "dn: cn=k,dc=m\n"
	    "objectClass: posternDkimKey\nobjectClass: posternPolicy\n"
	    "posternTemplate: cn=a\n", "K k", NULL },
	{ "a key with another RDN is refused", "dn: dc=k,dc=m\n"
	    "objectClass: posternDkimKey\n", "refused",
	    "a key's DN begins with cn=NAME" },
	{ "what has no class of ours is not a layer",
	    "dn: cn=k,dc=m\nobjectClass: domain\n", "none of ours", NULL },
	{ "the daemon's finding makes it bad",
	    TEMPLATE "posternStatus: bad\n", "bad T gold", "no such word" },
	{ "a damaged entry makes it bad", TEMPLATE "cn:: %\n", "bad T gold",
	    "not base64" },
};

static void
read_one(const char *text)
{
	const char *why;

	findings_free(findings);
	findings = findings_new();
	if (ldif_read(ldif_file(text, strlen(text)), tell, NULL, findings,
	    &why) != 0)
		strcpy(told, why);
}

int
main(void)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		read_one(rows[i].text);
		tap_is(told, rows[i].told, rows[i].name);
		if (rows[i].finding == NULL)
			tap_int((int64_t)findings_count(findings), 0,
			    "and nothing is found");
		else
			tap_ok(is_found(findings, rows[i].finding),
			    "and the finding says so");
	}
	read_one(TEMPLATE "posternStatus: active\n");
	tap_is(made->policy, "active", "the daemon's parser gives the policy");
	tap_is(made->dn, "cn=Gold,dc=m", "the DN stays as written");
	tap_is(made->key, "cn=gold,dc=m", "the key is normalised");
	tap_is(made->created, "", "no createTimestamp is empty");
	read_one(TEMPLATE);
	layer_release(layer_hold(made));
	tap_is(made->name, "gold", "a layer that is held stays");
	layer_release(made);
	findings_free(findings);
	return tap_done();
}
