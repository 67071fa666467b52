/* SPDX-License-Identifier: ISC */
/* ctl_genkey.c - dkimctl genkey: makes keys, and entries of them below their
 * tenant: as LDIF on standard output, or into LDAP as the caller. What it
 * makes signs nothing until somebody says when. Shows a private half nowhere
 * else, and wipes it. */
#include "dkimsign/ctl.h"

#include <openssl/crypto.h>
#include <stdio.h>	/* which ldif.h wants */
#include <ldap.h>
#include <ldif.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/address.h"
#include "common/ctl_ldap.h"
#include "common/loop.h"
#include "common/secret.h"
#include "dkimsign/conf.h"
#include "dkimsign/dkim_entry.h"
#include "dkimsign/signkey.h"

#define NOT_BEFORE "99991231235959Z"	/* until somebody says when */

static const struct kind {
	const char *name;
	enum signkey_algorithm algorithm;
	unsigned bits;
	const char *prefix;	/* of the selector */
} kinds[] = {
	{ "rsa2048", SIGNKEY_RSA, 2048, "r" },
	{ "rsa3072", SIGNKEY_RSA, 3072, "r" },
	{ "rsa4096", SIGNKEY_RSA, 4096, "r" },
	{ "ed25519", SIGNKEY_ED25519, 0, "e" },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))
#define KIND_RSA (&kinds[0])		/* both, where none is named: */
#define KIND_ED25519 (&kinds[3])	/* not every verifier knows this one */

struct work {
	const struct ctl *ctl;
	struct ctl_setup setup;
	const char *passphrase;
	const char *base;		/* DN of the tenant's entry */
	const struct tenant *tenant;	/* NULL: --base */
	const char *not_before;
	const struct kind *kinds[2];
	const char *selectors[2];
	size_t count;
	struct ldap_link link;		/* open where it writes */
};

static enum ctl_exit
refuse(const struct work *w, enum ctl_exit code, const char *what,
    const char *why)
{
	ctl_complain(w->ctl, what, why);
	return code;
}

/* ---- What is wanted ---- */

static enum ctl_exit
choose_kinds(struct work *w)
{
	const char *name = w->ctl->own->algorithm;
	size_t i;

	w->kinds[0] = KIND_RSA;
	w->kinds[1] = KIND_ED25519;
	w->count = name == NULL ? 2 : 0;
	for (i = 0; name != NULL && i < KINDS; i++)
		if (strcmp(kinds[i].name, name) == 0)
			w->kinds[w->count++] = &kinds[i];
	if (w->count == 0)
		return refuse(w, CTL_USAGE, name,
		    "rsa2048, rsa3072, rsa4096 or ed25519 expected");
	if (w->count > 1 && w->ctl->own->selector != NULL)
		return refuse(w, CTL_USAGE, "usage", "--selector goes with "
		    "--algorithm: without it there are two keys");
	return CTL_FINE;
}

static enum ctl_exit
choose_not_before(struct work *w)
{
	const char *text = w->ctl->own->not_before, *why;
	char normal[sizeof(NOT_BEFORE)];
	time_t seconds;
	struct tm tm;
	int64_t ms;

	w->not_before = NOT_BEFORE;
	if (text == NULL)
		return CTL_FINE;
	if (generalized_time(text, &ms, &why) == -1)
		return refuse(w, CTL_USAGE, text, why);
	seconds = (time_t)(ms / 1000);
	gmtime_r(&seconds, &tm);
	strftime(normal, sizeof(normal), "%Y%m%d%H%M%SZ", &tm);
	w->not_before = arena_strdup(w->ctl->arena, normal);
	return CTL_FINE;
}

static enum ctl_exit
choose_selectors(struct work *w)
{
	const char *given = w->ctl->own->selector;
	time_t seconds = (time_t)(loop_now() / 1000);
	char date[sizeof("20261120")], normal[DOMAIN_MAX];
	struct tm tm;
	size_t i;

	if (given != NULL) {
		if (domain_normalise(given, strlen(given), normal) == -1)
			return refuse(w, CTL_USAGE, given, "not DNS labels");
		w->selectors[0] = arena_strdup(w->ctl->arena, normal);
		return CTL_FINE;
	}
	gmtime_r(&seconds, &tm);
	strftime(date, sizeof(date), "%Y%m%d", &tm);
	for (i = 0; i < w->count; i++)
		w->selectors[i] = arena_printf(w->ctl->arena, "%s%s",
		    w->kinds[i]->prefix, date);
	return CTL_FINE;
}

static enum ctl_exit
choose_passphrase(struct work *w)
{
	const char *path = w->ctl->own->passphrase_file, *why;

	if (path != NULL) {
		secret_free(w->setup.passphrase);
		w->setup.passphrase = secret_read(path, &why);
		if (w->setup.passphrase == NULL)
			return refuse(w, CTL_UNASKED, "--passphrase-file",
			    why);
	}
	w->passphrase = w->setup.passphrase;
	return CTL_FINE;
}

/* ---- Where it goes ---- */

static enum ctl_exit
find_base(struct work *w)
{
	const char *base = w->ctl->own->base, *domain;
	enum ctl_exit code;

	if (base != NULL) {
		if (dn_normalise(w->ctl->arena, base) == NULL)
			return refuse(w, CTL_USAGE, base, "not a DN");
		w->base = base;
		return ctl_setup_conf(w->ctl, &w->setup);
	}
	code = ctl_setup_directory(w->ctl, &w->setup);
	if (code == CTL_FINE)
		code = ctl_find_tenant(w->ctl, &w->setup, w->ctl->words[0],
		    &w->tenant, &domain);
	if (code == CTL_FINE)
		w->base = w->tenant->layer->dn;
	return code;
}

/* Verifiers keep records for a time, so that another key by this name would
 * fail with them: selectors are never used again */
static enum ctl_exit
refuse_used(struct work *w)
{
	const struct layer *layer;
	const char *used;
	size_t i, at;

	for (at = 0; w->tenant != NULL && (layer = snapshot_key_at(
	    w->setup.snapshot, w->tenant, at)) != NULL; at++)
		for (i = 0; i < w->count; i++) {
			used = dkim_entry_of(layer)->selector;
			if (strcmp(layer->name, w->selectors[i]) != 0 &&
			    (used == NULL ||
			    strcmp(used, w->selectors[i]) != 0))
				continue;
			return refuse(w, CTL_WRONG, w->selectors[i],
			    arena_printf(w->ctl->arena, "%s has this "
			    "selector, and none is used twice: name another "
			    "with --algorithm and --selector", layer->dn));
		}
	return CTL_FINE;
}

static enum ctl_exit
open_server(struct work *w)
{
	const struct ctl_bind *bind = &w->ctl->bind;
	const char *uri = w->setup.conf->directory.uri;

	if (!w->ctl->own->writes)
		return CTL_FINE;
	if (bind->uri == NULL && strncmp(uri, "ldif://", 7) == 0)
		return refuse(w, CTL_WRONG, uri + 7, "the directory is a "
		    "file: append to it what comes without --write");
	return ctl_ldap_open(w->ctl, &w->setup.conf->directory, &w->link);
}

/* ---- The keys ---- */

static void
print_value(const char *name, const char *text)
{
	char *line = ldif_put(LDIF_PUT_VALUE, name, text, strlen(text));

	fputs(line, stdout);
	OPENSSL_cleanse(line, strlen(line));
	ber_memfree(line);
}

static enum ctl_exit
hand_out(struct work *w, const char *dn, const struct ctl_value *values)
{
	enum ctl_exit code;

	if (w->ctl->own->writes) {
		code = ctl_ldap_add(w->ctl, &w->link, dn, values);
		if (code == CTL_FINE)
			printf("added %s\n", dn);
		return code;
	}
	print_value("dn", dn);
	for (; values->name != NULL; values++)
		print_value(values->name, values->text);
	putchar('\n');
	return CTL_FINE;
}

static enum ctl_exit
make_key(struct work *w, size_t at)
{
	const char *why, *dn = arena_printf(w->ctl->arena, "cn=%s,%s",
	    w->selectors[at], w->base);
	struct signkey *key = signkey_generate(w->kinds[at]->algorithm,
	    w->kinds[at]->bits, &why);
	enum ctl_exit code;
	char *pem;

	if (key == NULL)
		return refuse(w, CTL_UNASKED, w->kinds[at]->name, why);
	pem = signkey_pem(key, w->passphrase);
	code = hand_out(w, dn, (const struct ctl_value[]){
	    { "objectClass", "posternDkimKey" },
	    { "cn", w->selectors[at] },
	    { "posternDkimSelector", w->selectors[at] },
	    { "posternDkimPublicKey", signkey_public(key) },
	    { "posternDkimNotBefore", w->not_before },
	    { "posternDkimPrivateKey", pem },
	    { NULL, NULL } });
	OPENSSL_cleanse(pem, strlen(pem));
	free(pem);
	signkey_release(key);
	return code;
}

static enum ctl_exit
make_keys(struct work *w)
{
	enum ctl_exit code = CTL_FINE;
	size_t i;

	/* Nothing of it stays behind in a buffer */
	setvbuf(stdout, NULL, _IONBF, 0);
	for (i = 0; code == CTL_FINE && i < w->count; i++)
		code = make_key(w, i);
	return code;
}

enum ctl_exit
ctl_genkey(const struct ctl *ctl)
{
	static enum ctl_exit (*const steps[])(struct work *w) = {
		choose_kinds, choose_not_before, choose_selectors, find_base,
		choose_passphrase, refuse_used, open_server, make_keys
	};
	struct work w = { .ctl = ctl };
	enum ctl_exit code = CTL_FINE;
	size_t i;

	for (i = 0; code == CTL_FINE && i < sizeof(steps) / sizeof(steps[0]);
	    i++)
		code = steps[i](&w);
	ctl_ldap_close(&w.link);
	ctl_setup_close(&w.setup);
	return code;
}
