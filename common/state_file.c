/* SPDX-License-Identifier: ISC */
/* state_file.c - a copy of the directory on disk, as LDIF that operators can
 * read. Its last line is the digest of all above: a file that was torn, cut or
 * edited is none. It takes its name only when it is whole and on the disk.
 * Next: state_keep.c says when. */
#include "common/state_file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <openssl/evp.h>
#include <stdio.h>	/* which ldif.h wants */
#include <lber.h>
#include <ldif.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/ldif.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/xmalloc.h"

#define WRITTEN "# written "
#define WRITTEN_LEN (sizeof(WRITTEN) + STATE_FILE_TIME - 1)
#define PROOF "# SHA-256 of all above "
#define PROOF_LEN (sizeof(PROOF) + 2 * STATE_FILE_DIGEST)
#define TIME_FORMAT "%Y-%m-%dT%H:%M:%SZ"

struct output {
	FILE *file;
	EVP_MD_CTX *digest;
	size_t len;		/* of bytes that are in neither yet */
	char bytes[1 << 16];
};

static int
fail(const char **why, const char *path, const char *reason)
{
	static _Thread_local char text[512];

	snprintf(text, sizeof(text), "%s: %s", path, reason);
	*why = text;
	return -1;
}

void
state_file_time(int64_t ms, char out[STATE_FILE_TIME])
{
	time_t seconds = ms / 1000;
	struct tm utc;

	gmtime_r(&seconds, &utc);
	strftime(out, STATE_FILE_TIME, TIME_FORMAT, &utc);
}

static EVP_MD_CTX *
digest_new(void)
{
	EVP_MD_CTX *digest = EVP_MD_CTX_new();

	if (digest == NULL ||
	    EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1)
		fatal("libcrypto has no SHA256");
	return digest;
}

/* Of what it has so far: it may go on */
static void
digest_now(const EVP_MD_CTX *digest, unsigned char out[STATE_FILE_DIGEST])
{
	EVP_MD_CTX *copy = EVP_MD_CTX_new();

	if (copy == NULL || EVP_MD_CTX_copy_ex(copy, digest) != 1 ||
	    EVP_DigestFinal_ex(copy, out, NULL) != 1)
		fatal("libcrypto has no SHA256");
	EVP_MD_CTX_free(copy);
}

/* The last line */
static void
proof_of(const EVP_MD_CTX *digest, char out[PROOF_LEN + 1])
{
	unsigned char sum[STATE_FILE_DIGEST];
	size_t i;

	digest_now(digest, sum);
	strcpy(out, PROOF);
	for (i = 0; i < sizeof(sum); i++)
		sprintf(out + sizeof(PROOF) - 1 + 2 * i, "%02x", sum[i]);
	strcat(out, "\n");
}

static void
flush(struct output *out)
{
	EVP_DigestUpdate(out->digest, out->bytes, out->len);
	fwrite(out->bytes, 1, out->len, out->file);	/* see close_file() */
	out->len = 0;
}

static void
put(struct output *out, const char *text, size_t len)
{
	size_t part;

	for (; len > 0; text += part, len -= part) {
		if (out->len == sizeof(out->bytes))
			flush(out);
		part = sizeof(out->bytes) - out->len;
		part = len < part ? len : part;
		memcpy(out->bytes + out->len, text, part);
		out->len += part;
	}
}

/* RFC 2849: a SAFE-STRING without a blank at its end */
static bool
is_safe(const char *value, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (value[i] < ' ' || value[i] > '~')
			return false;
	return len == 0 || (strchr(" :<", *value) == NULL &&
	    value[len - 1] != ' ');
}

static void
put_value(struct output *out, const char *name, const char *value, size_t len)
{
	char *line;

	if (is_safe(value, len)) {
		put(out, name, strlen(name));
		put(out, ": ", 2);
		put(out, value, len);
		put(out, "\n", 1);
		return;
	}
	line = ldif_put_wrap(LDIF_PUT_BINARY, name, value, len,
	    LDIF_LINE_WIDTH_MAX);
	if (line == NULL)
		fatal("out of memory");
	put(out, line, strlen(line));
	ber_memfree(line);
}

static void
put_entry(void *arg, const struct entry *entry)
{
	const struct entry_attribute *a;
	struct output *out = arg;
	size_t i, j;

	put_value(out, "dn", entry->dn, strlen(entry->dn));
	for (i = 0; i < entry->count; i++) {
		a = &entry->attributes[i];
		for (j = 0; j < a->count; j++)
			put_value(out, a->name, a->values[j].text,
			    a->values[j].len);
	}
	put(out, "\n", 1);
}

/* Whose directory it is, so that no other one's is started from. xmalloc'd. */
static char *
header_of(const struct source_settings *settings)
{
	char *header, *at;
	char *base = xstrdup(settings->base), *uri = xstrdup(settings->uri);

	for (at = base; *at != '\0'; at++)
		*at = iscntrl((unsigned char)*at) ? '?' : *at;
	for (at = uri; *at != '\0'; at++)
		*at = iscntrl((unsigned char)*at) ? '?' : *at;
	header = xasprintf("version: 1\n\n"
	    "# The directory as it was last in force, for a start while no LDAP"
	    " server\n# answers. It is replaced at every change; edited, it is"
	    " not believed.\n# directory.base %s\n# directory.uri %s\n\n",
	    base, uri);
	free(base);
	free(uri);
	return header;
}

static void
put_content(struct output *out, const struct source_settings *settings,
    state_file_giver *give, void *arg, struct state_file_mark *mark)
{
	struct findings *unheard = findings_new();
	struct source_reader to = { put_entry, out, unheard, NULL };
	char *header = header_of(settings);

	put(out, header, strlen(header));
	free(header);
	give(arg, &to);
	findings_free(unheard);
	flush(out);
	digest_now(out->digest, mark->content);
}

static void
put_end(struct output *out, int64_t written_ms)
{
	char time[STATE_FILE_TIME], line[PROOF_LEN + 1];

	state_file_time(written_ms, time);
	snprintf(line, sizeof(line), WRITTEN "%s\n", time);
	put(out, line, strlen(line));
	flush(out);
	proof_of(out->digest, line);
	put(out, line, strlen(line));
	flush(out);
}

/* One that was left by a process that was killed goes */
static FILE *
open_file(const char *path)
{
	FILE *file = NULL;
	int fd;

	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0 && (file = fdopen(fd, "w")) == NULL)
		close(fd);
	return file;
}

/* 0 where every byte is on the disk */
static int
close_file(FILE *file)
{
	int rc, fault = 0;

	if (ferror(file) || fflush(file) != 0 || fsync(fileno(file)) != 0)
		fault = errno != 0 ? errno : EIO;
	rc = fclose(file);
	if (fault != 0)
		errno = fault;
	return fault != 0 ? -1 : rc;
}

/* Of the new name; where that cannot be made sure of, the old one may be
 * there after a crash, and that is whole, too */
static void
sync_folder(const char *path)
{
	char *copy = xstrdup(path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	free(copy);
}

/* Into the draft, which is closed: 1 where it is to be the file, 0 where it
 * says no more than that, -1 and errno */
static int
write_draft(FILE *file, const struct source_settings *settings,
    state_file_giver *give, void *arg, struct state_file_mark *mark)
{
	struct output *to = xmalloc(sizeof(*to));
	struct state_file_mark next = { .written_ms = loop_now() };
	int rc = 0;

	to->file = file;
	to->digest = digest_new();
	to->len = 0;
	put_content(to, settings, give, arg, &next);
	if (memcmp(next.content, mark->content, sizeof(next.content)) == 0)
		fclose(file);
	else {
		put_end(to, next.written_ms);
		rc = close_file(file) == 0 ? 1 : -1;
		*mark = next;
	}
	EVP_MD_CTX_free(to->digest);
	free(to);
	return rc;
}

int
state_file_write(const struct source_settings *settings,
    state_file_giver *give, void *arg, struct state_file_mark *mark,
    const char **why)
{
	char *draft = xasprintf("%s.new", settings->state_file);
	struct state_file_mark next = *mark;
	FILE *file;
	int rc = -1;

	errno = 0;
	if ((file = open_file(draft)) != NULL)
		rc = write_draft(file, settings, give, arg, &next);
	if (rc == 1 && (rc = rename(draft, settings->state_file)) == 0) {
		sync_folder(settings->state_file);
		*mark = next;
	} else {
		if (rc != 0)
			fail(why, draft, strerror(errno));
		unlink(draft);
	}
	free(draft);
	return rc;
}

/* So many bytes more into the digest; false: there are not so many */
static bool
digest_some(FILE *file, EVP_MD_CTX *digest, off_t len)
{
	char bytes[1 << 16];
	size_t want, got = 1;

	while (len > 0 && got > 0) {
		want = len < (off_t)sizeof(bytes) ? (size_t)len : sizeof(bytes);
		got = fread(bytes, 1, want, file);
		EVP_DigestUpdate(digest, bytes, got);
		len -= (off_t)got;
	}
	return len == 0;
}

/* The two last lines; true where they are there and right */
static bool
read_end(FILE *file, EVP_MD_CTX *digest, struct state_file_mark *out)
{
	char written[WRITTEN_LEN + 1] = "", proof[PROOF_LEN + 1] = "";
	char right[PROOF_LEN + 1];
	struct tm utc = { 0 };

	if (fread(written, 1, WRITTEN_LEN, file) != WRITTEN_LEN ||
	    fread(proof, 1, PROOF_LEN, file) != PROOF_LEN)
		return false;
	EVP_DigestUpdate(digest, written, WRITTEN_LEN);
	proof_of(digest, right);
	if (strcmp(proof, right) != 0 ||
	    strptime(written, WRITTEN TIME_FORMAT "\n", &utc) == NULL)
		return false;
	out->written_ms = (int64_t)timegm(&utc) * 1000;
	return true;
}

static bool
has_header(FILE *file, const struct source_settings *settings)
{
	char *header = header_of(settings), *found;
	size_t len = strlen(header);
	bool is_same;

	found = xmalloc(len);
	rewind(file);
	is_same = fread(found, 1, len, file) == len &&
	    memcmp(found, header, len) == 0;
	free(found);
	free(header);
	return is_same;
}

/* What is wrong with it, or NULL */
static const char *
fault_of(FILE *file, off_t size, const struct source_settings *settings,
    struct state_file_mark *out)
{
	EVP_MD_CTX *digest = digest_new();
	const char *fault = "not whole, or not a state file";
	off_t content = size - (off_t)(WRITTEN_LEN + PROOF_LEN);

	if (content >= 0 && digest_some(file, digest, content)) {
		digest_now(digest, out->content);
		if (read_end(file, digest, out))
			fault = NULL;
	}
	EVP_MD_CTX_free(digest);
	if (fault == NULL && !has_header(file, settings))
		fault = "of another directory.base or directory.uri";
	return fault;
}

int
state_file_read(const struct source_settings *settings,
    const struct source_reader *to, struct state_file_mark *out,
    const char **why)
{
	const char *path = settings->state_file, *fault = "not a file";
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
	struct stat st;

	if (file == NULL) {
		fail(why, path, strerror(errno));
		if (errno == ENOENT)
			*why = "";
		return -1;
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		fault = fault_of(file, st.st_size, settings, out);
	fclose(file);
	if (fault != NULL)
		return fail(why, path, fault);
	return ldif_read(path, to->take, to->arg, to->findings, why);
}
