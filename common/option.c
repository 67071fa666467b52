/* SPDX-License-Identifier: ISC */
/* option.c - walks a libconfig file once, setting by setting: each is an option
 * of the table, a group of options, or a finding. What a value may be is
 * decided in option_value.c. */
#include "common/option.h"

#include <errno.h>
#include <fcntl.h>
#include <libconfig.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"

struct reading {
	const struct option *rows;
	size_t count;
	const char *path;
	void *conf;
	struct arena *arena;
	struct findings *findings;
};

/* libconfig's name for a file: NULL for the one that we gave it, else as the
 * @include has it */
static const char *
file_name(const struct reading *reading, const char *file)
{
	const char *slash = strrchr(reading->path, '/');

	if (file == NULL)
		return reading->path;
	if (*file == '/' || slash == NULL)
		return file;
	return arena_printf(reading->arena, "%.*s/%s",
	    (int)(slash - reading->path), reading->path, file);
}

static void
report(const struct reading *reading, const char *file, unsigned line,
    const char *name, const char *value, const char *why)
{
	findings_add(reading->findings, FINDING_ERROR,
	    arena_printf(reading->arena, "%s:%u", file_name(reading, file),
	    line), name, value, "%s", why);
}

/* NULL where the setting is of a type that the row does not want */
static const char *
setting_text(const struct reading *reading, const struct option *row,
    const config_setting_t *setting)
{
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_STRING:
		return row->type == OPTION_BOOL ? NULL :
		    config_setting_get_string(setting);
	case CONFIG_TYPE_BOOL:
		return row->type != OPTION_BOOL ? NULL :
		    config_setting_get_bool(setting) ? "true" : "false";
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return row->type != OPTION_COUNT ? NULL :
		    arena_printf(reading->arena, "%lld",
		    config_setting_get_int64(setting));
	default:
		return NULL;
	}
}

/* The default needs no check: it may be "", which stands for none */
static void
read_value(const struct reading *reading, const struct option *row,
    const config_setting_t *setting, unsigned line)
{
	const char *text = setting_text(reading, row, setting);
	const char *why = "";
	bool is_default = text != NULL && row->type != OPTION_LIST &&
	    strcmp(text, row->standard) == 0;

	if (text == NULL)
		why = arena_printf(reading->arena, "wants %s",
		    row->type == OPTION_LIST ? "texts in quotes" :
		    option_value_wanted(row->type));
	else if (option_value_set(row, text, reading->conf, reading->arena,
	    &why) == 0 && (is_default || row->check == NULL ||
	    row->check(text, &why) == 0))
		return;
	report(reading, config_setting_source_file(setting), line, row->name,
	    text, why);
}

/* libconfig notes the line of the token after an item, which is often the next
 * line. Between the two there is nothing but blanks and comments, so we look
 * back for the line that holds the item. */
static unsigned
item_line(const struct reading *reading, const config_setting_t *list,
    const config_setting_t *item)
{
	unsigned after = config_setting_source_line(item), found = after, line;
	const char *text = config_setting_get_string(item), *quoted;
	FILE *file = fopen(file_name(reading,
	    config_setting_source_file(item)), "re");
	char *buf = NULL;
	size_t room = 0;

	if (file == NULL || text == NULL)
		goto out;
	quoted = arena_printf(reading->arena, "\"%s\"", text);
	for (line = 1; line <= after && getline(&buf, &room, file) != -1;
	    line++)
		if (line >= config_setting_source_line(list) &&
		    strstr(buf, quoted) != NULL)
			found = line;
out:
	free(buf);
	if (file != NULL)
		fclose(file);
	return found;
}

static void
clear_list(const struct reading *reading, const struct option *row)
{
	*(struct option_list *)(void *)((char *)reading->conf + row->offset) =
	    (struct option_list){ 0 };
}

static void
read_list(const struct reading *reading, const struct option *row,
    const config_setting_t *setting)
{
	const config_setting_t *item;
	int i;

	clear_list(reading, row);
	if (!config_setting_is_list(setting) &&
	    !config_setting_is_array(setting)) {
		report(reading, config_setting_source_file(setting),
		    config_setting_source_line(setting), row->name,
		    config_setting_get_string(setting),
		    arena_printf(reading->arena, "wants %s",
		    option_value_wanted(OPTION_LIST)));
		return;
	}
	for (i = 0; i < config_setting_length(setting); i++) {
		item = config_setting_get_elem(setting, (unsigned)i);
		read_value(reading, row, item,
		    item_line(reading, setting, item));
	}
}

static const struct option *
row_find(const struct reading *reading, const char *name)
{
	size_t i;

	for (i = 0; i < reading->count; i++)
		if (strcmp(reading->rows[i].name, name) == 0)
			return &reading->rows[i];
	return NULL;
}

static bool
is_group_of_rows(const struct reading *reading, const char *name)
{
	size_t i, len = strlen(name);

	for (i = 0; i < reading->count; i++)
		if (strncmp(reading->rows[i].name, name, len) == 0 &&
		    reading->rows[i].name[len] == '.')
			return true;
	return false;
}

/* prefix: "" or the names of the groups around, each with its dot */
static void
read_group(const struct reading *reading, const config_setting_t *group,
    const char *prefix)
{
	const config_setting_t *at;
	const struct option *row;
	const char *name, *file;
	unsigned line;
	int i;

	for (i = 0; i < config_setting_length(group); i++) {
		at = config_setting_get_elem(group, (unsigned)i);
		file = config_setting_source_file(at);
		line = config_setting_source_line(at);
		name = arena_printf(reading->arena, "%s%s", prefix,
		    config_setting_name(at));
		if ((row = row_find(reading, name)) != NULL &&
		    row->type == OPTION_LIST)
			read_list(reading, row, at);
		else if (row != NULL)
			read_value(reading, row, at, line);
		else if (!is_group_of_rows(reading, name))
			report(reading, file, line, name, NULL,
			    "no such option");
		else if (!config_setting_is_group(at))
			report(reading, file, line, name, NULL,
			    "is a group: wants { ... }");
		else
			read_group(reading, at, arena_printf(reading->arena,
			    "%s.", name));
	}
}

/* libconfig looks for what is @included from the working directory; an admin
 * means the directory of the file. (Its own include_dir, before 1.7, breaks
 * absolute paths.) */
static int
read_from_its_directory(config_t *config, FILE *file, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *directory = strndup(path, slash ? (size_t)(slash - path) + 1 : 0);
	int back = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC), is_read;

	if (directory == NULL || (slash != NULL && chdir(directory) == -1))
		log_warn(NULL, "%s: @include starts elsewhere", path);
	is_read = config_read(config, file);
	if (back == -1 || fchdir(back) == -1)
		log_warn(NULL, "cannot go back to the working directory");
	if (back != -1)
		close(back);
	free(directory);
	return is_read == CONFIG_TRUE ? 0 : -1;
}

static void
read_file(const struct reading *reading, FILE *file)
{
	config_t config;

	config_init(&config);
	if (read_from_its_directory(&config, file, reading->path) == 0)
		read_group(reading, config_root_setting(&config), "");
	else
		report(reading, config_error_file(&config),
		    (unsigned)config_error_line(&config), NULL, NULL,
		    config_error_text(&config));
	config_destroy(&config);
}

static void
read_path(const struct reading *reading)
{
	FILE *file = fopen(reading->path, "re");
	struct stat st;

	/* libconfig's scanner would exit() on a directory */
	if (file != NULL && fstat(fileno(file), &st) == 0 &&
	    S_ISDIR(st.st_mode)) {
		fclose(file);
		file = NULL;
		errno = EISDIR;
	}
	if (file == NULL) {
		findings_add(reading->findings, FINDING_ERROR, reading->path,
		    NULL, NULL, "cannot read: %s", strerror(errno));
		return;
	}
	read_file(reading, file);
	fclose(file);
}

static void
set_own(const struct reading *reading, const struct option *row,
    const char *text)
{
	const char *why;

	if (option_value_set(row, text, reading->conf, reading->arena, &why)
	    == -1)
		panic("default of option %s: %s", row->name, why);
}

static void
set_default(const struct reading *reading, const struct option *row)
{
	char *items, *item, *rest;

	if (row->type != OPTION_LIST) {
		set_own(reading, row, row->standard);
		return;
	}
	clear_list(reading, row);
	items = arena_strdup(reading->arena, row->standard);
	for (item = strtok_r(items, " ", &rest); item != NULL;
	    item = strtok_r(NULL, " ", &rest))
		set_own(reading, row, item);
}

int
options_read(const struct option *rows, size_t count, const char *path,
    void *conf, struct arena *arena, struct findings *findings)
{
	struct reading reading = { rows, count, path, conf, arena, findings };
	size_t errors = findings_errors(findings), i;

	for (i = 0; i < count; i++)
		set_default(&reading, &rows[i]);
	if (path != NULL)
		read_path(&reading);
	return findings_errors(findings) == errors ? 0 : -1;
}

/* From the groups around one option to those around the next: closes what
 * ends, opens what begins. Returns how deep we are then. */
static int
print_groups(const char *before, const char *name, FILE *to)
{
	size_t i, same = 0;
	int depth = 0;
	const char *dot;

	for (i = 0; name[i] != '\0' && name[i] == before[i]; i++)
		if (name[i] == '.') {
			same = i + 1;
			depth++;
		}
	for (dot = before + same; (dot = strchr(dot, '.')) != NULL; dot++)
		depth++;
	for (dot = before + same; (dot = strchr(dot, '.')) != NULL; dot++)
		fprintf(to, "%*s};\n", --depth * 8, "");
	for (name += same; (dot = strchr(name, '.')) != NULL; name = dot + 1)
		fprintf(to, "%*s%.*s = {\n", depth++ * 8, "",
		    (int)(dot - name), name);
	return depth;
}

void
options_print(const struct option *rows, size_t count, const void *conf,
    FILE *to)
{
	const char *before = "", *dot;
	size_t i;
	int indent;

	for (i = 0; i < count; before = rows[i++].name) {
		indent = print_groups(before, rows[i].name, to) * 8;
		dot = strrchr(rows[i].name, '.');
		fprintf(to, "%*s# %s\n%*s%s = ", indent, "", rows[i].help,
		    indent, "", dot != NULL ? dot + 1 : rows[i].name);
		option_value_print(&rows[i], conf, to);
		fputs(";\n", to);
	}
	print_groups(before, "", to);
}
