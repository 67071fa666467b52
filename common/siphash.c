/* SPDX-License-Identifier: ISC */
/* siphash.c - SipHash-1-3, 64 bits wide for tables, 128 for names that must
 * not be mistaken for each other. Pure but for its secret. */
#include "common/siphash.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "common/log.h"

static uint64_t
rotate(uint64_t word, int bits)
{
	return word << bits | word >> (64 - bits);
}

static inline void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

static inline void
begin(uint64_t v[4], const struct siphash_secret *secret)
{
	v[0] = secret->words[0] ^ 0x736f6d6570736575;
	v[1] = secret->words[1] ^ 0x646f72616e646f6d;
	v[2] = secret->words[0] ^ 0x6c7967656e657261;
	v[3] = secret->words[1] ^ 0x7465646279746573;
}

static inline void
take(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
}

static inline uint64_t
finish(uint64_t v[4])
{
	sip_round(v);
	sip_round(v);
	sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static inline uint64_t
load64(const unsigned char *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return le64toh(word);
}

static inline uint64_t
load32(const unsigned char *bytes)
{
	uint32_t word;

	memcpy(&word, bytes, sizeof(word));
	return le32toh(word);
}

/* Fewer than eight bytes as the low ones of a word; read twice where that
 * saves a loop */
static inline uint64_t
rest_of(const unsigned char *bytes, size_t len)
{
	if (len >= 4)
		return load32(bytes) | load32(bytes + len - 4) << 8 * (len - 4);
	if (len == 0)
		return 0;
	return bytes[0] | (uint64_t)bytes[len / 2] << 8 * (len / 2) |
	    (uint64_t)bytes[len - 1] << 8 * (len - 1);
}

struct siphash_secret
siphash_secret_new(void)
{
	struct siphash_secret secret;

	while (getrandom(&secret, sizeof(secret), 0) != sizeof(secret))
		if (errno != EINTR)
			fatal("getrandom: %s", strerror(errno));
	return secret;
}

static inline void
take_all(uint64_t v[4], const unsigned char *bytes, size_t len)
{
	size_t left;

	for (left = len; left >= 8; left -= 8, bytes += 8)
		take(v, load64(bytes));
	take(v, (uint64_t)len << 56 | rest_of(bytes, left));
}

uint64_t
siphash(const struct siphash_secret *secret, const void *bytes, size_t len)
{
	uint64_t v[4];

	begin(v, secret);
	take_all(v, bytes, len);
	v[2] ^= 0xff;
	return finish(v);
}

void
siphash_wide(const struct siphash_secret *secret, const void *bytes,
    size_t len, uint64_t out[static 2])
{
	uint64_t v[4];

	begin(v, secret);
	v[1] ^= 0xee;
	take_all(v, bytes, len);
	v[2] ^= 0xee;
	out[0] = finish(v);
	v[1] ^= 0xdd;
	out[1] = finish(v);
}
