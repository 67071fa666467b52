/* SPDX-License-Identifier: ISC */
/* secret.c - reads a secret from a file, and leaves no other copy of it. */
#include "common/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/xmalloc.h"

#define SECRET_MAX 1024		/* bytes of its line */

/* By read(), as stdio's buffer would be another copy */
char *
secret_read(const char *path, const char **why)
{
	static _Thread_local char text[512];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *secret = xcalloc(1, SECRET_MAX + 1);
	ssize_t n = fd != -1 ? read(fd, secret, SECRET_MAX) : -1;

	snprintf(text, sizeof(text), "%s: %s", path, n == -1 ? strerror(errno)
	    : "holds nothing in its first line");
	*why = text;
	if (fd != -1)
		close(fd);
	if (n > 0)
		memset(secret + strcspn(secret, "\r\n"), 0,
		    (size_t)n - strcspn(secret, "\r\n"));
	if (*secret != '\0')
		return secret;
	secret_free(secret);
	return NULL;
}

void
secret_free(char *secret)
{
	if (secret != NULL)
		explicit_bzero(secret, SECRET_MAX);
	free(secret);
}
