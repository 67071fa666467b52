/* SPDX-License-Identifier: ISC */
/* tenant.h - a tenant that is in force, and the domains that it holds. */
#ifndef COMMON_TENANT_H
#define COMMON_TENANT_H

#include <stdatomic.h>
#include <stddef.h>

#include "common/layer.h"

struct tenant {
	const char *id;
	struct layer *layer;
	size_t domain_count;
	atomic_uint holds;	/* tenant.c's own */
	const char *domains[];	/* those it holds, as its entry lists them */
};

/* Held once, with room for all domains of the layer, and none of them yet */
struct tenant *tenant_new(struct layer *layer);
struct tenant *tenant_hold(struct tenant *tenant);	/* NULL is fine */
void tenant_release(struct tenant *tenant);	/* any thread; NULL */

#endif
