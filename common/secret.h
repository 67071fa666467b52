/* SPDX-License-Identifier: ISC */
/* secret.h - a password or passphrase that stands in a file of its own. */
#ifndef COMMON_SECRET_H
#define COMMON_SECRET_H

/* The file's first line; secret_free() wipes and frees it. NULL and *why (of
 * this thread, until the next call): it cannot be read, or is empty. */
char *secret_read(const char *path, const char **why);
void secret_free(char *secret);		/* NULL is fine */

#endif
