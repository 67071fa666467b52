/* SPDX-License-Identifier: ISC */
/* conf.c - the options of dkimsign.conf, a row each: the only place where an
 * option's name, default, bounds and help stand. */
#include "dkimsign/conf.h"

#include <stdlib.h>

#include "common/directory.h"
#include "common/listen.h"
#include "common/xmalloc.h"
#include "dkimsign/canon.h"
#include "dkimsign/dkim_entry.h"
#include "dkimsign/hop.h"

#define AT(member) offsetof(struct conf, member)

static const char *const next_hop_5xx_words[] = { "defer", "pass", NULL };

static int
check_canon(const char *value, const char **why)
{
	enum canon header, body;

	return canon_parse(value, &header, &body, why);
}

static int
check_path(const char *value, const char **why)
{
	*why = "wants the whole path";
	return *value == '/' ? 0 : -1;
}

/* clang-format off */
static const struct option rows[] = {
	{ "listen", OPTION_LIST, AT(listen), "unix:/var/spool/postfix/private/dkimsign", 0, 0, NULL, listen_check,
	    "where Postfix delivers by LMTP: unix:/path, inet:host:port, inet:[::1]:port" },
	CONF_ROWS_SOCKET,
	CONF_ROWS_ACCOUNT("dkimsign"),
	CONF_ROWS_DIRECTORY,
	{ "passphrase_file", OPTION_STRING, AT(passphrase_file), "", 0, 0, NULL, NULL,
	    "what encrypted private keys are opened with, the first line of this file" },
	{ "next_hop", OPTION_STRING, AT(next_hop), "smtp://127.0.0.1:10026", 0, 0, NULL, hop_check,
	    "where signed mail goes: smtp://host:port, smtp+unix:/path, lmtp://host:port, lmtp+unix:/path" },
	{ "next_hop_5xx", OPTION_WORD, AT(next_hop_5xx), "defer", 0, 0, next_hop_5xx_words, NULL,
	    "when the next hop refuses for good: defer (it is us who are wrong), pass" },
	{ "sessions", OPTION_COUNT, AT(sessions), "100", 1, 10000, NULL, NULL,
	    "most connections from Postfix at a time; more wait" },
	{ "max_message_bytes", OPTION_COUNT, AT(max_message_bytes), "100M", 1000, 10000000000, NULL, NULL,
	    "largest message; the next hop's SIZE holds where it is less" },
	{ "spool_dir", OPTION_STRING, AT(spool_dir), "/var/tmp", 0, 0, NULL, check_path,
	    "what of a message is over 1 MiB goes to a file here, without a name" },
	{ "sign.canonicalization", OPTION_STRING, AT(canonicalization), "relaxed/relaxed", 0, 0, NULL, check_canon,
	    "of header/body: relaxed or simple" },
	{ "sign.headers", OPTION_LIST, AT(headers), "List-* In-Reply-To References Sender Content-Transfer-Encoding", 0, 0, NULL, NULL,
	    "fields that are signed where they are there" },
	{ "sign.oversign", OPTION_LIST, AT(oversign), "From To Cc Subject Date Reply-To Message-ID MIME-Version Content-Type", 0, 0, NULL, NULL,
	    "fields that are signed, and none can be added" },
	{ "sign.verify", OPTION_WORD, AT(verify), "sample", 0, 0, signing_verify_words, NULL,
	    "which messages libopendkim verifies before they leave: all, sample (1 in 64), none" },
	{ "sign.min_rsa_bits", OPTION_COUNT, AT(min_rsa_bits), "2048", 1024, 8192, NULL, NULL,
	    "shortest RSA key that signs" },
	{ "sign.expire", OPTION_DURATION, AT(expire_ms), "0", 0, 31536000000, NULL, NULL,
	    "x= of a signature, so long after t=; \"0\" for none" },
	CONF_ROWS_METRICS,
	CONF_ROWS_LOG("info: a line per message; debug: more"),
};
/* clang-format on */
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static int
derive(struct conf *conf, const char **option, const char **why)
{
	struct sign_profile *profile = &conf->profile;

	conf->directory.attributes = dkim_entry_attributes();
	conf->directory.wants_keys = true;
	*option = "directory.uri";
	if (directory_check(&conf->directory, why) == -1)
		return -1;
	canon_parse(conf->canonicalization, &profile->header_canon,
	    &profile->body_canon, why);
	profile->headers = conf->headers.items;
	profile->header_count = conf->headers.count;
	profile->oversign = conf->oversign.items;
	profile->oversign_count = conf->oversign.count;
	profile->expire_ms = conf->expire_ms;
	*option = "sign";
	return sign_profile_check(profile, why);
}

struct conf *
conf_read(const char *path, struct findings *findings)
{
	struct conf *conf = xcalloc(1, sizeof(*conf));
	const char *option = "", *why = "";
	int rc;

	conf->arena = arena_new(0);
	rc = options_read(rows, ROWS, path, conf, conf->arena, findings);
	if (rc == 0 && (rc = derive(conf, &option, &why)) == -1)
		findings_add(findings, FINDING_ERROR, path != NULL ? path : "",
		    option, "", "%s", why);
	if (rc == 0)
		return conf;
	conf_free(conf);
	return NULL;
}

void
conf_free(struct conf *conf)
{
	if (conf == NULL)
		return;
	arena_free(conf->arena);
	free(conf);
}

void
conf_print(const struct conf *conf, FILE *to)
{
	options_print(rows, ROWS, conf, to);
}
