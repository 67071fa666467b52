/* SPDX-License-Identifier: ISC */
/* dkimctl.c - the operator's tool for keys and signatures: options, and a row
 * per verb. It reads what dkimsign reads, and asks no daemon. Keeps secrets out
 * of core files and out of memory that was given back. Next: ctl_VERB.c. */
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "config.h"
#include "common/ctl_text.h"
#include "common/log.h"
#include "common/loop.h"
#include "dkimsign/ctl.h"

/* clang-format off */
enum { TAKES_KEY = 1, TAKES_BIND = 2, TAKES_FORMAT = 4, TAKES_DOMAIN = 8,
    TAKES_RECORDS = 16 };

static const struct verb {
	const char *name, *words;
	int least, most;	/* how many words */
	int takes;		/* of the options that not every verb has */
	ctl_verb *run;
	const char *help;
} verbs[] = {
	{ "genkey", "DOMAIN", 1, 1, TAKES_KEY | TAKES_BIND, ctl_genkey,
	    "make keys: LDIF, or with --write into LDAP" },
	{ "keys", "[DOMAIN]", 0, 1, 0, ctl_keys,
	    "the keys that there are, and which of them sign" },
	{ "dns", "[DOMAIN]", 0, 1, TAKES_FORMAT, ctl_dns,
	    "their records for the DNS" },
	{ "sign", "< MESSAGE", 0, 0, TAKES_DOMAIN, ctl_sign,
	    "sign as dkimsign would, to standard output" },
	{ "verify", "< MESSAGE", 0, 0, TAKES_RECORDS, ctl_verify,
	    "each signature, and whether it verifies" },
};
#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

struct invocation {
	const struct verb *verb;	/* NULL: what is to be done is done */
	int given;	/* TAKES_ of the options that were there */
	struct ctl ctl;
	struct ctl_own own;
};

enum { OPTION_JSON = 256, OPTION_ALGORITHM, OPTION_SELECTOR,
    OPTION_NOT_BEFORE, OPTION_PASSPHRASE_FILE, OPTION_BASE, OPTION_WRITE,
    OPTION_FORMAT, OPTION_RECORDS, OPTION_DIRECTORY, OPTION_SERVER };
static const struct option options[] = {
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "algorithm", required_argument, NULL, OPTION_ALGORITHM },
	{ "selector", required_argument, NULL, OPTION_SELECTOR },
	{ "not-before", required_argument, NULL, OPTION_NOT_BEFORE },
	{ "passphrase-file", required_argument, NULL, OPTION_PASSPHRASE_FILE },
	{ "base", required_argument, NULL, OPTION_BASE },
	{ "write", no_argument, NULL, OPTION_WRITE },
	{ "format", required_argument, NULL, OPTION_FORMAT },
	{ "records", required_argument, NULL, OPTION_RECORDS },
	{ "directory", no_argument, NULL, OPTION_DIRECTORY },
	{ "server", required_argument, NULL, OPTION_SERVER },
	{ NULL, 0, NULL, 0 },
};

/* Where an option's word, or that it was there, goes */
#define AT(member) offsetof(struct invocation, member)
static const struct row {
	int option, takes;
	bool has_word;
	size_t at;
} rows[] = {
	{ 'c', 0, true, AT(ctl.conf_path) },
	{ OPTION_JSON, 0, false, AT(ctl.is_json) },
	{ OPTION_ALGORITHM, TAKES_KEY, true, AT(own.algorithm) },
	{ OPTION_SELECTOR, TAKES_KEY, true, AT(own.selector) },
	{ OPTION_NOT_BEFORE, TAKES_KEY, true, AT(own.not_before) },
	{ OPTION_PASSPHRASE_FILE, TAKES_KEY, true, AT(own.passphrase_file) },
	{ OPTION_BASE, TAKES_KEY, true, AT(own.base) },
	{ OPTION_WRITE, TAKES_KEY, false, AT(own.writes) },
	{ 'D', TAKES_BIND, true, AT(ctl.bind.dn) },
	{ 'W', TAKES_BIND, false, AT(ctl.bind.is_asked) },
	{ 'y', TAKES_BIND, true, AT(ctl.bind.password_file) },
	{ 'Y', TAKES_BIND, true, AT(ctl.bind.mechanism) },
	{ 'H', TAKES_BIND, true, AT(ctl.bind.uri) },
	{ OPTION_FORMAT, TAKES_FORMAT, true, AT(own.format) },
	{ 'd', TAKES_DOMAIN, true, AT(own.domain) },
	{ OPTION_RECORDS, TAKES_RECORDS, true, AT(own.records) },
	{ OPTION_DIRECTORY, TAKES_RECORDS, false, AT(own.asks_directory) },
	{ OPTION_SERVER, TAKES_RECORDS, true, AT(own.server) },
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))
/* clang-format on */

static void
print_usage(FILE *to)
{
	size_t i;

	fputs("usage: dkimctl [-c FILE] [--json] COMMAND\n", to);
	for (i = 0; i < VERBS; i++)
		fprintf(to, "  %s %-*s %s\n", verbs[i].name,
		    17 - (int)strlen(verbs[i].name), verbs[i].words,
		    verbs[i].help);
	fputs("DOMAIN is any of a tenant's domains, or its id.\n"
	    "  -c FILE    configuration, not /etc/postern/dkimsign.conf\n"
	    "  --json     the answer as JSON\n"
	    "  -h         this text\n"
	    "  -V         the version\n"
	    "genkey:\n"
	    "  --algorithm rsa2048|rsa3072|rsa4096|ed25519\n"
	    "             one key, not both rsa2048 and ed25519\n"
	    "  --selector S  its name in DNS, not rYYYYMMDD or eYYYYMMDD\n"
	    "  --not-before T  it signs from then on, as 20261120103000Z\n"
	    "  --passphrase-file F  to encrypt with, not that of -c\n"
	    "  --base DN  of the tenant's entry: no directory is read\n"
	    "  --write    into LDAP, as whoever you are there: -D DN with\n"
	    "             -W or -y FILE, or -Y EXTERNAL; and -H URI\n"
	    "dns:\n"
	    "  --format zone|line|nsupdate|json\n"
	    "sign:\n"
	    "  -d DOMAIN  only what this tenant may have signed\n"
	    "verify: records come from the DNS, or\n"
	    "  --server ADDRESS[:PORT]  from this name server\n"
	    "  --records FILE  from a file, as dns --format line prints it\n"
	    "  --directory  as the directory would have them\n", to);
}

static enum ctl_exit
refuse(void)
{
	print_usage(stderr);
	return CTL_USAGE;
}

static const struct verb *
find_verb(const char *name)
{
	size_t i;

	for (i = 0; name != NULL && i < VERBS; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

/* The verb and its words, which stand behind the options */
static enum ctl_exit
read_words(struct invocation *in, int count, char **words)
{
	const struct verb *verb = find_verb(words[0]);

	if (verb == NULL || count - 1 < verb->least || count - 1 > verb->most)
		return refuse();
	if ((in->given & ~verb->takes) != 0 ||
	    ((in->given & TAKES_BIND) != 0 && !in->own.writes))
		return refuse();
	in->verb = verb;
	in->ctl.words = (const char *const *)words + 1;
	return CTL_FINE;
}

static void
read_option(struct invocation *in, int c, const char *word)
{
	char *base = (char *)in;
	size_t i;

	for (i = 0; i < ROWS; i++) {
		if (rows[i].option != c)
			continue;
		if (rows[i].has_word)
			*(const char **)(void *)(base + rows[i].at) = word;
		else
			*(bool *)(void *)(base + rows[i].at) = true;
		in->given |= rows[i].takes;
	}
}

static enum ctl_exit
read_arguments(struct invocation *in, int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "c:d:D:H:Wy:Y:hV", options,
	    NULL)) != -1)
		switch (c) {
		case 'h':
			print_usage(stdout);
			return CTL_FINE;
		case 'V':
			puts("postern-dkimctl " PACKAGE_VERSION);
			return CTL_FINE;
		case '?':
			return refuse();
		default:
			read_option(in, c, optarg);
		}
	return read_words(in, argc - optind, argv + optind);
}

/* Nobody may look at our memory, now or later */
static void
keep_secrets(void)
{
	const struct rlimit none = { 0, 0 };

	umask(077);
	arena_wipe_all();
	if (prctl(PR_SET_DUMPABLE, 0) == -1 ||
	    setrlimit(RLIMIT_CORE, &none) == -1)
		fatal("core files cannot be ruled out: %m");
}

static enum ctl_exit
run(struct invocation *in)
{
	enum ctl_exit code;

	in->ctl.arena = arena_new(0);
	in->ctl.own = &in->own;
	code = in->verb->run(&in->ctl);
	arena_free(in->ctl.arena);
	return code;
}

int
main(int argc, char **argv)
{
	struct invocation in = { .verb = NULL };
	enum ctl_exit code;

	log_open("dkimctl", false, false);
	keep_secrets();
	ctl_text_start();
	loop_clock_open();
	code = read_arguments(&in, argc, argv);
	if (in.verb != NULL)
		code = run(&in);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("dkimctl: standard output");
		return CTL_UNASKED;
	}
	return code;
}
