/* SPDX-License-Identifier: ISC */
/* siphash.h - SipHash-1-3 (Aumasson, Bernstein): who does not know the secret
 * cannot find inputs that collide. For tables and names inside one process. */
#ifndef COMMON_SIPHASH_H
#define COMMON_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_secret {
	uint64_t words[2];
};

/* Random, for this process */
struct siphash_secret siphash_secret_new(void);

uint64_t siphash(const struct siphash_secret *secret, const void *bytes,
    size_t len);

/* The same with 128 bits: to tell things apart, not only to spread them */
void siphash_wide(const struct siphash_secret *secret, const void *bytes,
    size_t len, uint64_t out[static 2]);

#endif
