/* SPDX-License-Identifier: ISC */
/* ctl_ldap.c - binds as the caller, reads one value, writes one value or one
 * entry. Never follows a referral, for that would carry a password to who knows
 * whom. */
#include "common/ctl_ldap.h"

#include <signal.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* NULL, or why they do not say who the caller is */
static const char *
bind_fault(const struct ctl_bind *bind)
{
	if (bind->mechanism != NULL &&
	    strcasecmp(bind->mechanism, "EXTERNAL") != 0)
		return "EXTERNAL is all that -Y knows";
	if ((bind->mechanism != NULL) == (bind->dn != NULL))
		return "who are you at LDAP? -D DN, or -Y EXTERNAL";
	if (bind->dn == NULL && (bind->is_asked || bind->password_file != NULL))
		return "-W and -y go with -D";
	if (bind->is_asked && bind->password_file != NULL)
		return "-W or -y, not both";
	return NULL;
}

/* policyd's, but for who it is: not its certificate, too */
static void
become_caller(const struct ctl *ctl, struct source_settings *settings)
{
	const struct ctl_bind *bind = &ctl->bind;
	struct source_settings own = {
		.uri = bind->uri != NULL ? bind->uri : settings->uri,
		.ca_file = settings->ca_file, .tls = settings->tls,
		.bind_dn = bind->dn, .bind_password_file = bind->password_file,
		.sasl = bind->dn != NULL ? SOURCE_SASL_NONE
		    : SOURCE_SASL_EXTERNAL,
	};

	source_settings_copy(ctl->arena, settings, &own);
}

enum ctl_exit
ctl_ldap_open_as(const struct ctl *ctl, const struct source_settings *settings,
    struct ldap_link *link)
{
	static const atomic_bool never = false;
	const char *text = settings->uri, *uri;
	size_t len;

	signal(SIGPIPE, SIG_IGN);	/* a server that hangs up */
	for (; *(text += strspn(text, " \t")) != '\0'; text += len) {
		len = strcspn(text, " \t");
		uri = arena_strndup(ctl->arena, text, len);
		if (ldap_link_open(link, settings, uri, &never) == 0)
			return CTL_FINE;
		ctl_complain(ctl, "LDAP", link->why);
		ldap_link_close(link);
	}
	return CTL_UNASKED;
}

enum ctl_exit
ctl_ldap_open(const struct ctl *ctl, const struct source_settings *settings,
    struct ldap_link *link)
{
	struct source_settings *own = arena_alloc(ctl->arena, sizeof(*own));
	const char *fault = bind_fault(&ctl->bind);
	char *password = NULL;
	enum ctl_exit code;

	if (fault != NULL) {
		ctl_complain(ctl, "usage", fault);
		return CTL_USAGE;
	}
	*own = *settings;
	become_caller(ctl, own);
	if (ctl->bind.dn != NULL && ctl->bind.password_file == NULL &&
	    ((password = getpass("LDAP password: ")) == NULL ||
	    *password == '\0')) {
		ctl_complain(ctl, "LDAP", "no password");
		return CTL_UNASKED;
	}
	own->bind_password = password;
	code = ctl_ldap_open_as(ctl, own, link);
	if (password != NULL)
		explicit_bzero(password, strlen(password));
	own->bind_password = NULL;
	return code;
}

void
ctl_ldap_close(struct ldap_link *link)
{
	ldap_link_close(link);
}

/* Where a server that may not be written to sends us */
static const char *
referral(const struct ctl *ctl, LDAP *ld)
{
	char **uris = NULL;
	const char *uri = "elsewhere";

	ldap_get_option(ld, LDAP_OPT_REFERRAL_URLS, &uris);
	if (uris != NULL && uris[0] != NULL)
		uri = arena_strdup(ctl->arena, uris[0]);
	ber_memvfree((void **)uris);
	return arena_printf(ctl->arena, "this server sends us to %s: "
	    "say so by -H", uri);
}

/* An answer that is no entry, or a question that did not get one */
static enum ctl_exit
conclude(const struct ctl *ctl, struct ldap_link *link, const char *dn, int rc)
{
	if (rc == LDAP_SUCCESS)
		return CTL_FINE;
	ldap_link_fail(link, rc, rc == LDAP_REFERRAL
	    ? referral(ctl, link->ld) : NULL);
	ctl_complain(ctl, dn, link->why);
	return rc < 0 || rc == LDAP_BUSY || rc == LDAP_UNAVAILABLE
	    ? CTL_UNASKED : CTL_WRONG;
}

enum ctl_exit
ctl_ldap_get(const struct ctl *ctl, struct ldap_link *link, const char *dn,
    const char *attribute, const char **value)
{
	char *attributes[] = { (char *)attribute, NULL };
	struct berval **values = NULL;
	LDAPMessage *answer = NULL, *entry;
	int rc;

	*value = NULL;
	rc = ldap_search_ext_s(link->ld, dn, LDAP_SCOPE_BASE,
	    "(objectClass=*)", attributes, 0, NULL, NULL, NULL, 1, &answer);
	entry = rc == LDAP_SUCCESS ? ldap_first_entry(link->ld, answer) : NULL;
	if (entry != NULL)
		values = ldap_get_values_len(link->ld, entry, attribute);
	else if (rc == LDAP_SUCCESS)
		rc = LDAP_NO_SUCH_OBJECT;
	if (values != NULL && values[0] != NULL)
		*value = arena_strndup(ctl->arena, values[0]->bv_val,
		    values[0]->bv_len);
	ldap_value_free_len(values);
	ldap_msgfree(answer);
	return conclude(ctl, link, dn, rc);
}

enum ctl_exit
ctl_ldap_swap(const struct ctl *ctl, struct ldap_link *link, const char *dn,
    const char *attribute, const char *before, const char *after)
{
	char *old[] = { (char *)before, NULL };
	char *new[] = { (char *)after, NULL };
	LDAPMod delete = { .mod_op = LDAP_MOD_DELETE,
		.mod_type = (char *)attribute, .mod_values = old };
	LDAPMod add = { .mod_op = LDAP_MOD_ADD,
		.mod_type = (char *)attribute, .mod_values = new };
	LDAPMod *mods[3] = { NULL }, **at = mods;

	/* Not a replace: somebody else may have written meanwhile */
	if (before != NULL)
		*at++ = &delete;
	if (after != NULL)
		*at++ = &add;
	return conclude(ctl, link, dn,
	    ldap_modify_ext_s(link->ld, dn, mods, NULL, NULL));
}

enum ctl_exit
ctl_ldap_add(const struct ctl *ctl, struct ldap_link *link, const char *dn,
    const struct ctl_value *values)
{
	LDAPMod **mods, *mod = NULL;
	size_t i, count = 0, used = 0, at = 0;

	while (values[count].name != NULL)
		count++;
	mods = arena_alloc(ctl->arena, (count + 1) * sizeof(LDAPMod *));
	for (i = 0; i < count; i++) {
		if (i == 0 || strcmp(values[i].name, mod->mod_type) != 0) {
			mods[used++] = mod = arena_alloc(ctl->arena,
			    sizeof(*mod));
			mod->mod_op = LDAP_MOD_ADD;
			mod->mod_type = (char *)values[i].name;
			mod->mod_values = arena_alloc(ctl->arena,
			    (count + 1) * sizeof(char *));
			at = 0;
		}
		mod->mod_values[at++] = (char *)values[i].text;
	}
	return conclude(ctl, link, dn,
	    ldap_add_ext_s(link->ld, dn, mods, NULL, NULL));
}
