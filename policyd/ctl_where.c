/* SPDX-License-Identifier: ISC */
/* ctl_where.c - reads policyd.conf as policyd does. */
#include "policyd/ctl_where.h"

#include "common/ctl.h"
#include "common/xmalloc.h"
#include "policyd/conf.h"

struct conf *
ctl_where_conf(const char *path)
{
	struct findings *findings = findings_new();
	struct conf *conf = conf_read(ctl_conf_path(path, CTL_CONF_PATH),
	    findings);

	if (conf == NULL)
		ctl_complain_findings(findings);
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
