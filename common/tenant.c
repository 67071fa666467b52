/* SPDX-License-Identifier: ISC */
/* tenant.c - the life of a tenant: as long as a snapshot leads to it. Which
 * domains it holds is for update.c to say. */
#include "common/tenant.h"

#include <stdlib.h>

#include "common/xmalloc.h"

struct tenant *
tenant_new(struct layer *layer)
{
	struct tenant *tenant = xmalloc(sizeof(*tenant) +
	    layer->domain_count * sizeof(tenant->domains[0]));

	tenant->id = layer->name;
	tenant->layer = layer_hold(layer);
	tenant->domain_count = 0;
	atomic_init(&tenant->holds, 1);
	return tenant;
}

struct tenant *
tenant_hold(struct tenant *tenant)
{
	if (tenant != NULL)
		atomic_fetch_add_explicit(&tenant->holds, 1,
		    memory_order_relaxed);
	return tenant;
}

void
tenant_release(struct tenant *tenant)
{
	if (tenant == NULL || atomic_fetch_sub(&tenant->holds, 1) != 1)
		return;
	layer_release(tenant->layer);
	free(tenant);
}
