/* SPDX-License-Identifier: ISC */
/* policyctl.c - the operator's tool: options, where the daemon is asked, and a
 * row per verb. Decides nothing about mail. Next: ctl_VERB.c. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "policyd/ctl.h"
#include "common/ctl_text.h"
#include "policyd/ctl_where.h"

/* clang-format off */
enum { TAKES_LDIF = 1, TAKES_BIND = 2 };

static const struct verb {
	const char *name, *words;
	int least, most;	/* how many words */
	int takes;		/* of the options that not every verb has */
	ctl_verb *run;
	const char *help;
} verbs[] = {
	{ "check", "[[-a] --ldif FILE]", 0, 0, TAKES_LDIF, ctl_check,
	    "what is wrong, or would be with an LDIF file" },
	{ "domains", "", 0, 0, 0, ctl_domains,
	    "tenants, their domains and their status" },
	{ "show", "NAME", 1, 1, 0, ctl_show,
	    "each value in force, and the entry it comes from" },
	{ "explain", "[attr=value ...]", 0, 1000, 0, ctl_explain,
	    "what would be answered to a request, and why" },
	{ "usage", "NAME", 1, 1, 0, ctl_usage,
	    "how much of each limit is used up" },
	{ "reset", "NAME [LIMIT]", 1, 2, 0, ctl_reset,
	    "forget what was counted" },
	{ "suspend", "NAME", 1, 1, TAKES_BIND, ctl_suspend,
	    "in LDAP: what it sends is deferred from now on" },
	{ "resume", "NAME", 1, 1, TAKES_BIND, ctl_resume,
	    "in LDAP: take back what suspend has set" },
	{ "exceptions", "", 0, 0, 0, ctl_exceptions,
	    "allow and block lines, with owner and expiry" },
	{ "accept-snapshot", "", 0, 0, 0, ctl_accept_snapshot,
	    "take a directory that has lost many tenants" },
};
#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

enum { OPTION_JSON = 256, OPTION_LDIF };
static const struct option options[] = {
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "ldif", required_argument, NULL, OPTION_LDIF },
	{ NULL, 0, NULL, 0 },
};
/* clang-format on */

struct invocation {
	const struct verb *verb;	/* NULL: what is to be done is done */
	int given;	/* TAKES_ of the options that were there */
	struct ctl ctl;
	struct ctl_own own;
};

static void
print_usage(FILE *to)
{
	size_t i;

	fputs("usage: policyctl [-s SOCKET | -c FILE] [--json] COMMAND\n",
	    to);
	for (i = 0; i < VERBS; i++)
		fprintf(to, "  %s %-*s %s\n", verbs[i].name,
		    24 - (int)strlen(verbs[i].name), verbs[i].words,
		    verbs[i].help);
	fputs("NAME is a domain or an address.\n"
	    "  -s SOCKET  ask there, whatever the configuration says\n"
	    "  -c FILE    configuration, instead of " CTL_CONF_PATH "\n"
	    "  --json     the answer as JSON\n"
	    "suspend and resume write to LDAP as whoever you are there:\n"
	    "  -D DN      by this name, with a password\n"
	    "  -W         which is asked for, as it is without -y\n"
	    "  -y FILE    which is the first line of this file\n"
	    "  -Y EXTERNAL  as the socket or your certificate says\n"
	    "  -H URI     at this server, not those of the configuration\n"
	    "  -h         this text\n"
	    "  -V         the version\n", to);
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
	    (in->own.adds && in->own.ldif == NULL))
		return refuse();
	in->verb = verb;
	in->ctl.words = (const char *const *)words + 1;
	return CTL_FINE;
}

/* An option that takes a word */
static void
read_option(struct invocation *in, int c, const char *word)
{
	const struct {
		int option;
		const char **to;
		int takes;
	} rows[] = {
		{ 's', &in->own.control, 0 },
		{ 'c', &in->ctl.conf_path, 0 },
		{ OPTION_LDIF, &in->own.ldif, TAKES_LDIF },
		{ 'D', &in->ctl.bind.dn, TAKES_BIND },
		{ 'H', &in->ctl.bind.uri, TAKES_BIND },
		{ 'y', &in->ctl.bind.password_file, TAKES_BIND },
		{ 'Y', &in->ctl.bind.mechanism, TAKES_BIND },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].option == c) {
			*rows[i].to = word;
			in->given |= rows[i].takes;
		}
}

static enum ctl_exit
read_arguments(struct invocation *in, int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "as:c:D:H:Wy:Y:hV", options,
	    NULL)) != -1)
		switch (c) {
		case OPTION_JSON:
			in->ctl.is_json = true;
			break;
		case 'a':
			in->own.adds = true;
			in->given |= TAKES_LDIF;
			break;
		case 'W':
			in->ctl.bind.is_asked = true;
			in->given |= TAKES_BIND;
			break;
		case 'h':
			print_usage(stdout);
			return CTL_FINE;
		case 'V':
			puts("postern-policyctl " PACKAGE_VERSION);
			return CTL_FINE;
		case '?':
			return refuse();
		default:
			read_option(in, c, optarg);
		}
	return read_words(in, argc - optind, argv + optind);
}

static enum ctl_exit
run(struct invocation *in)
{
	char *control = NULL;
	enum ctl_exit code = CTL_UNASKED;

	in->ctl.arena = arena_new(0);
	in->ctl.own = &in->own;
	if (in->own.control == NULL && in->own.ldif == NULL)
		in->own.control = control = ctl_where(in->ctl.conf_path);
	if (in->own.control != NULL || in->own.ldif != NULL)
		code = in->verb->run(&in->ctl);
	free(control);
	arena_free(in->ctl.arena);
	return code;
}

int
main(int argc, char **argv)
{
	struct invocation in = { .verb = NULL };
	enum ctl_exit code;

	ctl_text_start();
	code = read_arguments(&in, argc, argv);
	if (in.verb != NULL)
		code = run(&in);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("policyctl: standard output");
		return CTL_UNASKED;
	}
	return code;
}
