/* SPDX-License-Identifier: ISC */
/* option.c - configuration files: values, groups, faults with their lines,
 * @include, and that what is printed can be read back. */
#include "common/option.h"

#include <stdlib.h>
#include <unistd.h>

#include "t/unit/tap.h"

struct conf {
	const char *name;
	bool is_on;
	int64_t wait_ms;
	uint64_t count;
	unsigned mode;
	int colour;
	struct option_list list;
	const char *deep;
	const char *last;
};

#define AT(member) offsetof(struct conf, member)

static const char *const colours[] = { "red", "green", NULL };

static int
check_lower(const char *value, const char **why)
{
	*why = "wants lower case";
	return strpbrk(value, "ABCXYZ") == NULL && *value != '\0' ? 0 : -1;
}

/* clang-format off */
static const struct option rows[] = {
	{ "name", OPTION_STRING, AT(name), "", 0, 0, NULL, check_lower, "a name" },
	{ "on", OPTION_BOOL, AT(is_on), "true", 0, 0, NULL, NULL, "a bool" },
	{ "g.wait", OPTION_DURATION, AT(wait_ms), "200ms", 1, 60000, NULL, NULL, "a wait" },
	{ "g.count", OPTION_COUNT, AT(count), "10k", 1, 1000000, NULL, NULL, "a count" },
	{ "g.h.deep", OPTION_STRING, AT(deep), "d", 0, 0, NULL, NULL, "deep" },
	{ "mode", OPTION_MODE, AT(mode), "0600", 0, 0, NULL, NULL, "a mode" },
	{ "colour", OPTION_WORD, AT(colour), "green", 0, 0, colours, NULL, "a word" },
	{ "list", OPTION_LIST, AT(list), "one two", 0, 0, NULL, check_lower, "a list" },
	{ "z.last", OPTION_STRING, AT(last), "z", 0, 0, NULL, NULL, "last" },
};

static const struct fault {
	const char *name;
	const char *file;
	const char *want;	/* the findings, " | " between them; "" = none */
} faults[] = {
	{ "an empty file is fine", "", "" },
	{ "each type can be set",
	  "name = \"n\"; on = false; mode = \"0666\"; colour = \"red\"; list = [];\n"
	  "g = { wait = \"5s\"; count = 7; h = { deep = \"x\"; }; };\n", "" },
	{ "a count may be text with its unit", "g = { count = \"20k\"; };", "" },
	{ "a default need not pass the check, nor does writing it down",
	  "name = \"\";", "" },
	{ "an unknown key is reported", "\nnme = \"x\";\n",
	  "F:2: nme: no such option" },
	{ "an unknown key in a group is reported with the group",
	  "g = {\n  wiat = \"5s\";\n};", "F:2: g.wiat: no such option" },
	{ "an unknown group is reported once", "x = {\n a = 1;\n b = 2;\n};",
	  "F:1: x: no such option" },
	{ "the end of a group's name is no option",
	  "wait = \"5s\";", "F:1: wait: no such option" },
	{ "a group is not a value", "g = 5;", "F:1: g: is a group: wants { ... }" },
	{ "a value is not a group", "name = { a = 1; };",
	  "F:1: name: wants a text in quotes" },
	{ "a number is not a string", "name = 5;",
	  "F:1: name: wants a text in quotes" },
	{ "a string is not a bool", "on = \"true\";",
	  "F:1: on: wants true or false" },
	{ "a bare number is not a duration", "\n\ng = { wait = 5; };",
	  "F:3: g.wait: wants a duration in quotes, such as \"5m\"" },
	{ "a fraction is not a count", "g = { count = 1.5; };",
	  "F:1: g.count: wants a number such as 500 or \"10k\"" },
	{ "a negative number is not a count", "g = { count = -1; };",
	  "F:1: g.count: -1: not a count: digits and maybe k, M or G, as in 10k" },
	{ "what is out of bounds is told the bounds",
	  "g = { wait = \"2m\";\n count = 2000000; };",
	  "F:1: g.wait: 2m: out of bounds: at least 1ms, at most 1m"
	  " | F:2: g.count: 2000000: out of bounds: at least 1, at most 1M" },
	{ "an unknown word is told the words", "colour = \"blue\";",
	  "F:1: colour: blue: not one of: red, green" },
	{ "the check's reason is told", "name = \"ABC\";",
	  "F:1: name: ABC: wants lower case" },
	{ "a text is not a list", "list = \"a\";",
	  "F:1: list: a: wants a list of texts: [ \"...\", \"...\" ]" },
	{ "an item has its own line", "list = [\n  \"a\",\n  \"B\",\n  \"c\"\n];",
	  "F:3: list: B: wants lower case" },
	{ "the last item has its own line, not that of the bracket",
	  "list = (\n  \"a\",\n  \"B\" # why not\n\n);",
	  "F:3: list: B: wants lower case" },
	{ "equal items are each found at their line",
	  "list = [ \"B\",\n  \"B\"\n];",
	  "F:1: list: B: wants lower case | F:2: list: B: wants lower case" },
	{ "an item that is no text is reported", "list = ( \"a\",\n 5 );",
	  "F:2: list: wants texts in quotes" },
	{ "an item that is empty is reported", "list = [ \"\" ];",
	  "F:1: list: wants lower case" },
	{ "every fault is reported, not the first alone",
	  "a = 1;\nb = 2;\non = 3;", "F:1: a: no such option"
	  " | F:2: b: no such option | F:3: on: wants true or false" },
	{ "a syntax error has its line", "on = true;\nname = = 5;\n",
	  "F:2: syntax error" },
	{ "the same key twice is an error", "on = true;\non = false;\n",
	  "F:2: duplicate setting name" },
	{ "a file that cannot be included is an error", "\n@include \"none\"\n",
	  "F:2: cannot open include file" },
	{ "a fault in an included file is told with its name",
	  "on = true;\n@include \"inc\"\n", "I:2: bad: no such option" },
	{ "a list in an included file has its lines",
	  "@include \"inclist\"\non = 1;\n", "L:2: list: B: wants lower case"
	  " | F:2: on: wants true or false" },
};
/* clang-format on */
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static char dir[] = "/tmp/option.XXXXXX";

static const char *
path_of(const char *name)
{
	static char path[64];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void
file_write(const char *name, const char *text)
{
	FILE *file = fopen(path_of(name), "w");

	if (file == NULL || fputs(text, file) == EOF || fclose(file) != 0)
		printf("Bail out! cannot write %s\n", path_of(name));
}

/* "PATH:2: ..." as "F:2: ...": the directory is another one each time */
static void
finding_append(char *out, const struct finding *finding)
{
	static const struct { const char *name, *sign; } files[] = {
		{ "conf", "F" }, { "inclist", "L" }, { "inc", "I" },
	};
	const char *text = finding_text(finding);
	size_t i, len;

	strcat(out, *out != '\0' ? " | " : "");
	for (i = 0; i < 3; i++) {
		len = strlen(path_of(files[i].name));
		if (strncmp(text, path_of(files[i].name), len) == 0 &&
		    text[len] == ':') {
			strcat(out, files[i].sign);
			text += len;
			break;
		}
	}
	strcat(out, text);
}

static int
conf_read(const char *path, struct conf *conf, struct arena *arena,
    char *findings_text)
{
	struct findings *findings = findings_new();
	int rc = options_read(rows, ROWS, path, conf, arena, findings);
	size_t i;

	*findings_text = '\0';
	for (i = 0; i < findings_count(findings); i++)
		finding_append(findings_text, findings_at(findings, i));
	findings_free(findings);
	return rc;
}

static void
test_faults(struct arena *arena)
{
	struct conf conf;
	char got[4096];
	size_t i;
	int rc;

	file_write("inc", "\nbad = 1;\n");
	file_write("inclist", "list = [\n \"B\"\n];\n");
	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		file_write("conf", faults[i].file);
		rc = conf_read(path_of("conf"), &conf, arena, got);
		tap_is(got, faults[i].want, faults[i].name);
		if ((rc == -1) != (*faults[i].want != '\0'))
			tap_ok(false, "-1 is returned for findings alone");
	}
}

static void
test_defaults(struct arena *arena)
{
	struct conf conf;
	char got[4096];

	tap_int(conf_read(NULL, &conf, arena, got), 0,
	    "without a file there are the defaults");
	tap_is(conf.name, "", "a string's default");
	tap_ok(conf.is_on, "a bool's default");
	tap_int(conf.wait_ms, 200, "a duration's default");
	tap_int((int64_t)conf.count, 10000, "a count's default");
	tap_int(conf.mode, 0600, "a mode's default");
	tap_int(conf.colour, 1, "a word's default");
	tap_ok(conf.list.count == 2 && strcmp(conf.list.items[1], "two") == 0,
	    "a list's default is parted at blanks");
	file_write("conf", "list = [ \"x\" ];");
	conf_read(path_of("conf"), &conf, arena, got);
	tap_ok(conf.list.count == 1 && strcmp(conf.list.items[0], "x") == 0,
	    "a list in the file replaces the default");
}

static void
test_unreadable(struct arena *arena)
{
	struct conf conf;
	char got[4096];

	conf_read("/nonexistent/x", &conf, arena, got);
	tap_is(got, "/nonexistent/x: cannot read: No such file or directory",
	    "a file that is not there is a finding");
	conf_read("/", &conf, arena, got);
	tap_is(got, "/: cannot read: Is a directory",
	    "a directory is a finding, not the end");
}

static void
test_cwd(struct arena *arena)
{
	struct conf conf;
	char got[4096], before[4096], after[4096];
	bool is_known = getcwd(before, sizeof(before)) != NULL;

	file_write("good", "name = \"inner\";\n");
	file_write("conf", "@include \"good\"\n");
	conf_read(path_of("conf"), &conf, arena, got);
	tap_is(conf.name, "inner", "@include starts at the file's directory");
	tap_ok(is_known && getcwd(after, sizeof(after)) != NULL &&
	    strcmp(before, after) == 0, "we stay in our own directory");
	snprintf(after, sizeof(after), "@include \"%s\"\n", path_of("good"));
	file_write("conf", after);
	conf_read(path_of("conf"), &conf, arena, got);
	tap_is(conf.name, "inner", "@include takes a whole path");
}

static char *
conf_text(const struct conf *conf)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	options_print(rows, ROWS, conf, to);
	fclose(to);
	return text;
}

static void
test_print(struct arena *arena)
{
	static const char want[] =
	    "# a name\nname = \"q\\\"\\\\\";\n"
	    "# a bool\non = false;\n"
	    "g = {\n"
	    "        # a wait\n        wait = \"7s\";\n"
	    "        # a count\n        count = \"10k\";\n"
	    "        h = {\n"
	    "                # deep\n                deep = \"d\";\n"
	    "        };\n"
	    "};\n"
	    "# a mode\nmode = \"0600\";\n"
	    "# a word\ncolour = \"green\";\n"
	    "# a list\nlist = [ \"a\", \"b c\" ];\n"
	    "z = {\n        # last\n        last = \"z\";\n};\n";
	struct conf conf;
	char got[4096], *first, *second;

	file_write("conf", "name = \"q\\\"\\\\\"; on = false;"
	    "g = { wait = \"7000ms\"; }; list = [ \"a\", \"b c\" ];");
	conf_read(path_of("conf"), &conf, arena, got);
	first = conf_text(&conf);
	tap_is(first, want, "options print in the file's own syntax");
	file_write("conf", first);
	memset(&conf, 0, sizeof(conf));
	conf_read(path_of("conf"), &conf, arena, got);
	tap_is(got, "", "what is printed can be read back");
	second = conf_text(&conf);
	tap_is(second, first, "and means the same");
	free(first);
	free(second);
}

int
main(void)
{
	struct arena *arena = arena_new(0);
	static const char *const files[] = { "conf", "inc", "inclist", "good" };
	size_t i;

	if (mkdtemp(dir) == NULL)
		return 1;
	test_cwd(arena);
	test_defaults(arena);
	test_faults(arena);
	test_unreadable(arena);
	test_print(arena);
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlink(path_of(files[i]));
	rmdir(dir);
	arena_free(arena);
	return tap_done();
}
