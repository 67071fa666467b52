/* SPDX-License-Identifier: ISC */
/* t/unit/state_file.c - what is written comes back; any file that is not all
 * of what was written does not; a failure leaves the one before. */
#include "common/state_file.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/loop.h"
#include "t/unit/ldif_text.h"
#include "t/unit/tap.h"

static char folder[] = "/tmp/postern-state.XXXXXX";
static char path[64], draft[80];
static struct source_settings ours = {
	.uri = "ldap://a ldap://b", .base = "dc=x", .state_file = path };

static const char text[] =
    "dn: dc=a,dc=x\n"
    "objectClass: posternDomain\n"
    "associatedDomain: a.example\n"
    "associatedDomain: b.example\n"
    "createTimestamp: 20261121005300Z\n"
    "posternBlock:: bm90ZT0Kw6QA\n"	/* a newline, an umlaut, a NUL */
    "posternAlert: \n"
    "\n"
    "dn:: Y249w6QsZGM9eA==\n"		/* cn=ä,dc=x */
    "objectClass: posternTemplate\n"
    "posternAllow:: IGJsYW5rIA==\n";	/* " blank " */

/* All entries of a text, as a source gives them */
static void
give_text(void *arg, const struct source_reader *to)
{
	const char *why;

	if (ldif_read(ldif_file(arg, strlen(arg)), to->take, to->arg,
	    to->findings, &why) != 0)
		abort();
}

static void
give_many(void *arg, const struct source_reader *to)
{
	struct arena *arena = arena_new(0);
	int i, count = *(int *)arg;

	for (i = 0; i < count; i++)
		to->take(to->arg, entry_new(arena,
		    arena_printf(arena, "dc=t%d,dc=x", i), 0));
	arena_free(arena);
}

/* Each value with its bytes as seen, one line each */
static char seen[4096];

static void
see(void *arg, const struct entry *entry)
{
	size_t i, j, k, at = strlen(seen);

	(void)arg;
	at += sprintf(seen + at, "%s\n", entry->dn);
	for (i = 0; i < entry->count; i++)
		for (j = 0; j < entry->attributes[i].count; j++) {
			at += sprintf(seen + at, " %s=",
			    entry->attributes[i].name);
			for (k = 0; k < entry->attributes[i].values[j].len; k++)
				at += sprintf(seen + at, "%02x", (unsigned char)
				    entry->attributes[i].values[j].text[k]);
			at += sprintf(seen + at, "\n");
		}
}

static int
read_state(const struct source_settings *settings,
    struct state_file_mark *mark, const char **why)
{
	struct findings *findings = findings_new();
	struct source_reader to = { see, NULL, findings, NULL };
	int rc;

	*seen = '\0';
	rc = state_file_read(settings, &to, mark, why);
	if (findings_count(findings) > 0)
		rc = -2;
	findings_free(findings);
	return rc;
}

static void
put_file(const char *bytes, size_t len)
{
	FILE *file = fopen(path, "w");

	fwrite(bytes, 1, len, file);
	fclose(file);
}

static size_t
get_file(char *bytes, size_t room)
{
	FILE *file = fopen(path, "r");
	size_t len = fread(bytes, 1, room, file);

	fclose(file);
	return len;
}

static void
test_round(void)
{
	struct source_reader to = { see, NULL, NULL, NULL };
	struct state_file_mark wrote = { 0 }, got = { 0 };
	struct stat st = { 0 };
	const char *why = "";
	char was[sizeof(seen)];

	tap_int(read_state(&ours, &got, &why), -1, "no file is not read");
	tap_is(why, "", "and is no fault");
	umask(0);
	tap_int(state_file_write(&ours, give_text, (void *)text, &wrote, &why),
	    0, "it is written");
	stat(path, &st);
	tap_int(st.st_mode & 07777, 0600, "for its owner alone");
	tap_ok(access(draft, F_OK) != 0, "nothing else is left");
	tap_int(read_state(&ours, &got, &why), 0, "it is read");
	strcpy(was, seen);
	*seen = '\0';
	to.findings = findings_new();
	give_text((void *)text, &to);
	findings_free(to.findings);
	tap_is(was, seen, "and every byte of every value comes back");
	tap_ok(got.written_ms == wrote.written_ms && got.written_ms ==
	    1795222380000, "and the time it was written");
	tap_ok(memcmp(got.content, wrote.content, sizeof(got.content)) == 0,
	    "and the digest of its content");
	loop_now_set(1795222390000);
	tap_int(state_file_write(&ours, give_text, (void *)text, &got, &why),
	    0, "the same content is written again");
	tap_ok(got.written_ms == 1795222380000 && access(draft, F_OK) != 0 &&
	    read_state(&ours, &got, &why) == 0 && got.written_ms ==
	    1795222380000, "in that the file stays as it is");
	state_file_write(&ours, give_text, (void *)"dn: dc=x\n", &got, &why);
	tap_ok(read_state(&ours, &got, &why) == 0 && strcmp(seen, "dc=x\n") ==
	    0 && got.written_ms == 1795222390000, "another replaces it");
	state_file_write(&ours, give_text, (void *)text, &got, &why);
}

static void
test_damage(void)
{
	static char good[4096], bad[4096];
	size_t i, len = get_file(good, sizeof(good)), believed = 0;
	struct state_file_mark mark;
	const char *why;

	for (i = 0; i < len; i++) {
		put_file(good, i);
		believed += read_state(&ours, &mark, &why) != -1;
	}
	tap_int((int64_t)believed, 0, "a file that was cut anywhere is none");
	for (i = 0; i < len; i++) {
		memcpy(bad, good, len);
		bad[i] ^= 1;
		put_file(bad, len);
		believed += read_state(&ours, &mark, &why) != -1;
	}
	tap_int((int64_t)believed, 0, "one with any bit turned is none");
	put_file(good, len);
	tap_int(read_state(&ours, &mark, &why), 0, "the whole one is one");
}

static void
test_foreign(void)
{
	struct source_settings other = ours;
	struct state_file_mark mark = { 0 };
	const char *why = "";

	other.uri = "ldap://a";
	tap_int(read_state(&other, &mark, &why), -1,
	    "that of other servers is refused");
	tap_ok(strstr(why, "of another directory.base or directory.uri") !=
	    NULL, "and that is told");
	other = ours;
	other.base = "dc=y";
	tap_int(read_state(&other, &mark, &why), -1,
	    "that of another base, too");
	other.base = "dc=x\ndn: dc=evil";
	state_file_write(&other, give_text, (void *)text, &mark, &why);
	tap_int(read_state(&other, &mark, &why), 0,
	    "no base makes entries of the head");
	tap_ok(strstr(seen, "evil") == NULL, "none at all");
	mark = (struct state_file_mark){ 0 };
	state_file_write(&ours, give_text, (void *)text, &mark, &why);
	other.state_file = folder;
	tap_int(read_state(&other, &mark, &why), -1, "a folder is no file");
}

static void
test_failures(void)
{
	struct rlimit limit, small;
	struct state_file_mark mark = { 0 };
	const char *why = "";
	int many = 10000;
	FILE *left = fopen(draft, "w");

	fputs("left by one that was killed\n", left);
	fclose(left);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	small = limit;
	small.rlim_cur = 100000;
	setrlimit(RLIMIT_FSIZE, &small);
	tap_int(state_file_write(&ours, give_many, &many, &mark, &why), -1,
	    "where there is no room it is not written");
	tap_ok(strstr(why, "File too large") != NULL, "and that is told");
	setrlimit(RLIMIT_FSIZE, &limit);
	tap_ok(access(draft, F_OK) != 0, "nothing is left of it");
	tap_int(read_state(&ours, &mark, &why), 0, "the one before is there");
	tap_int(state_file_write(&ours, give_many, &many, &mark, &why), 0,
	    "with room it is written");
	ours.state_file = "/nonexistent/state";
	tap_int(state_file_write(&ours, give_many, &many, &mark, &why), -1,
	    "where there is no folder it is not");
	tap_is(why, "/nonexistent/state.new: No such file or directory",
	    "and that is told");
}

int
main(void)
{
	tap_log();
	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/state", folder);
	snprintf(draft, sizeof(draft), "%s.new", path);
	loop_now_set(1795222380000);
	test_round();
	test_damage();
	test_foreign();
	test_failures();
	unlink(path);
	rmdir(folder);
	return tap_done();
}
