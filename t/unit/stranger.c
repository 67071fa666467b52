/* SPDX-License-Identifier: ISC */
/* stranger.c - is a stranger who comes back known again, from another machine
 * of its pool and with another VERP number, and nobody else taken for it? */
#include "policyd/stranger.h"

#include "t/unit/tap.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static const struct {
	const char *name;
	const char *address;	/* NULL: unknown */
	const char *client_name;
	const char *want;
} clients[] = {
	{ "a confirmed name stands for its parent domain", "192.0.2.7",
	    "mail-3.pool.example.com", "pool.example.com" },
	{ "another machine of the pool is the same client", "198.51.100.9",
	    "mail-44.pool.example.com", "pool.example.com" },
	{ "a name is compared in lower case", "192.0.2.7",
	    "Mail-3.Pool.Example.COM", "pool.example.com" },
	{ "an IPv6 client with a confirmed name, too", "2001:db8::1",
	    "mail-3.pool.example.com", "pool.example.com" },
	{ "without a confirmed name it is the /24", "192.0.2.7", "unknown",
	    "192.0.2.0/24" },
	{ "Postfix's word for that is compared without case", "192.0.2.7",
	    "Unknown", "192.0.2.0/24" },
	{ "without a confirmed name it is the /64 of IPv6",
	    "2001:db8:1:2:3::4", "unknown", "2001:db8:1:2::/64" },
	{ "an empty name is none", "192.0.2.7", "", "192.0.2.0/24" },
	{ "a name directly below a public suffix says nothing of its owner",
	    "192.0.2.7", "example.com", "192.0.2.0/24" },
	{ "nor below one of two labels", "192.0.2.7", "example.co.uk",
	    "192.0.2.0/24" },
	{ "nor below one of a hoster's customers", "192.0.2.7",
	    "site.github.io", "192.0.2.0/24" },
	{ "below a customer's domain of a two-label suffix it does",
	    "192.0.2.7", "mail.example.co.uk", "example.co.uk" },
	{ "a name without a dot says nothing", "192.0.2.7", "localhost",
	    "192.0.2.0/24" },
	{ "a name that cannot be one says nothing", "192.0.2.7",
	    "-bad-.example.com", "192.0.2.0/24" },
	{ "a name with the address is a customer's line", "192.0.2.7",
	    "host-192-0-2-7.isp.example.com", "192.0.2.0/24" },
	{ "also with dots", "192.0.2.7", "192.0.2.7.isp.example.com",
	    "192.0.2.0/24" },
	{ "also in reverse", "192.0.2.7", "7.2.0.192.dyn.example.com",
	    "192.0.2.0/24" },
	{ "also with leading noughts", "192.0.2.7",
	    "ip192-000-002-007.isp.example.com", "192.0.2.0/24" },
	{ "also as twelve digits", "192.0.2.7",
	    "h192000002007.isp.example.com", "192.0.2.0/24" },
	{ "also in hexadecimal", "192.0.2.7", "c0000207.dip.example.com",
	    "192.0.2.0/24" },
	{ "also in hexadecimal capitals", "192.0.2.171",
	    "C00002AB.dip.example.com", "192.0.2.0/24" },
	{ "some numbers of the address alone are no address", "192.0.2.7",
	    "mx-2-7.pool.example.com", "pool.example.com" },
	{ "all numbers but in disorder are no address", "192.0.2.7",
	    "mx-2-192-7-0.pool.example.com", "pool.example.com" },
	{ "numbers that only contain the address's are no address",
	    "1.2.3.4", "mx-11-22-33-44.pool.example.com",
	    "pool.example.com" },
	{ "an IPv6 address in full", "2001:db8::25",
	    "20010db8000000000000000000000025.isp.example.com",
	    "2001:db8::/64" },
	{ "an IPv6 address in full with hyphens", "2001:db8::25",
	    "2001-0db8-0000-0000-0000-0000-0000-0025.isp.example.com",
	    "2001:db8::/64" },
	{ "an IPv6 address as people write it", "2001:db8:1:2::25",
	    "2001-db8-1-2--25.isp.example.com", "2001:db8:1:2::/64" },
	{ "the interface half of an IPv6 address", "2001:db8::a:b:c:d",
	    "000a000b000c000d.isp.example.com", "2001:db8::/64" },
	{ "a short IPv6 address is not found in every name", "2a00::1",
	    "mx2a001.pool.example.com", "pool.example.com" },
	{ "a client without an address is unknown", NULL,
	    "mail-3.pool.example.com", "unknown" },
};

static const struct {
	const char *name;
	const char *sender;
	const char *want;
} senders[] = {
	{ "a sender is itself", "anna@b.example", "anna@b.example" },
	{ "in lower case", "Anna@B.Example", "anna@b.example" },
	{ "the null sender is the null sender", "", "" },
	{ "a plus-extension is cut", "anna+news@b.example",
	    "anna@b.example" },
	{ "a VERP address within the extension, too",
	    "list-return+carl=c.example@b.example", "list-return@b.example" },
	{ "a run of digits is one nought", "bounce-123@b.example",
	    "bounce-0@b.example" },
	{ "however long it is", "bounce-98765@b.example",
	    "bounce-0@b.example" },
	{ "each run is", "b12-msg345x6@b.example", "b0-msg0x0@b.example" },
	{ "digits of the domain are kept", "anna@b2.example",
	    "anna@b2.example" },
	{ "the BATV tag of prvs= is cut",
	    "prvs=2345abcdef=anna@b.example", "anna@b.example" },
	{ "another day's tag gives the same sender",
	    "prvs=9876543210=anna@b.example", "anna@b.example" },
	{ "prvs= with the tag behind the user",
	    "prvs=anna=2345abcdef@b.example", "anna@b.example" },
	{ "the BATV tag of btv1== is cut",
	    "btv1==2345abcdef==anna@b.example", "anna@b.example" },
	{ "BATV and an extension", "prvs=2345abcdef=anna+x@b.example",
	    "anna@b.example" },
	{ "prvs= without a second '=' is a name", "prvs=anna@b.example",
	    "prvs=anna@b.example" },
	{ "btv1== without a second '==' is a name", "btv1==anna@b.example",
	    "btv0==anna@b.example" },
	{ "another sender is another", "carl@b.example", "carl@b.example" },
};

int
main(void)
{
	struct arena *arena = arena_new(0);
	struct address sender;
	struct ipaddr client;
	size_t i;

	for (i = 0; i < ROWS(clients); i++) {
		if (clients[i].address != NULL)
			ipaddr_parse(clients[i].address, &client);
		tap_is(stranger_client(arena, clients[i].address == NULL
		    ? NULL : &client, clients[i].client_name),
		    clients[i].want, clients[i].name);
	}
	ipaddr_parse("192.0.2.7", &client);
	tap_is(stranger_network(arena, &client), "192.0.2.0/24",
	    "promotion goes by the network, whatever the name");
	for (i = 0; i < ROWS(senders); i++) {
		address_parse(arena, senders[i].sender, "+", &sender);
		tap_is(stranger_sender(arena, &sender), senders[i].want,
		    senders[i].name);
	}
	arena_free(arena);
	return tap_done();
}
