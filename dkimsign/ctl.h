/* SPDX-License-Identifier: ISC */
/* ctl.h - what dkimctl's verbs are given, what they share, and their names.
 * One verb = one file = one row in dkimctl.c. */
#ifndef DKIMSIGN_CTL_H
#define DKIMSIGN_CTL_H

#include "common/ctl.h"
#include "common/snapshot.h"
#include "dkimsign/keyview.h"

/* dkimctl's options that not every tool has; NULL: not given */
struct ctl_own {
	const char *algorithm, *selector, *not_before;	/* genkey */
	const char *passphrase_file, *base;
	bool writes;
	const char *format;		/* dns */
	const char *domain;		/* sign */
	const char *records, *server;	/* verify */
	bool asks_directory;
};

struct conf;

/* The configuration, and the passphrase that it names or NULL */
struct ctl_setup {
	struct conf *conf;
	char *passphrase;
	struct snapshot *snapshot;	/* NULL: the directory was not read */
	struct keyviewer *viewer;	/* goes with it */
};

/* CTL_FINE; else what was wrong is on stderr. ctl_setup_close() after all. */
enum ctl_exit ctl_setup_conf(const struct ctl *ctl, struct ctl_setup *setup);
enum ctl_exit ctl_setup_directory(const struct ctl *ctl,
    struct ctl_setup *setup);
void ctl_setup_close(struct ctl_setup *setup);

/* The tenant that name, a domain in any spelling or an id, is of; *domain is
 * that domain, NULL where it was an id. CTL_WRONG: nobody's. */
enum ctl_exit ctl_find_tenant(const struct ctl *ctl,
    const struct ctl_setup *setup, const char *name,
    const struct tenant **tenant, const char **domain);

/* The tenants that a verb is about, name being NULL or as above: calls fn for
 * each, in order of id. CTL_WRONG: nobody's. */
typedef void ctl_tenant_fn(void *arg, const struct tenant *tenant,
    const char *domain, const struct keyview *keys, size_t count);
enum ctl_exit ctl_each_tenant(const struct ctl *ctl,
    const struct ctl_setup *setup, const char *name, ctl_tenant_fn *fn,
    void *arg);

ctl_verb ctl_dns, ctl_genkey, ctl_keys, ctl_sign, ctl_verify;

#endif
