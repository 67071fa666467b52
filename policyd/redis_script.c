/* SPDX-License-Identifier: ISC */
/* redis_script.c - the scripts as Redis is given them (the Makefile makes C
 * strings of the .lua files beside this one), and their numbers. Pure. */
#include "policyd/redis_script.h"

#include <string.h>

const char redis_script_ask[] =
#include "policyd/redis_ask.inc"
    ;

const char redis_script_reset[] =
#include "policyd/redis_reset.inc"
    ;

void
redis_number(int64_t number, uint8_t out[static REDIS_NUMBER])
{
	double value = (double)number;
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	for (int i = 0; i < REDIS_NUMBER; i++)
		out[i] = (uint8_t)(bits >> 8 * i);
}
