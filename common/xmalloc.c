/* SPDX-License-Identifier: ISC */
/* xmalloc.c - allocation that ends the process when there is none left: a
 * daemon that cannot get 100 bytes cannot say so politely either. */
#include "common/xmalloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"

static void *
need(void *got, size_t bytes)
{
	if (got == NULL)
		fatal("out of memory: %zu bytes", bytes);
	return got;
}

void *
xmalloc(size_t bytes)
{
	return need(malloc(bytes ? bytes : 1), bytes);
}

void *
xcalloc(size_t count, size_t bytes)
{
	return need(calloc(count ? count : 1, bytes ? bytes : 1), bytes);
}

void *
xrealloc(void *old, size_t count, size_t bytes)
{
	size_t total;

	if (__builtin_mul_overflow(count, bytes, &total))
		fatal("out of memory: %zu times %zu bytes", count, bytes);
	return need(realloc(old, total ? total : 1), total);
}

char *
xstrdup(const char *text)
{
	return xstrndup(text, strlen(text));
}

char *
xstrndup(const char *text, size_t len)
{
	char *copy = xmalloc(len + 1);

	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

char *
xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) == -1)
		text = NULL;
	va_end(ap);
	return need(text, 0);
}
