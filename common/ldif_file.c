/* SPDX-License-Identifier: ISC */
/* ldif_file.c - an LDIF file, cut into records and lines. The file is cut here:
 * ldif_read_record() takes a read error for the end of the file, follows
 * include:, drops lines that begin with a digit, and reads before its buffer
 * where a line starts with NUL. Next: ldif.c, ldif_change.c. */
#include "common/ldif_file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ldif.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/xmalloc.h"

#define RECORD_MAX ((size_t)64 << 20)
#define BUFFER_BYTES 65536

/* A regular file only: a FIFO would hold us for ever */
static FILE *
open_file(const char *path, const char **fault)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	FILE *file = NULL;

	if (fd < 0 || fstat(fd, &st) != 0)
		*fault = strerror(errno);
	else if (!S_ISREG(st.st_mode))
		*fault = "not a file";
	else if ((file = fdopen(fd, "r")) == NULL)
		*fault = strerror(errno);
	if (file == NULL && fd >= 0)
		close(fd);
	return file;
}

static void
forget(char *bytes, size_t len)
{
	if (bytes != NULL)
		explicit_bzero(bytes, len);	/* a private key, perhaps */
	free(bytes);
}

/* One byte behind the record, with a NUL behind it */
static void
append(struct ldif_file *f, char byte)
{
	char *grown;

	if (f->used + 1 >= f->room) {
		f->room = f->room ? 2 * f->room : 4096;
		grown = xmalloc(f->room);
		if (f->used > 0)
			memcpy(grown, f->text, f->used);
		forget(f->text, f->used);
		f->text = grown;
	}
	f->text[f->used++] = byte;
	f->text[f->used] = '\0';
}

/* One line more with its newline, CRLF made LF. Its length: 0 at the end, and
 * at a fault. */
static size_t
next_line(struct ldif_file *f)
{
	size_t start = f->used;
	int byte;

	do {
		if ((byte = getc_unlocked(f->file)) == EOF)
			break;
		append(f, (char)byte);
		if (byte == '\0')
			f->fault = "not LDIF: it holds a NUL";
		else if (f->used >= RECORD_MAX)
			f->fault = "a record of more than 64 MiB";
	} while (byte != '\n' && f->fault == NULL);
	if (ferror(f->file))
		f->fault = strerror(errno);
	if (f->fault != NULL)
		return 0;
	f->line_number++;
	if (f->used > start + 1 && strcmp(f->text + f->used - 2, "\r\n") == 0)
		strcpy(f->text + --f->used - 1, "\n");
	return f->used - start;
}

char *
ldif_file_record(struct ldif_file *f)
{
	size_t len;

	f->used = 0;
	while ((len = next_line(f)) > 0) {
		if (f->text[f->used - len] != '\n') {
			if (f->used == len)
				f->line = f->line_number;
			continue;
		}
		if (--f->used > 0)
			break;
	}
	if (f->used == 0 || f->fault != NULL)
		return NULL;
	f->text[f->used] = '\0';
	return f->text;
}

/* libldap would print to stderr about what is not. CR: its mark of a line that
 * goes on. */
static bool
is_base64(const char *text)
{
	size_t count = 0, padding = 0;

	for (text += strspn(text, " "); *text != '\0'; text++) {
		if (*text == '\r')
			continue;
		count++;
		if (*text == '=')
			padding++;
		else if (padding > 0 || (!isalnum((unsigned char)*text) &&
		    *text != '+' && *text != '/'))
			return false;
	}
	return count > 0 && count % 4 == 0 && padding <= 2;
}

const char *
ldif_split(char *line, const char **name, struct berval *value)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-.;_";
	char *colon = strchr(line, ':');
	const char *fault = NULL;
	struct berval type;
	int must_free;

	*name = "";
	if (colon == NULL)
		return "neither an attribute nor a continuation, which would "
		    "begin with a blank";
	if (colon[1] == '<')
		fault = "a value behind a URL is not fetched: put it here";
	else if (colon[1] == ':' && !is_base64(colon + 2))
		fault = "not base64";
	if (fault != NULL) {
		*colon = '\0';
		*name = line;
		return fault;
	}
	if (ldif_parse_line2(line, &type, value, &must_free) != 0)
		return "not a line of LDIF";
	if (*type.bv_val == ';' || *type.bv_val == '\0' ||
	    type.bv_val[strspn(type.bv_val, letters)] != '\0')
		return "not an attribute's name before the colon";
	type.bv_val[strcspn(type.bv_val, ";")] = '\0';
	*name = type.bv_val;
	return NULL;
}

bool
ldif_file_open(struct ldif_file *f, const char *path)
{
	*f = (struct ldif_file){ .path = path };
	if ((f->file = open_file(path, &f->fault)) == NULL)
		return false;
	f->buffer = xmalloc(BUFFER_BYTES);
	setvbuf(f->file, f->buffer, _IOFBF, BUFFER_BYTES);
	return true;
}

int
ldif_file_close(struct ldif_file *f, const char **why)
{
	static _Thread_local char reason[512];

	if (f->file != NULL) {
		fclose(f->file);
		forget(f->text, f->room);
		forget(f->buffer, BUFFER_BYTES);
	}
	if (f->fault == NULL)
		return 0;
	snprintf(reason, sizeof(reason), "%s: %s", f->path, f->fault);
	*why = reason;
	return -1;
}
