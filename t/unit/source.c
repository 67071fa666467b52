/* SPDX-License-Identifier: ISC */
/* t/unit/source.c - settings that are copied outlive what they were copied
 * from, and any difference that matters is one. */
#include "common/source.h"

#include <string.h>

#include "t/unit/tap.h"

static const struct source_settings given = {
	.uri = "ldap://a", .base = "dc=x", .bind_dn = "cn=x,dc=x",
	.bind_password_file = "/p", .ca_file = "/ca", .cert_file = "/cert",
	.key_file = "/key", .poll_ms = 1000,
};

int
main(void)
{
	struct arena *arena = arena_new(0);
	struct source_settings copy, other = { .uri = "ldif:///x" };
	char uri[] = "ldif:///x";

	source_settings_copy(arena, &copy, &given);
	tap_ok(source_settings_are_equal(&copy, &given),
	    "a copy is equal to what it was copied from");
	tap_ok(copy.bind_dn != given.bind_dn, "and has texts of its own");
	copy.key_file = "/other";
	tap_ok(!source_settings_are_equal(&copy, &given),
	    "another text makes them differ");
	source_settings_copy(arena, &copy, &given);
	copy.tls = SOURCE_TLS_OFF;
	tap_ok(!source_settings_are_equal(&copy, &given),
	    "another word does, too");
	other.uri = uri;
	source_settings_copy(arena, &copy, &other);
	memset(uri, 'x', sizeof(uri) - 1);
	tap_is(copy.uri, "ldif:///x", "the copy outlives the text");
	tap_is(copy.base, "", "what is not given is empty");
	other.uri = "ldif:///x";
	tap_ok(source_settings_are_equal(&copy, &other),
	    "and not given is equal to empty");
	arena_free(arena);
	return tap_done();
}
