/* SPDX-License-Identifier: ISC */
/* t/unit/directory.c - a file changes, breaks, goes, shrinks: what is in force
 * then. The thread is real; each step waits for what it claims. */
#include "common/directory.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "common/log.h"
#include "common/loop.h"
#include "t/unit/ldif_text.h"
#include "t/unit/tap.h"

#define DEADLINE_MS 10000
#define FROM(text) (&(struct source_settings){ .uri = (text) })

static char folder[] = "/tmp/postern-directory.XXXXXX";
static char path[64], uri[80];
static struct directory *directory;

/* count tenants, each with this status; renamed into place */
static void
put_tenants(int count, const char *status)
{
	char draft[80];
	FILE *file;
	int i;

	snprintf(draft, sizeof(draft), "%s.new", path);
	file = fopen(draft, "w");
	for (i = 0; i < count; i++)
		fprintf(file, "dn: dc=t%d\nobjectClass: posternDomain\n"
		    "associatedDomain: t%d.example\nposternStatus: %s\n\n", i,
		    i, status);
	fclose(file);
	rename(draft, path);
}

static size_t
tenants(void)
{
	struct snapshot *s = directory_current(directory);

	return s != NULL ? snapshot_tenants(s) : 0;
}

static bool
status_is(const char *status)
{
	const struct tenant *tenant;

	if (tenants() == 0)
		return false;
	tenant = snapshot_tenant_at(directory_current(directory), 0);
	return strcmp(tenant->layer->policy, status) == 0;
}

static struct directory_status
status(void)
{
	struct directory_status now;

	directory_status(directory, &now);
	return now;
}

static bool has_two(void) { return tenants() == 2; }
static bool has_seven(void) { return tenants() == 7; }
static bool has_20(void) { return tenants() == 20; }
static bool has_30(void) { return tenants() == 30; }
static bool is_active(void) { return status_is("active"); }
static bool is_suspended(void) { return status_is("suspended"); }
static bool is_held(void) { return status().is_held; }
static bool has_failed(void) { return status().problem[0] != '\0'; }
static bool is_well(void) { return status().problem[0] == '\0'; }

/* The loop runs until it is so; false at the deadline */
static bool
comes_true(bool (*claim)(void))
{
	static const struct timeval pause = { 0, 5000 };
	struct timespec start, now;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		if (claim())
			return true;
		event_base_loopexit(loop_base(), &pause);
		event_base_dispatch(loop_base());
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((now.tv_sec - start.tv_sec) * 1000 +
	    (now.tv_nsec - start.tv_nsec) / 1000000 < DEADLINE_MS);
	return false;
}

/* An attempt of the thread that began after this call has ended: one that goes
 * on meanwhile may be the first to end */
static uint64_t reads_before;
static bool has_read(void) { return status().reads > reads_before; }

static bool
reads_again(void)
{
	int i;

	for (i = 0; i < 2; i++) {
		reads_before = status().reads;
		directory_reload(directory);
		if (!comes_true(has_read))
			return false;
	}
	event_base_loop(loop_base(), EVLOOP_NONBLOCK);
	return true;
}

static void
test_uris(void)
{
	const char *why = "";
	char *reason = NULL;

	tap_ok(directory_new(FROM("nis://nis.example"), parse_status, &why) == NULL,
	    "a scheme that we do not know is refused");
	tap_is(why, "nis: not known; known: ldif, ldap, ldaps, ldapi",
	    "and the reason names it and those we know");
	tap_ok(directory_new(FROM("ldif://x"), parse_status, &why) == NULL,
	    "a path that is not whole is refused");
	tap_is(why, "ldif: wants a whole path: ldif:///path", "and told");
	tap_ok(directory_read(FROM("ldif:///nonexistent/x"), parse_status,
	    &reason) == NULL, "what is not there cannot be read once");
	tap_is(reason, "/nonexistent/x: No such file or directory",
	    "and the reason is the system's");
	free(reason);
}

static void
test_changes(void)
{
	struct snapshot *held;

	tap_int((int64_t)tenants(), 2,
	    "the first reading is there after start");
	tap_ok(status().adopted_ms > 0, "and when it came");
	held = snapshot_hold(directory_current(directory));
	put_tenants(2, "suspended");
	tap_ok(comes_true(is_suspended), "a change comes by itself");
	tap_int((int64_t)snapshot_tenants(held), 2,
	    "who holds the one before, still has it");
	snapshot_release(held);
	put_tenants(2, "bad");
	tap_ok(reads_again() && is_suspended(),
	    "a bad value leaves the last good form in force");
	put_tenants(2, "active");
	directory_reload(directory);
	tap_ok(comes_true(is_active), "asked for, it is read at once");
}

static atomic_bool must_stop;

/* As a session of dkimsign, which has a thread of its own */
static void *
hold_often(void *arg)
{
	struct snapshot *held;
	size_t *empty = arg;

	while (!must_stop) {
		held = directory_hold(directory);
		*empty += held == NULL || snapshot_tenants(held) == 0;
		snapshot_release(held);
	}
	return NULL;
}

static void
test_threads(void)
{
	pthread_t threads[2];
	size_t empty[2] = { 0, 0 };
	int i;

	for (i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, hold_often, &empty[i]);
	for (i = 0; i < 10; i++) {
		put_tenants(2, i % 2 ? "active" : "suspended");
		directory_reload(directory);
		tap_ok(comes_true(i % 2 ? is_active : is_suspended),
		    "a change comes while other threads hold snapshots");
	}
	must_stop = true;
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	tap_ok(empty[0] + empty[1] == 0,
	    "and there is always one to hold");
}

static void
test_keys(void)
{
	static const char text[] = "dn: dc=t0\n"
	    "objectClass: posternDomain\nassociatedDomain: t0.example\n\n"
	    "dn: cn=k,dc=t0\nobjectClass: posternDkimKey\n";
	struct source_settings settings = { .uri = uri };
	FILE *file = fopen(path, "w");
	struct snapshot *s;
	char *why;
	int i;

	fputs(text, file);
	fclose(file);
	for (i = 0; i < 2; i++) {
		settings.wants_keys = i;
		s = directory_read(&settings, parse_status, &why);
		tap_ok((snapshot_key_at(s, snapshot_tenant_at(s, 0), 0) !=
		    NULL) == i, i ? "who wants keys gets them"
		    : "who does not want keys has none");
		snapshot_release(s);
	}
	unlink(path);
}

static void
test_failures(void)
{
	FILE *file;

	unlink(path);
	tap_ok(comes_true(has_failed), "a file that is gone is a failure");
	tap_ok(has_two(), "and not an empty directory");
	put_tenants(2, "suspended");
	tap_ok(comes_true(is_suspended), "when it is back, it is read");
	tap_ok(comes_true(is_well), "and all is well");
	file = fopen(path, "w");
	fwrite("dn: dc=a\n\0\n", 1, 11, file);
	fclose(file);
	tap_ok(comes_true(has_failed), "a file that is no LDIF is a failure");
	tap_ok(status().failures >= 2 && status().reads > status().failures,
	    "both are counted");
	tap_ok(has_two(), "and the last snapshot serves");
	put_tenants(2, "active");
	tap_ok(comes_true(is_active), "when it is whole again, it is read");
}

static void
test_guard(void)
{
	tap_ok(!directory_accept(directory), "nothing is held back");
	put_tenants(0, "");
	tap_ok(comes_true(is_held), "a file without any tenant is held back");
	tap_ok(has_two(), "and the last snapshot serves");
	put_tenants(30, "active");
	tap_ok(comes_true(has_30), "a harmless one is adopted");
	tap_ok(!is_held(), "and the held one forgotten");
	put_tenants(20, "active");
	tap_ok(comes_true(is_held), "10 of 30 is too many");
	tap_int((int64_t)status().held_removed, 10, "it tells how many");
	tap_int((int64_t)status().held_total, 30, "and of how many");
	tap_ok(reads_again() && has_30(), "reading again does not adopt it");
	tap_ok(directory_accept(directory), "it may be accepted");
	tap_ok(comes_true(has_20), "and is adopted then");
	tap_ok(!is_held(), "nothing is held back any more");
	put_tenants(15, "active");
	tap_ok(reads_again() && tenants() == 15, "5 of 20 go without asking");
	put_tenants(8, "active");
	tap_ok(reads_again() && is_held(), "accepting holds for one reading");
	put_tenants(7, "active");
	tap_ok(reads_again() && directory_accept(directory) &&
	    comes_true(has_seven), "and is to be asked for again");
}

int
main(void)
{
	const char *why = "";

	log_open("directory", false, false);
	if (mkdtemp(folder) == NULL || freopen("/dev/null", "w",
	    stderr) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/x.ldif", folder);
	snprintf(uri, sizeof(uri), "ldif://%s", path);
	test_uris();
	test_keys();
	directory = directory_new(FROM(uri), parse_status, &why);
	directory_start(directory, DEADLINE_MS);
	tap_ok(directory_current(directory) == NULL && has_failed(),
	    "without a file there is no snapshot, and a reason");
	directory_free(directory);
	put_tenants(2, "active");
	directory = directory_new(FROM(uri), parse_status, &why);
	directory_free(directory);
	directory = directory_new(FROM(uri), parse_status, &why);
	directory_start(directory, DEADLINE_MS);
	test_changes();
	test_threads();
	test_failures();
	test_guard();
	directory_free(directory);
	loop_free();
	unlink(path);
	rmdir(folder);
	return tap_done();
}
