/* SPDX-License-Identifier: ISC */
/* layer.c - one entry becomes a template, a tenant, a mailbox or a key, in memory
 * of its own. Knows names, domains and addresses; never what a policy value
 * means, nor what other entries say. Next: node.c. */
#include "common/layer.h"

#include <ctype.h>
#include <ldap.h>
#include <string.h>
#include <strings.h>

#include "common/address.h"

/* Chunks of malloc's size 256: little is lost where an entry says little, and
 * 100,000 tenants with three policy values each take 130 MiB with all tables */
#define LAYER_BYTES 216

bool
layer_kind_of(const struct entry *entry, enum layer_kind *out)
{
	static const struct {
		const char *object_class;
		enum layer_kind kind;
	} rows[] = {	/* of several, the first */
		{ "posternDkimKey", LAYER_KEY },
		{ "posternTemplate", LAYER_TEMPLATE },
		{ "posternDomain", LAYER_TENANT },
		{ "posternMailbox", LAYER_MAILBOX },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		*out = rows[i].kind;
		if (entry_has_class(entry, rows[i].object_class))
			return true;
	}
	return false;
}

static char *
lower(char *text)
{
	char *at;

	for (at = text; *at != '\0'; at++)
		*at = (char)tolower((unsigned char)*at);
	return text;
}

/* The first RDN's value in lower case. NULL where it is of another type than
 * the one wanted (NULL: any). */
static const char *
rdn_value(struct arena *arena, const char *dn, const char *type)
{
	const LDAPAVA *first;
	LDAPDN parts = NULL;
	const char *value = NULL;

	if (ldap_str2dn(dn, &parts, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS)
		return NULL;
	first = parts[0][0];
	if (type == NULL || strcasecmp(first->la_attr.bv_val, type) == 0)
		value = lower(arena_strndup(arena, first->la_value.bv_val,
		    first->la_value.bv_len));
	ldap_dnfree(parts);
	return value;
}

static int
read_cn(struct layer *layer, const struct entry *entry,
    struct findings *findings)
{
	if ((layer->name = rdn_value(layer->arena, entry->dn, "cn")) != NULL)
		return 0;
	findings_add(findings, FINDING_ERROR, entry->dn, "", "",
	    "a %s's DN begins with cn=NAME",
	    layer->kind == LAYER_KEY ? "key" : "template");
	return -1;
}

/* The usable ones of an attribute's values, in the layer's arena */
static const char *const *
read_values(struct layer *layer, const struct entry *entry, const char *name,
    const char *(*read)(struct arena *, const struct entry_value *),
    const char *reason, size_t *count, struct findings *findings)
{
	const struct entry_attribute *a = entry_get(entry, name);
	const char **usable;
	size_t i;

	*count = 0;
	if (a == NULL) {
		findings_add(findings, FINDING_ERROR, entry->dn, name, "",
		    "missing");
		return NULL;
	}
	usable = arena_alloc(layer->arena, a->count * sizeof(*usable));
	for (i = 0; i < a->count; i++)
		if ((usable[*count] = read(layer->arena,
		    &a->values[i])) != NULL)
			(*count)++;
		else
			findings_add(findings, FINDING_ERROR, entry->dn, name,
			    a->values[i].text, "%s", reason);
	return usable;
}

static const char *
read_domain(struct arena *arena, const struct entry_value *value)
{
	char domain[DOMAIN_MAX];

	if (domain_normalise(value->text, value->len, domain) != 0)
		return NULL;
	return arena_strdup(arena, domain);
}

static const char *
read_mail(struct arena *arena, const struct entry_value *value)
{
	struct arena *scratch = arena_new(0);
	struct address address;
	const char *mail = NULL;

	if (strlen(value->text) == value->len &&
	    address_parse(scratch, value->text, "", &address) == 0 &&
	    *address.local != '\0' && *address.domain != '\0')
		mail = arena_strdup(arena, address.text);
	arena_free(scratch);
	return mail;
}

static int
read_tenant(struct layer *layer, const struct entry *entry,
    struct findings *findings)
{
	layer->name = rdn_value(layer->arena, entry->dn, NULL);
	layer->domains = read_values(layer, entry, "associatedDomain",
	    read_domain, "not a domain name", &layer->domain_count, findings);
	if (layer->name != NULL && strcmp(layer->name, "-") == 0) {
		findings_add(findings, FINDING_ERROR, entry->dn, "", "",
		    "the id \"-\" is reserved for mail without an owner");
		return -1;
	}
	if (entry_has_class(entry, "posternMailbox"))
		findings_add(findings, FINDING_ERROR, entry->dn,
		    "objectClass", "posternMailbox",
		    "no effect: the entry is a tenant");
	return layer->name != NULL && layer->domain_count > 0 ? 0 : -1;
}

static int
read_mailbox(struct layer *layer, const struct entry *entry,
    struct findings *findings)
{
	size_t i;

	layer->mails = read_values(layer, entry, "mail", read_mail,
	    "not a mail address", &layer->mail_count, findings);
	if (layer->mail_count == 0)
		return -1;
	/* values have no order: the name must not change with theirs */
	layer->name = layer->mails[0];
	for (i = 1; i < layer->mail_count; i++)
		if (strcmp(layer->mails[i], layer->name) < 0)
			layer->name = layer->mails[i];
	return 0;
}

static void
read_template(struct layer *layer, const struct entry *entry,
    struct findings *findings)
{
	const struct entry_attribute *a = entry_get(entry, "posternTemplate");
	const char *value;

	if (a == NULL || layer->kind == LAYER_KEY)
		return;
	value = a->values[0].text;
	if (layer->kind == LAYER_MAILBOX)
		findings_add(findings, FINDING_NOTE, entry->dn, a->name, value,
		    "no effect on a mailbox: its tenant's template holds");
	else if (a->count > 1)
		findings_add(findings, FINDING_ERROR, entry->dn, a->name,
		    value, "more than one value");
	else if ((layer->template_key = dn_normalise(layer->arena,
	    value)) == NULL)
		findings_add(findings, FINDING_ERROR, entry->dn, a->name,
		    value, "not a DN");
}

struct layer *
layer_new(const struct entry *entry, enum layer_kind kind,
    layer_parser *parse, struct findings *findings)
{
	static int (*const readers[])(struct layer *, const struct entry *,
	    struct findings *) = {
		[LAYER_TEMPLATE] = read_cn,
		[LAYER_TENANT] = read_tenant,
		[LAYER_MAILBOX] = read_mailbox,
		[LAYER_KEY] = read_cn,
	};
	size_t errors = findings_errors(findings);
	struct arena *arena = arena_new(LAYER_BYTES);
	struct layer *layer = arena_alloc(arena, sizeof(*layer));
	const char *created = entry_first(entry, "createTimestamp");

	layer->arena = arena;
	atomic_init(&layer->holds, 1);
	layer->kind = kind;
	if (readers[kind](layer, entry, findings) != 0) {
		arena_free(arena);
		return NULL;
	}
	layer->dn = arena_strdup(arena, entry->dn);
	layer->key = strcmp(entry->key, entry->dn) == 0 ? layer->dn
	    : arena_strdup(arena, entry->key);
	layer->created = created != NULL ? arena_strdup(arena, created) : "";
	read_template(layer, entry, findings);
	layer->policy = parse(arena, entry, kind, findings);
	layer->is_good = !entry->is_damaged &&
	    findings_errors(findings) == errors;
	return layer;
}

struct layer *
layer_hold(struct layer *layer)
{
	atomic_fetch_add_explicit(&layer->holds, 1, memory_order_relaxed);
	return layer;
}

void
layer_release(struct layer *layer)
{
	if (layer != NULL && atomic_fetch_sub(&layer->holds, 1) == 1)
		arena_free(layer->arena);
}
