/* SPDX-License-Identifier: ISC */
/* service.h - what every request is answered with: one of each, made by
 * main.c, handed down. */
#ifndef POLICYD_SERVICE_H
#define POLICYD_SERVICE_H

#include "common/directory.h"
#include "policyd/conf.h"
#include "policyd/counters.h"
#include "policyd/transaction.h"

struct service {
	const struct conf *conf;	/* in force; changes at reload */
	struct directory *directory;
	struct counter_store *counters;
	struct counter_store *local;	/* counts while counters cannot be
					 * asked; NULL: counters are local */
	struct transactions *transactions;
	struct arena *spare;		/* of the last request, for the next */
	bool has_seen_data;		/* Postfix asked at DATA ... */
	bool has_seen_end;		/* ... at END-OF-MESSAGE, since start */
};

#endif
