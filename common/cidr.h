/* SPDX-License-Identifier: ISC */
/* cidr.h - client addresses and networks, IPv4 and IPv6. Pure. */
#ifndef COMMON_CIDR_H
#define COMMON_CIDR_H

#include <stdbool.h>
#include <stdint.h>

/* IPv4 is kept as ::ffff:a.b.c.d, so that one comparison serves both */
struct ipaddr {
	uint8_t octets[16];
};

struct cidr {
	struct ipaddr network;
	unsigned bits;		/* of 128, also for IPv4 (96 + n) */
};

bool ipaddr_is_v4(const struct ipaddr *address);

/* A bare address, as in client_address; IPv4-mapped IPv6 becomes IPv4; also
 * takes "[::1]" and "IPv6:::1". 0, or -1 ("unknown", "", a name). */
int ipaddr_parse(const char *text, struct ipaddr *out);

/* "192.0.2.0/24", "2001:db8::/32", "[2001:db8::]/32" as in Postfix's
 * mynetworks, or an address alone (/32, /128). Host bits set beyond the prefix
 * are an error that says so. 0, or -1 and why (static text). */
int cidr_parse(const char *text, struct cidr *out, const char **why);
/* "::/0" and other IPv6 networks shorter than /96 contain no IPv4 address */
bool cidr_contains(const struct cidr *cidr, const struct ipaddr *address);

/* The network of the address: "192.0.2.0/24" or "2001:db8:1:2::/64" */
#define CIDR_TEXT 64
const char *cidr_network_text(const struct ipaddr *address, unsigned v4_bits,
    unsigned v6_bits, char buf[CIDR_TEXT]);

#endif
