/* SPDX-License-Identifier: ISC */
/* cidr.c - are addresses and networks read exactly, and told apart? */
#include "common/cidr.h"

#include "t/unit/tap.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

struct address_row {
	const char *name;
	const char *text;
	const char *want;	/* with /32 or /128; NULL: refused */
};

static const struct address_row addresses[] = {
	{ "an IPv4 address", "192.0.2.1", "192.0.2.1/32" },
	{ "an IPv6 address", "2001:DB8:0::1", "2001:db8::1/128" },
	{ "an IPv4-mapped address is IPv4", "::ffff:192.0.2.1",
	    "192.0.2.1/32" },
	{ "an IPv4-mapped address in hexadecimal is IPv4", "::ffff:c000:201",
	    "192.0.2.1/32" },
	{ "an address in brackets", "[::1]", "::1/128" },
	{ "an address as in an SMTP literal", "IPv6:::1", "::1/128" },
	{ "the tag's case does not matter", "ipv6:::1", "::1/128" },
	{ "an SMTP literal itself", "[IPv6:2001:db8::1]", "2001:db8::1/128" },
	{ "an IPv4 literal", "[192.0.2.1]", "192.0.2.1/32" },
	{ "unknown is no address", "unknown", NULL },
	{ "nothing is no address", "", NULL },
	{ "empty brackets are no address", "[]", NULL },
	{ "an open bracket is refused", "[::1", NULL },
	{ "a name is no address", "mail.example", NULL },
	{ "three numbers are no address", "192.0.2", NULL },
	{ "a number over 255 is refused", "192.0.2.256", NULL },
	{ "a leading nought is refused", "192.0.02.1", NULL },
	{ "a blank before is refused", " 192.0.2.1", NULL },
	{ "a blank after is refused", "192.0.2.1 ", NULL },
	{ "a port is refused", "192.0.2.1:25", NULL },
	{ "a zone is refused", "fe80::1%eth0", NULL },
	{ "a network is no address", "192.0.2.1/32", NULL },
	{ "two '::' are refused", "1::2::3", NULL },
	{ "what is far too long is refused",
	    "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001",
	    NULL }
};

struct cidr_row {
	const char *name;
	const char *cidr;
	const char *address;	/* NULL: the network is refused */
	bool want;
};

static const struct cidr_row networks[] = {
	{ "an address is in its network", "192.0.2.0/24", "192.0.2.255",
	    true },
	{ "the next network's is not", "192.0.2.0/24", "192.0.3.0", false },
	{ "a prefix may end inside an octet", "192.0.2.128/25", "192.0.2.128",
	    true },
	{ "the lower half is not the upper", "192.0.2.128/25", "192.0.2.127",
	    false },
	{ "a /31 has two", "192.0.2.2/31", "192.0.2.3", true },
	{ "and no more", "192.0.2.2/31", "192.0.2.4", false },
	{ "an address alone is itself", "192.0.2.1", "192.0.2.1", true },
	{ "an address alone is nobody else", "192.0.2.1", "192.0.2.0",
	    false },
	{ "a mapped address is in the IPv4 network", "192.0.2.0/24",
	    "::ffff:192.0.2.9", true },
	{ "all of IPv4 is in 0.0.0.0/0", "0.0.0.0/0", "255.255.255.255",
	    true },
	{ "IPv6 is not in 0.0.0.0/0", "0.0.0.0/0", "2001:db8::1", false },
	{ "all of IPv6 is in ::/0", "::/0", "2001:db8::1", true },
	{ "IPv4 is not in ::/0", "::/0", "192.0.2.1", false },
	{ "IPv4 is not in ::/64", "::/64", "192.0.2.1", false },
	{ "a mapped network is the IPv4 network", "::ffff:192.0.2.0/120",
	    "192.0.2.7", true },
	{ "an IPv6 network", "2001:db8::/32", "2001:db8:ffff::1", true },
	{ "another IPv6 network", "2001:db8::/32", "2001:db9::1", false },
	{ "an odd IPv6 prefix", "2001:db8:8000::/33", "2001:db8:8000::1",
	    true },
	{ "an odd IPv6 prefix has an end", "2001:db8:8000::/33",
	    "2001:db8:7fff::1", false },
	{ "an IPv6 address alone is itself", "2001:db8::1", "2001:db8::1",
	    true },
	{ "an IPv6 address alone is nobody else", "2001:db8::1",
	    "2001:db8::2", false },
	{ "a network as in Postfix's mynetworks", "[2001:db8::]/32",
	    "2001:db8::5", true },
	{ "host bits are refused", "192.0.2.1/24", NULL, false },
	{ "a host bit inside the octet is refused", "192.0.2.64/25", NULL,
	    false },
	{ "IPv6 host bits are refused", "2001:db8::1/64", NULL, false },
	{ "a /33 is refused", "192.0.2.0/33", NULL, false },
	{ "a /129 is refused", "2001:db8::/129", NULL, false },
	{ "an empty prefix length is refused", "192.0.2.0/", NULL, false },
	{ "a negative prefix length is refused", "192.0.2.0/-1", NULL,
	    false },
	{ "a prefix length in words is refused", "192.0.2.0/24x", NULL,
	    false },
	{ "a prefix length that would wrap is refused",
	    "192.0.2.0/4294967320", NULL, false },
	{ "a netmask is refused", "192.0.2.0/255.255.255.0", NULL, false },
	{ "two slashes are refused", "192.0.2.0/24/8", NULL, false },
	{ "an empty network is refused", "", NULL, false },
	{ "a slash alone is refused", "/24", NULL, false },
	{ "a cut IPv4 network is refused", "192.0.2/24", NULL, false }
};

static void
test_addresses(void)
{
	const struct address_row *row;
	struct ipaddr address;
	char buf[CIDR_TEXT];
	int rc;

	for (row = addresses; row < addresses + ROWS(addresses); row++) {
		rc = ipaddr_parse(row->text, &address);
		tap_is(rc == 0 ? cidr_network_text(&address, 32, 128, buf)
		    : NULL, row->want, row->name);
	}
}

static void
test_networks(void)
{
	const struct cidr_row *row;
	struct ipaddr address;
	struct cidr cidr;
	const char *why;
	int rc;

	for (row = networks; row < networks + ROWS(networks); row++) {
		rc = cidr_parse(row->cidr, &cidr, &why);
		if (row->address == NULL)
			tap_ok(rc == -1, row->name);
		else
			tap_ok(rc == 0 &&
			    ipaddr_parse(row->address, &address) == 0 &&
			    cidr_contains(&cidr, &address) == row->want,
			    row->name);
	}
	tap_ok(cidr_parse("192.0.2.1/24", &cidr, &why) == -1 &&
	    strstr(why, "host bits") != NULL, "host bits are named as such");
}

static void
test_text(void)
{
	struct ipaddr address;
	char buf[CIDR_TEXT];

	ipaddr_parse("192.0.2.130", &address);
	tap_is(cidr_network_text(&address, 24, 64, buf), "192.0.2.0/24",
	    "the /24 of an IPv4 address");
	tap_is(cidr_network_text(&address, 25, 64, buf), "192.0.2.128/25",
	    "the /25 of an IPv4 address");
	tap_is(cidr_network_text(&address, 0, 64, buf), "0.0.0.0/0",
	    "the /0 of an IPv4 address");
	ipaddr_parse("2001:db8:1:2:3:4:5:6", &address);
	tap_is(cidr_network_text(&address, 24, 64, buf),
	    "2001:db8:1:2::/64", "the /64 of an IPv6 address");
	ipaddr_parse("1111:2222:3333:4444:5555:6666:7777:8888", &address);
	tap_is(cidr_network_text(&address, 32, 128, buf),
	    "1111:2222:3333:4444:5555:6666:7777:8888/128",
	    "the longest text fits");
}

int
main(void)
{
	test_addresses();
	test_networks();
	test_text();
	return tap_done();
}
