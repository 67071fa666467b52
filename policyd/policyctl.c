/* SPDX-License-Identifier: ISC */
/* policyctl.c - the operator's tool: options, where the daemon is asked, and a
 * row per verb. Decides nothing about mail. Next: ctl_VERB.c. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "policyd/ctl.h"
#include "policyd/ctl_text.h"
#include "policyd/ctl_where.h"

/* clang-format off */
static const struct verb {
	const char *name, *words;
	int least, most;	/* how many words */
	ctl_verb *run;
	const char *help;
} verbs[] = {
	{ "check", "[--ldif FILE]", 0, 0, ctl_check,
	    "what is wrong in the directory, or in an LDIF file" },
	{ "domains", "", 0, 0, ctl_domains,
	    "tenants, their domains and their status" },
	{ "show", "NAME", 1, 1, ctl_show,
	    "each value in force, and the entry it comes from" },
	{ "explain", "[attr=value ...]", 0, 1000, ctl_explain,
	    "what would be answered to a request, and why" },
	{ "usage", "NAME", 1, 1, ctl_usage,
	    "how much of each limit is used up" },
	{ "reset", "NAME [LIMIT]", 1, 2, ctl_reset,
	    "forget what was counted" },
	{ "exceptions", "", 0, 0, ctl_exceptions,
	    "allow and block lines, with owner and expiry" },
	{ "accept-snapshot", "", 0, 0, ctl_accept_snapshot,
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
	const char *conf_path;
	struct ctl ctl;
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
	if (in->ctl.ldif != NULL && verb->run != ctl_check)
		return refuse();
	in->verb = verb;
	in->ctl.words = (const char *const *)words + 1;
	return CTL_FINE;
}

static enum ctl_exit
read_arguments(struct invocation *in, int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "s:c:hV", options, NULL)) != -1)
		switch (c) {
		case 's':
			in->ctl.control = optarg;
			break;
		case 'c':
			in->conf_path = optarg;
			break;
		case OPTION_JSON:
			in->ctl.is_json = true;
			break;
		case OPTION_LDIF:
			in->ctl.ldif = optarg;
			break;
		case 'h':
			print_usage(stdout);
			return CTL_FINE;
		case 'V':
			puts("postern-policyctl " PACKAGE_VERSION);
			return CTL_FINE;
		default:
			return refuse();
		}
	return read_words(in, argc - optind, argv + optind);
}

static enum ctl_exit
run(struct invocation *in)
{
	char *control = NULL;
	enum ctl_exit code = CTL_UNASKED;

	in->ctl.arena = arena_new(0);
	if (in->ctl.control == NULL && in->ctl.ldif == NULL)
		in->ctl.control = control = ctl_where(in->conf_path);
	if (in->ctl.control != NULL || in->ctl.ldif != NULL)
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
