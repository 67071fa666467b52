/* SPDX-License-Identifier: ISC */
/* ctl_sign.c - dkimctl sign: one message, by the code and the configuration of
 * the daemon, and each signature verified. Prints a signed message or none. */
#include "dkimsign/ctl.h"

#include <stdio.h>
#include <string.h>

#include "dkimsign/canon.h"
#include "dkimsign/conf.h"
#include "dkimsign/ctl_message.h"
#include "dkimsign/signing.h"

static void
hash_body(const struct ctl_message *message, enum canon canon,
    uint8_t hash[CANON_HASH_BYTES])
{
	struct canon_body *body = canon_body_new();

	canon_body_begin(body, canon);
	canon_body_update(body, message->text + message->body_at,
	    message->text_len - message->body_at);
	canon_body_end(body, hash);
	canon_body_free(body);
}

/* With line ends as the message has them */
static void
print_fields(const struct signing *signing, bool is_unix)
{
	const char *at;

	for (at = signing->fields; *at != '\0'; at++)
		if (!is_unix || *at != '\r')
			putchar(*at);
}

static enum ctl_exit
conclude(const struct ctl *ctl, const struct ctl_message *message,
    const struct signing *signing)
{
	if (signing->outcome != SIGNING_SIGNED) {
		ctl_complain(ctl, "not signed", *signing->detail == '\0'
		    ? signing->reason : arena_printf(ctl->arena, "%s: %s",
		    signing->reason, signing->detail));
		return CTL_WRONG;
	}
	print_fields(signing, message->is_unix);
	fwrite(message->bytes, 1, message->len, stdout);
	return CTL_FINE;
}

static enum ctl_exit
sign(const struct ctl *ctl, const struct ctl_setup *setup,
    struct ctl_message *message, const char *sender)
{
	struct signer_settings settings = { .profile = setup->conf->profile,
		.verify = SIGNING_VERIFY_ALL,
		.min_rsa_bits = (unsigned)setup->conf->min_rsa_bits,
		.passphrase = setup->passphrase };
	uint8_t hash[CANON_HASH_BYTES];
	struct signing signing = { .arena = ctl->arena,
		.snapshot = setup->snapshot, .header = &message->header,
		.sender = sender, .origin = ORIGIN_LOCAL, .body_hash = hash,
		.body = ctl_message_body, .body_arg = message };
	const char *why;
	struct signer *signer = signer_new(&settings, &why);

	if (signer == NULL) {
		ctl_complain(ctl, "could not sign", why);
		return CTL_UNASKED;
	}
	hash_body(message, settings.profile.body_canon, hash);
	signer_sign(signer, &signing);
	signer_free(signer);
	return conclude(ctl, message, &signing);
}

/* An envelope sender of that domain, for the tenant guard. Without a domain it
 * is a message that Postfix made itself, which has none to be guarded from. */
static enum ctl_exit
find_sender(const struct ctl *ctl, const struct ctl_setup *setup,
    const char **sender)
{
	const char *name = ctl->own->domain, *domain;
	const struct tenant *tenant;
	enum ctl_exit code;

	*sender = "";
	if (name == NULL)
		return CTL_FINE;
	code = ctl_find_tenant(ctl, setup, name, &tenant, &domain);
	if (code == CTL_FINE)
		*sender = arena_printf(ctl->arena, "postmaster@%s",
		    domain != NULL ? domain : tenant->domains[0]);
	return code;
}

enum ctl_exit
ctl_sign(const struct ctl *ctl)
{
	struct ctl_message message = { .bytes = NULL };
	struct ctl_setup setup;
	const char *sender;
	enum ctl_exit code = ctl_setup_directory(ctl, &setup);

	if (code == CTL_FINE)
		code = find_sender(ctl, &setup, &sender);
	if (code == CTL_FINE)
		code = ctl_message_read(ctl, &message);
	if (code == CTL_FINE)
		code = sign(ctl, &setup, &message, sender);
	ctl_message_free(&message);
	ctl_setup_close(&setup);
	return code;
}
