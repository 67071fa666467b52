/* SPDX-License-Identifier: ISC */
/* secret.c - the first line of a file, and nothing else of it. */
#include "common/secret.h"

#include <stdlib.h>
#include <unistd.h>

#include "t/unit/tap.h"

static const struct { const char *name, *text, *want; } rows[] = {
	{ "a line", "s3cret\n", "s3cret" },
	{ "a line without its end", "s3cret", "s3cret" },
	{ "blanks belong to it", " two words \n", " two words " },
	{ "a line as of DOS", "s3cret\r\n", "s3cret" },
	{ "what follows does not count", "one\ntwo\n", "one" },
	{ "an empty line is no secret", "\ns3cret\n", NULL },
	{ "nor is an empty file", "", NULL },
};

int
main(void)
{
	char path[] = "/tmp/secret.XXXXXX";
	int fd = mkstemp(path);
	const char *why = "";
	char *secret;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (ftruncate(fd, 0) == -1 || pwrite(fd, rows[i].text,
		    strlen(rows[i].text), 0) == -1)
			abort();
		secret = secret_read(path, &why);
		tap_is(secret, rows[i].want, rows[i].name);
		secret_free(secret);
	}
	tap_ok(strstr(why, "holds nothing") != NULL, "it is said why");
	close(fd);
	unlink(path);
	tap_is(secret_read(path, &why), NULL, "no file, no secret");
	tap_ok(strstr(why, path) != NULL && strstr(why, "No such file") != NULL,
	    "and it is said which");
	return tap_done();
}
