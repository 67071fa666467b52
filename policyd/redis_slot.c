/* SPDX-License-Identifier: ISC */
/* redis_slot.c - which slot is a key's, and where does a node send us? Pure.
 * Next: redis_cluster.c, which knows whose the slots are. */
#include "policyd/redis_slot.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* CRC16/XMODEM: polynomial 0x1021, begins with 0 */
static uint16_t
crc16(const char *text, size_t len)
{
	uint16_t crc = 0;

	for (size_t i = 0; i < len; i++) {
		crc ^= (uint16_t)((uint8_t)text[i] << 8);
		for (int bit = 0; bit < 8; bit++)
			crc = (uint16_t)(crc << 1 ^ (crc >> 15) * 0x1021);
	}
	return crc;
}

unsigned
redis_slot(const char *key)
{
	const char *open = strchr(key, '{');
	const char *end = open != NULL ? strchr(open + 1, '}') : NULL;

	return end == NULL || end == open + 1
	    ? crc16(key, strlen(key)) % REDIS_SLOTS
	    : crc16(open + 1, (size_t)(end - open - 1)) % REDIS_SLOTS;
}

/* "3999 127.0.0.1:6381"; an IPv6 address has no brackets */
static bool
parse_target(const char *text, struct redis_redirect *out)
{
	const char *colon = strrchr(text, ':');
	int at = 0, end = 0;
	size_t len;

	if (sscanf(text, "%5u %n", &out->slot, &at) != 1 || at == 0 ||
	    out->slot >= REDIS_SLOTS || colon == NULL || colon < text + at)
		return false;
	len = (size_t)(colon - text) - (size_t)at;
	if (len >= sizeof(out->host) ||
	    sscanf(colon, ":%5d%n", &out->port, &end) != 1 ||
	    colon[end] != '\0' || out->port <= 0 || out->port > 65535)
		return false;
	memcpy(out->host, text + at, len);
	out->host[len] = '\0';
	return true;
}

bool
redis_redirect_parse(const char *error, struct redis_redirect *out)
{
	static const struct {
		const char *begin;
		enum redirect_kind kind;
	} rows[] = {
		{ "MOVED ", REDIRECT_MOVED },
		{ "ASK ", REDIRECT_ASK },
		{ "TRYAGAIN ", REDIRECT_AGAIN },
		/* of one slot; any other CLUSTERDOWN is of the whole node */
		{ "CLUSTERDOWN Hash slot not served", REDIRECT_AGAIN },
	};

	*out = (struct redis_redirect){ .slot = 0 };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len = strlen(rows[i].begin);

		if (strncmp(error, rows[i].begin, len) != 0)
			continue;
		out->kind = rows[i].kind;
		return out->kind == REDIRECT_AGAIN ||
		    parse_target(error + len, out);
	}
	return false;
}
