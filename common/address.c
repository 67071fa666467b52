/* SPDX-License-Identifier: ISC */
/* address.c - which address is this, however it is written? Splits at the last
 * '@' as Postfix does. Never refuses a local part, never trusts the bytes of a
 * domain: what may be one is decided here, and libidn2 only translates. */
#include "common/address.h"

#include <idn2.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"

#define NAME_MAX_OCTETS 253	/* RFC 1035 2.3.4, without the root's dot */
#define LABEL_MAX_OCTETS 63
#define UTF8_MAX (4 * DOMAIN_MAX)	/* a letter takes at most 4 octets */

/* No host may answer otherwise than another: nothing here depends on locale
 * or on libidn2's defaults */
#define IDN_FLAGS (IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL)

static char
ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static void
copy_lower(char *to, const char *from, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		to[i] = ascii_lower(from[i]);
}

bool
text_is_ascii(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if ((unsigned char)text[i] >= 0x80)
			return false;
	return true;
}

/* '_' is no letter of host names, but Postfix lets it through */
static bool
is_label_octet(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	    c == '-' || c == '_';
}

static bool
is_label(const char *label, size_t len)
{
	return len > 0 && len <= LABEL_MAX_OCTETS && label[0] != '-' &&
	    label[len - 1] != '-';
}

static int
ascii_normalise(const char *text, size_t len, char out[DOMAIN_MAX])
{
	size_t at, label = 0;

	if (len > 0 && text[len - 1] == '.')
		len--;
	if (len > NAME_MAX_OCTETS)
		return -1;
	for (at = 0; at < len; at++) {
		out[at] = ascii_lower(text[at]);
		if (is_label_octet(out[at]))
			continue;
		if (out[at] != '.' || !is_label(out + label, at - label))
			return -1;
		label = at + 1;
	}
	out[len] = '\0';
	return is_label(out + label, len - label) ? 0 : -1;
}

/* NULL where it is no label, as for invalid UTF-8; else from libidn2's heap */
static char *
label_to_ascii(const char *label)
{
	char *ascii = NULL;
	int rc = idn2_to_ascii_8z(label, &ascii, IDN_FLAGS);

	if (rc == IDN2_MALLOC)
		fatal("out of memory: libidn2");
	return rc == IDN2_OK ? ascii : NULL;
}

/* Label by label, so that an ASCII label means the same whoever stands beside
 * it: libidn2 would refuse a neighbour like "r3---sn" or "xn--unknown". */
static int
utf8_normalise(const char *text, size_t len, char out[DOMAIN_MAX])
{
	char copy[UTF8_MAX], whole[DOMAIN_MAX];
	char *rest = copy, *label, *ascii = NULL;
	size_t used = 0;

	if (len >= sizeof(copy) || memchr(text, '\0', len) != NULL)
		return -1;
	memcpy(copy, text, len);
	copy[len] = '\0';
	while ((label = strsep(&rest, ".")) != NULL) {
		bool is_translated = !text_is_ascii(label, strlen(label));

		if (is_translated && (ascii = label_to_ascii(label)) == NULL)
			return -1;
		used += (size_t)snprintf(whole + used, sizeof(whole) - used,
		    "%s%s", label == copy ? "" : ".",
		    is_translated ? ascii : label);
		if (is_translated)
			idn2_free(ascii);
		if (used >= sizeof(whole))
			return -1;
	}
	return ascii_normalise(whole, used, out);
}

int
domain_normalise(const char *text, size_t len, char out[DOMAIN_MAX])
{
	int rc = ascii_normalise(text, len, out);

	if (rc == -1 && !text_is_ascii(text, len))
		rc = utf8_normalise(text, len, out);
	if (rc == -1)
		out[0] = '\0';
	return rc;
}

bool
domain_is_within(const char *domain, const char *parent)
{
	size_t len = strlen(domain), under = strlen(parent);

	if (under == 0 || len < under ||
	    memcmp(domain + len - under, parent, under) != 0)
		return false;
	return len == under || domain[len - under - 1] == '.';
}

/* "[192.0.2.1]" "[IPv6:2001:db8::1]": any RFC 5321 dcontent, not looked into */
static int
literal_normalise(const char *text, size_t len, char out[DOMAIN_MAX])
{
	size_t at;

	if (len < 3 || len >= DOMAIN_MAX || text[len - 1] != ']')
		return -1;
	for (at = 1; at < len - 1; at++)
		if (text[at] <= ' ' || text[at] > '~' ||
		    strchr("[\\]", text[at]) != NULL)
			return -1;
	copy_lower(out, text, len);
	out[len] = '\0';
	return 0;
}

/* The whole of it is one RFC 5321 Quoted-string */
static bool
is_quoted(const char *local, size_t len)
{
	size_t at;

	if (len < 2 || local[0] != '"' || local[len - 1] != '"')
		return false;
	for (at = 1; at < len - 1; at++) {
		if (local[at] == '"')
			return false;
		if (local[at] == '\\' && ++at == len - 1)
			return false;
	}
	return true;
}

/* Returns how much of it remains */
static size_t
copy_local(char *to, const char *from, size_t len)
{
	size_t at, used = 0;

	if (!is_quoted(from, len)) {
		copy_lower(to, from, len);
		return len;
	}
	for (at = 1; at < len - 1; at++) {
		if (from[at] == '\\')
			at++;
		to[used++] = ascii_lower(from[at]);
	}
	return used;
}

/* Postfix's split_addr(), with owner_request_special at its default. It also
 * spares postmaster, in which no delimiter can be. */
static bool
is_never_split(const char *local, size_t len, const char *delimiters)
{
	static const char *const reserved[] = {
		"mailer-daemon", "double-bounce"
	};
	static const char owner[] = "owner-", request[] = "-request";
	size_t i;

	for (i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (strcmp(local, reserved[i]) == 0)
			return true;
	if (strchr(delimiters, '-') == NULL)
		return false;
	return strncmp(local, owner, strlen(owner)) == 0 ||
	    (len > strlen(request) &&
	    strcmp(local + len - strlen(request), request) == 0);
}

/* The length of local without its extension */
static size_t
bare_length(const char *local, size_t len, const char *delimiters)
{
	size_t bare = strcspn(local, delimiters);

	if (bare == 0 || bare == len || is_never_split(local, len, delimiters))
		return len;
	return bare;
}

static int
domain_of_address(const char *text, char out[DOMAIN_MAX])
{
	size_t len = strlen(text);

	return *text == '[' ? literal_normalise(text, len, out)
	    : domain_normalise(text, len, out);
}

/* The first len octets of local, and "@domain" where domain is not NULL */
static const char *
join(struct arena *arena, const char *local, size_t len, const char *domain)
{
	size_t domain_len = domain != NULL ? strlen(domain) : 0;
	char *text = arena_alloc(arena, len + 1 + domain_len + 1);

	memcpy(text, local, len);
	if (domain == NULL)
		return text;
	text[len] = '@';
	memcpy(text + len + 1, domain, domain_len);
	return text;
}

int
address_parse(struct arena *arena, const char *text, const char *delimiters,
    struct address *out)
{
	char buf[DOMAIN_MAX], *local, *domain = NULL;
	const char *at;
	size_t len, bare;

	if (strcmp(text, "<>") == 0)
		text = "";
	len = strlen(text);
	local = arena_alloc(arena, len + 1);
	if ((at = strrchr(text, '@')) != NULL) {
		if (domain_of_address(at + 1, buf) == -1) {
			copy_lower(local, text, len);
			*out = (struct address){ local, local, local, "" };
			return -1;
		}
		domain = buf;
		len = (size_t)(at - text);
	}
	len = copy_local(local, text, len);
	bare = bare_length(local, len, delimiters);
	out->local = local;
	out->text = join(arena, local, len, domain);
	out->bare = bare == len ? out->text
	    : join(arena, local, bare, domain);
	out->domain = domain != NULL ? out->text + len + 1 : "";
	return 0;
}
