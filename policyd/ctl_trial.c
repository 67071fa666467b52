/* SPDX-License-Identifier: ISC */
/* ctl_trial.c - reads the directory, applies changes to the copy, reads that
 * as policyd would when they come, and tells apart what is new, what is over
 * and what was there. Writes nothing anywhere. */
#include "policyd/ctl_trial.h"

#include "common/reading.h"
#include "common/table.h"
#include "common/update.h"
#include "policyd/advice.h"
#include "policyd/conf.h"
#include "policyd/ctl_live.h"
#include "policyd/ctl_where.h"
#include "policyd/findings_json.h"
#include "policyd/policy.h"

struct trial {
	const struct ctl *ctl;
	const struct source_settings *settings;
	struct ctl_live live;
	struct snapshot *before, *after;
	size_t applied;
};

/* As policyd reads the tree when previous is in force; extra is found, too */
static struct snapshot *
read_tree(const struct trial *t, const struct snapshot *previous,
    const struct findings *extra)
{
	struct findings *findings = findings_new();
	struct update *update;

	findings_append(findings, extra);
	findings_append(findings, t->live.findings);
	update = update_new(previous, policy_parse, findings);
	ctl_live_give(&t->live, t->settings, &(struct source_reader){
	    .take = update_take, .arg = update });
	return update_settle(update, true);
}

/* All changes, or up to the first that cannot be: ldapmodify ends there, too */
static enum ctl_exit
apply(struct trial *t, const struct change *change, struct findings *faults)
{
	enum tree_result result;
	const char *why;

	for (; change != NULL; change = change->next) {
		result = tree_apply(t->live.tree, change, &why);
		if (result == TREE_UNKNOWN) {
			ctl_complain(t->ctl, "could not ask", why);
			return CTL_UNASKED;
		}
		if (result == TREE_REFUSED) {
			findings_add(faults, FINDING_ERROR, change->entry->dn,
			    "", "", "%s:%lu: %s%s", t->ctl->own->ldif,
			    change->entry->line, why, change->next != NULL
			    ? "; what comes behind it was not tried" : "");
			break;
		}
		t->applied++;
	}
	return CTL_FINE;
}

static void
note_wreck(const struct trial *t, struct findings *findings)
{
	size_t removed = snapshot_removed(t->before, t->after);
	size_t total = snapshot_tenants(t->before);

	if (reading_is_wreck(removed, total))
		findings_add(findings, FINDING_ERROR, "", "", "", "policyd "
		    "would hold the directory back, as this removes %zu of "
		    "%zu tenants, until policyctl accept-snapshot",
		    removed, total);
}

static const char *
key_of(const struct trial *t, const struct finding *one)
{
	return arena_printf(t->ctl->arena, "%d\n%s\n%s\n%s\n%s",
	    (int)one->level, one->dn, one->attribute, one->value, one->reason);
}

/* Those of from that are in other, too, or those that are not */
static void
pick(const struct trial *t, const struct findings *from,
    const struct findings *other, bool is_wanted_in_both,
    struct findings *to)
{
	struct table *keys = table_new();
	const struct finding *one;
	size_t i;

	for (i = 0; i < findings_count(other); i++)
		table_puts(keys, key_of(t, findings_at(other, i)), keys);
	for (i = 0; i < findings_count(from); i++) {
		one = findings_at(from, i);
		if ((table_gets(keys, key_of(t, one)) != NULL) ==
		    is_wanted_in_both)
			findings_add(to, one->level, one->dn, one->attribute,
			    one->value, "%s", one->reason);
	}
	table_free(keys);
}

static json_t *
answer_of(const struct trial *t)
{
	const struct findings *before = snapshot_findings(t->before);
	const struct findings *after = snapshot_findings(t->after);
	struct findings *brought = findings_new(), *over = findings_new();
	struct findings *stay = findings_new(), *advice = findings_new();
	struct findings *old = findings_new(), *new = findings_new();
	json_t *json;

	pick(t, after, before, false, brought);
	pick(t, before, after, false, over);
	pick(t, before, after, true, stay);
	note_wreck(t, brought);
	advice_find(NULL, t->before, old);
	advice_find(NULL, t->after, new);
	pick(t, new, old, false, advice);
	json = json_pack("{s:s, s:I, s:I, s:o, s:o, s:o, s:o}",
	    "uri", t->settings->uri, "changes", (json_int_t)t->applied,
	    "tenants", (json_int_t)snapshot_tenants(t->after),
	    "findings", findings_json(brought),
	    "advice", findings_json_texts(advice),
	    "fixed", findings_json(over), "before", findings_json(stay));
	findings_free(brought);
	findings_free(over);
	findings_free(stay);
	findings_free(advice);
	findings_free(old);
	findings_free(new);
	return json;
}

static enum ctl_exit
try_out(struct trial *t, const struct change *first,
    const struct findings *faults, json_t **answer)
{
	struct findings *none = findings_new(), *found = findings_new();
	enum ctl_exit code;

	code = ctl_live_open(t->ctl, t->settings, &t->live);
	if (code == CTL_FINE) {
		t->before = read_tree(t, NULL, none);
		findings_append(found, faults);
		code = apply(t, first, found);
	}
	if (code == CTL_FINE) {
		t->after = read_tree(t, t->before, found);
		*answer = answer_of(t);
	}
	snapshot_release(t->after);
	snapshot_release(t->before);
	ctl_live_close(&t->live);
	findings_free(found);
	findings_free(none);
	return code;
}

enum ctl_exit
ctl_trial(const struct ctl *ctl, const struct ldif_changes *changes,
    const struct findings *faults, json_t **answer)
{
	struct conf *conf = ctl_where_conf(ctl->conf_path);
	struct trial trial = { .ctl = ctl };
	enum ctl_exit code;

	if (conf == NULL)
		return CTL_UNASKED;
	trial.settings = &conf->directory;
	code = try_out(&trial, changes->first, faults, answer);
	conf_free(conf);
	return code;
}
