/* SPDX-License-Identifier: ISC */
/* stranger.c - names under which greylisting remembers a stranger. Next:
 * rule_greylist.c makes keys of them. */
#include "policyd/stranger.h"

#include <ctype.h>
#include <libpsl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Is there a number of that value in text, leading zeros allowed? Moves *text
 * behind it. */
static bool
number_found(const char **text, unsigned value)
{
	const char *at = *text;
	char *end;

	while (*at != '\0') {
		if (!isdigit((unsigned char)*at)) {
			at++;
			continue;
		}
		if (strtoul(at, &end, 10) == value) {
			*text = end;
			return true;
		}
		at = end;
	}
	return false;
}

/* All four numbers of an IPv4 address, in order or in reverse */
static bool
has_numbers(const char *name, const uint8_t octets[4])
{
	const char *up = name, *down = name;
	bool is_up = true, is_down = true;
	int i;

	for (i = 0; i < 4; i++) {
		is_up = is_up && number_found(&up, octets[i]);
		is_down = is_down && number_found(&down, octets[3 - i]);
	}
	return is_up || is_down;
}

/* Letters and digits alone, in lower case: separators differ */
static void
squeeze(const char *text, char *out, size_t room)
{
	for (; *text != '\0' && room > 1; text++)
		if (isalnum((unsigned char)*text)) {
			*out++ = (char)tolower((unsigned char)*text);
			room--;
		}
	*out = '\0';
}

/* The address as hexadecimal digits, with or without separators, or as
 * twelve decimal ones */
static bool
has_digits(const char *name, const uint8_t *octets, size_t count)
{
	char plain[DOMAIN_MAX], digits[33];
	size_t i;

	squeeze(name, plain, sizeof(plain));
	for (i = 0; i < count; i++)
		sprintf(digits + 2 * i, "%02x", octets[i]);
	if (strstr(plain, digits) != NULL)
		return true;
	if (count != 4)
		return false;
	sprintf(digits, "%03u%03u%03u%03u", octets[0], octets[1], octets[2],
	    octets[3]);
	return strstr(plain, digits) != NULL;
}

/* The address as people write it: "2001-db8--25". A short one proves
 * nothing. */
static bool
has_text(const char *name, const struct ipaddr *client)
{
	char text[CIDR_TEXT], plain[DOMAIN_MAX], digits[CIDR_TEXT];

	cidr_network_text(client, 32, 128, text);
	text[strcspn(text, "/")] = '\0';
	squeeze(name, plain, sizeof(plain));
	squeeze(text, digits, sizeof(digits));
	return strlen(digits) >= 8 && strstr(plain, digits) != NULL;
}

static bool
name_has_address(const char *name, const struct ipaddr *client)
{
	if (ipaddr_is_v4(client))
		return has_numbers(name, client->octets + 12) ||
		    has_digits(name, client->octets + 12, 4);
	/* the whole address, or its interface half */
	return has_text(name, client) ||
	    has_digits(name, client->octets, 16) ||
	    has_digits(name, client->octets + 8, 8);
}

/* The name's parent domain, or NULL where that says nothing of one owner */
static const char *
owner_domain(const char *name)
{
	const psl_ctx_t *suffixes = psl_builtin();
	const char *dot = strchr(name, '.');

	if (dot == NULL || dot[1] == '\0' || suffixes == NULL)
		return NULL;
	return psl_is_public_suffix(suffixes, dot + 1) ? NULL : dot + 1;
}

const char *
stranger_network(struct arena *arena, const struct ipaddr *client)
{
	char text[CIDR_TEXT];

	if (client == NULL)
		return "unknown";
	return arena_strdup(arena, cidr_network_text(client, 24, 64, text));
}

const char *
stranger_client(struct arena *arena, const struct ipaddr *client,
    const char *client_name)
{
	char name[DOMAIN_MAX];
	const char *owner;

	if (client == NULL || strcasecmp(client_name, "unknown") == 0 ||
	    domain_normalise(client_name, strlen(client_name), name) == -1 ||
	    name_has_address(name, client) ||
	    (owner = owner_domain(name)) == NULL)
		return stranger_network(arena, client);
	return arena_strdup(arena, owner);
}

/* BATV (draft-levine-smtp-batv): prvs=TAG=user, or prvs=user=TAG as some
 * write it, and btv1==TAG==user */
static const char *
without_batv(struct arena *arena, const char *local)
{
	const char *equal;

	if (strncmp(local, "btv1==", 6) == 0 &&
	    (equal = strstr(local + 6, "==")) != NULL)
		return equal + 2;
	if (strncmp(local, "prvs=", 5) != 0 ||
	    (equal = strchr(local + 5, '=')) == NULL)
		return local;
	if (isdigit((unsigned char)local[5]) && equal - (local + 5) == 10)
		return equal + 1;
	return arena_strndup(arena, local + 5, (size_t)(equal - local - 5));
}

const char *
stranger_sender(struct arena *arena, const struct address *sender)
{
	char *local, *from, *to;

	if (*sender->text == '\0')
		return "";
	local = arena_strdup(arena, without_batv(arena, sender->local));
	local[strcspn(local, "+")] = '\0';
	for (from = to = local; *from != '\0'; to++) {
		*to = *from++;
		if (!isdigit((unsigned char)*to))
			continue;
		*to = '0';
		from += strspn(from, "0123456789");
	}
	*to = '\0';
	return arena_printf(arena, "%s@%s", local, sender->domain);
}
