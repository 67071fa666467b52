/* SPDX-License-Identifier: ISC */
/* world.h - a small world for tests of policy: a directory of a few lines, a
 * configuration, and requests of the attributes that matter. */
#ifndef UNIT_WORLD_H
#define UNIT_WORLD_H

#include <string.h>

#include "common/arena.h"
#include "policyd/attrs.h"
#include "policyd/conf.h"
#include "policyd/direction.h"
#include "policyd/ends.h"
#include "policyd/policy.h"
#include "t/unit/ldif_text.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define WORLD_NOW INT64_C(1800000000000)	/* 2027-01-15 */

/* Entries; more: further lines, each with its "\n" */
#define TENANT(id, more) \
	"dn: dc=" id ",dc=postern\nobjectClass: domain\n" \
	"objectClass: posternDomain\ndc: " id "\nassociatedDomain: " id "\n" \
	more "\n"
#define MAILBOX(uid, tenant, mails, more) \
	"dn: uid=" uid ",dc=" tenant ",dc=postern\nobjectClass: account\n" \
	"objectClass: posternMailbox\nuid: " uid "\n" mails more "\n"
#define TEMPLATE(name, more) \
	"dn: cn=" name ",dc=postern\nobjectClass: posternTemplate\n" \
	"objectClass: posternPolicy\ncn: " name "\n" more "\n"
#define LIMIT(value) "posternRateLimit: " value "\n"
#define RULE(value) "posternDirectionRule: " value "\n"
#define ALLOW(value) "posternAllow: " value "\n"
#define BLOCK(value) "posternBlock: " value "\n"

static inline struct snapshot *
world_snapshot(const char *ldif)
{
	return snapshot_of(ldif, NULL, policy_parse);
}

/* Trusted are 10.0.0.0/8 and the certificates AA:BB and CC:DD; a bare login
 * is of ours.example */
static inline struct conf *
world_conf(void)
{
	static const char *ccerts[] = { "AA:BB", "CC:DD" };
	static const char *networks[] = { "10.0.0.0/8" };
	static struct cidr network;
	static struct conf conf;
	const char *why;

	if (cidr_parse(networks[0], &network, &why) == -1)
		abort();
	conf = (struct conf){
		.login_domain = "ours.example", .recipient_delimiter = "+",
		.sendmail = "", .trusted_networks = &network,
		.trusted_networks_text = { .items = networks, .count = 1 },
		.trusted_ccerts = { .items = ccerts, .count = 2 },
	};
	return &conf;
}

/* "sender=a@b.test recipient=..." as the bytes of a request. What is not said:
 * RCPT, from a stranger's mail server. */
static inline const char *
world_request(struct arena *arena, const char *attributes)
{
	char *text = arena_strdup(arena, attributes), *at;

	for (at = text; *at != '\0'; at++)
		if (*at == ' ')
			*at = '\n';
	return arena_printf(arena, "%s%s"
	    "request=smtpd_access_policy\nprotocol_state=RCPT\n"
	    "client_address=192.0.2.1\nclient_name=mx.stranger.test\n"
	    "reverse_client_name=mx.stranger.test\n"
	    "helo_name=mx.stranger.test\n\n", text,
	    at == text || at[-1] == '\n' ? "" : "\n");
}

static inline const struct attrs *
world_attrs(struct arena *arena, const char *attributes)
{
	struct attrs *attrs = arena_alloc(arena, sizeof(*attrs));
	char *text = (char *)world_request(arena, attributes);
	const char *why;

	if (attrs_parse(text, strlen(text), attrs, &why) == -1)
		abort();
	return attrs;
}

static inline struct facts *
world_facts(struct arena *arena, const struct snapshot *snapshot,
    const char *attributes)
{
	struct facts *facts = arena_alloc(arena, sizeof(*facts));

	*facts = (struct facts){ .arena = arena, .conf = world_conf(),
		.snapshot = snapshot, .now_ms = WORLD_NOW,
		.attrs = world_attrs(arena, attributes) };
	ends_find(facts);
	direction_find(facts);
	return facts;
}

#endif
