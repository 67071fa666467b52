/* SPDX-License-Identifier: ISC */
/* ctl_live.h - the directory as policyd reads it, in a tree to try changes on.
 * Nothing is ever written. */
#ifndef POLICYD_CTL_LIVE_H
#define POLICYD_CTL_LIVE_H

#include "common/ldap_link.h"
#include "common/tree.h"
#include "policyd/ctl.h"

struct ctl_live {
	struct tree *tree;
	struct findings *findings;	/* of the reading, not of values */
	struct ldap_link link;		/* what the tree lacks is asked here */
	struct tree_rest rest;
};

/* Read by settings, policyd's own. ctl_live_close() after both. */
enum ctl_exit ctl_live_open(const struct ctl *ctl,
    const struct source_settings *settings, struct ctl_live *live);
void ctl_live_close(struct ctl_live *live);

/* What policyd would see of the tree now */
void ctl_live_give(const struct ctl_live *live,
    const struct source_settings *settings, const struct source_reader *to);

#endif
