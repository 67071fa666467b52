/* SPDX-License-Identifier: ISC */
/* cidr.c - is this client in that network? Reads numbers alone, never asks a
 * resolver; what is not exactly an address or a network is refused. */
#include "common/cidr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define V4_BITS 96	/* of ::ffff:0:0, before those of the IPv4 address */

static const uint8_t v4_prefix[V4_BITS / 8] = { [10] = 0xff, [11] = 0xff };

bool
ipaddr_is_v4(const struct ipaddr *address)
{
	return memcmp(address->octets, v4_prefix, sizeof(v4_prefix)) == 0;
}

static int
parse(const char *text, size_t len, struct ipaddr *out)
{
	static const char tag[] = "IPv6:";
	char bare[INET6_ADDRSTRLEN];

	if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	if (len >= strlen(tag) && strncasecmp(text, tag, strlen(tag)) == 0) {
		text += strlen(tag);
		len -= strlen(tag);
	}
	if (len >= sizeof(bare))
		return -1;
	memcpy(bare, text, len);
	bare[len] = '\0';
	if (inet_pton(AF_INET6, bare, out->octets) == 1)
		return 0;
	memcpy(out->octets, v4_prefix, sizeof(v4_prefix));
	return inet_pton(AF_INET, bare, out->octets + sizeof(v4_prefix)) == 1
	    ? 0 : -1;
}

int
ipaddr_parse(const char *text, struct ipaddr *out)
{
	return parse(text, strlen(text), out);
}

/* Host bits to nought */
static struct ipaddr
network_of(const struct ipaddr *address, unsigned bits)
{
	struct ipaddr network = { { 0 } };

	memcpy(network.octets, address->octets, bits / 8);
	if (bits % 8 != 0)
		network.octets[bits / 8] = address->octets[bits / 8] &
		    (uint8_t)(0xff << (8 - bits % 8));
	return network;
}

/* One to three digits up to max, no more; -1 otherwise */
static int
parse_bits(const char *text, unsigned max, unsigned *out)
{
	size_t digits = strspn(text, "0123456789");
	unsigned bits = 0;

	if (digits == 0 || digits > 3 || text[digits] != '\0')
		return -1;
	while (*text != '\0')
		bits = bits * 10 + (unsigned)(*text++ - '0');
	*out = bits;
	return bits <= max ? 0 : -1;
}

int
cidr_parse(const char *text, struct cidr *out, const char **why)
{
	size_t len = strcspn(text, "/");
	/* By how it is written: "::ffff:192.0.2.0/120" counts as IPv6 does */
	unsigned before = memchr(text, ':', len) == NULL ? V4_BITS : 0;
	struct ipaddr network;

	*why = "not an IP address or network";
	if (parse(text, len, &out->network) == -1)
		return -1;
	out->bits = 128 - before;
	*why = before != 0 ? "the prefix length is not a number from 0 to 32"
	    : "the prefix length is not a number from 0 to 128";
	if (text[len] == '/' &&
	    parse_bits(text + len + 1, 128 - before, &out->bits) == -1)
		return -1;
	out->bits += before;
	*why = "host bits are set beyond the prefix";
	network = network_of(&out->network, out->bits);
	return memcmp(&network, &out->network, sizeof(network)) == 0 ? 0 : -1;
}

bool
cidr_contains(const struct cidr *cidr, const struct ipaddr *address)
{
	struct ipaddr network;

	/* "::/0" is all of IPv6: that IPv4 is kept inside it is our secret */
	if (cidr->bits < V4_BITS && ipaddr_is_v4(address))
		return false;
	network = network_of(address, cidr->bits);
	return memcmp(&network, &cidr->network, sizeof(network)) == 0;
}

const char *
cidr_network_text(const struct ipaddr *address, unsigned v4_bits,
    unsigned v6_bits, char buf[CIDR_TEXT])
{
	bool is_v4 = ipaddr_is_v4(address);
	struct ipaddr network = network_of(address,
	    is_v4 ? V4_BITS + v4_bits : v6_bits);
	char text[INET6_ADDRSTRLEN];

	if (is_v4)
		inet_ntop(AF_INET, network.octets + sizeof(v4_prefix), text,
		    sizeof(text));
	else
		inet_ntop(AF_INET6, network.octets, text, sizeof(text));
	snprintf(buf, CIDR_TEXT, "%s/%u", text, is_v4 ? v4_bits : v6_bits);
	return buf;
}
