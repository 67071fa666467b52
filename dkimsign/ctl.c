/* SPDX-License-Identifier: ISC */
/* ctl.c - what the verbs of dkimctl stand on: configuration and directory, read
 * as dkimsign reads them, and the tenants in it. Knows no verb, asks no
 * daemon. */
#include "dkimsign/ctl.h"

#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/directory.h"
#include "common/loop.h"
#include "common/secret.h"
#include "dkimsign/conf.h"
#include "dkimsign/dkim_entry.h"
#include "dkimsign/keyring.h"

#define CONF_PATH "/etc/postern/dkimsign.conf"

enum ctl_exit
ctl_setup_conf(const struct ctl *ctl, struct ctl_setup *setup)
{
	struct findings *findings = findings_new();
	const char *why;

	*setup = (struct ctl_setup){ .conf = conf_read(
	    ctl_conf_path(ctl->conf_path, CONF_PATH), findings) };
	if (setup->conf == NULL)
		ctl_complain_findings(findings);
	findings_free(findings);
	if (setup->conf == NULL)
		return CTL_UNASKED;
	if (*setup->conf->passphrase_file == '\0')
		return CTL_FINE;
	setup->passphrase = secret_read(setup->conf->passphrase_file, &why);
	if (setup->passphrase != NULL)
		return CTL_FINE;
	ctl_complain(ctl, "passphrase_file", why);
	return CTL_UNASKED;
}

enum ctl_exit
ctl_setup_directory(const struct ctl *ctl, struct ctl_setup *setup)
{
	enum ctl_exit code = ctl_setup_conf(ctl, setup);
	const char *reason;
	char *why;

	if (code != CTL_FINE)
		return code;
	setup->snapshot = directory_read(&setup->conf->directory,
	    dkim_entry_parse, &why);
	if (setup->snapshot == NULL) {
		ctl_complain(ctl, "could not read the directory", why);
		free(why);
		return CTL_UNASKED;
	}
	setup->viewer = keyviewer_new(setup->passphrase,
	    (unsigned)setup->conf->min_rsa_bits, &reason);
	if (setup->viewer != NULL)
		return CTL_FINE;
	ctl_complain(ctl, "keys", reason);
	return CTL_UNASKED;
}

void
ctl_setup_close(struct ctl_setup *setup)
{
	keyviewer_free(setup->viewer);
	snapshot_release(setup->snapshot);
	secret_free(setup->passphrase);
	conf_free(setup->conf);
}

enum ctl_exit
ctl_find_tenant(const struct ctl *ctl, const struct ctl_setup *setup,
    const char *name, const struct tenant **tenant, const char **domain)
{
	char normal[DOMAIN_MAX];
	const char *own;

	*domain = NULL;
	*tenant = snapshot_tenant_by_id(setup->snapshot, name);
	if (domain_normalise(name, strlen(name), normal) == 0 &&
	    snapshot_tenant_of(setup->snapshot, normal) != NULL) {
		*tenant = snapshot_tenant_of(setup->snapshot, normal);
		*domain = arena_strdup(ctl->arena, normal);
	}
	if (*tenant != NULL)
		return CTL_FINE;
	if (tenant_nearest(setup->snapshot, normal, &own) != NULL)
		ctl_complain(ctl, name, arena_printf(ctl->arena,
		    "no tenant has this domain; its mail is signed as %s",
		    own));
	else
		ctl_complain(ctl, name, "no tenant has this domain");
	return CTL_WRONG;
}

static void
view_tenant(const struct ctl *ctl, const struct ctl_setup *setup,
    const struct tenant *tenant, const char *domain, ctl_tenant_fn *fn,
    void *arg)
{
	struct keyview *keys;
	size_t count = keyview_all(setup->viewer, setup->snapshot, tenant,
	    loop_now(), ctl->arena, &keys);

	fn(arg, tenant, domain, keys, count);
}

enum ctl_exit
ctl_each_tenant(const struct ctl *ctl, const struct ctl_setup *setup,
    const char *name, ctl_tenant_fn *fn, void *arg)
{
	const struct tenant *tenant;
	const char *domain;
	enum ctl_exit code;
	size_t i;

	if (name != NULL) {
		code = ctl_find_tenant(ctl, setup, name, &tenant, &domain);
		if (code == CTL_FINE)
			view_tenant(ctl, setup, tenant, domain, fn, arg);
		return code;
	}
	for (i = 0; i < snapshot_tenants(setup->snapshot); i++)
		view_tenant(ctl, setup, snapshot_tenant_at(setup->snapshot,
		    i), NULL, fn, arg);
	return CTL_FINE;
}
