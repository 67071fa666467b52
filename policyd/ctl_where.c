/* SPDX-License-Identifier: ISC */
/* ctl_where.c - reads policyd.conf as policyd does. */
#include "policyd/ctl_where.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "common/xmalloc.h"
#include "policyd/conf.h"

struct conf *
ctl_where_conf(const char *path)
{
	struct findings *findings = findings_new();
	struct conf *conf;
	size_t i;

	if (path == NULL && (access(CTL_CONF_PATH, F_OK) == 0 ||
	    errno != ENOENT))
		path = CTL_CONF_PATH;
	conf = conf_read(path, findings);
	for (i = 0; conf == NULL && i < findings_count(findings); i++)
		fprintf(stderr, "policyctl: %s\n",
		    finding_text(findings_at(findings, i)));
	findings_free(findings);
	return conf;
}

char *
ctl_where(const char *path)
{
	struct conf *conf = ctl_where_conf(path);
	char *control = conf != NULL ? xstrdup(conf->control) : NULL;

	conf_free(conf);
	return control;
}
