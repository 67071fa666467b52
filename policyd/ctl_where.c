/* SPDX-License-Identifier: ISC */
/* ctl_where.c - reads policyd.conf as policyd does, for one option of it. */
#include "policyd/ctl_where.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "common/xmalloc.h"
#include "policyd/conf.h"

char *
ctl_where(const char *path)
{
	struct findings *findings = findings_new();
	struct conf *conf;
	char *control = NULL;
	size_t i;

	if (path == NULL && (access(CTL_CONF_PATH, F_OK) == 0 ||
	    errno != ENOENT))
		path = CTL_CONF_PATH;
	if ((conf = conf_read(path, findings)) != NULL)
		control = xstrdup(conf->control);
	for (i = 0; conf == NULL && i < findings_count(findings); i++)
		fprintf(stderr, "policyctl: %s\n",
		    finding_text(findings_at(findings, i)));
	conf_free(conf);
	findings_free(findings);
	return control;
}
