/* SPDX-License-Identifier: ISC */
/* control_status.c - status: whether a tenant or a mailbox may send, what its
 * own entry says, and which entry decides. Reads only. */
#include "policyd/control.h"
#include "policyd/control_answer.h"
#include "policyd/effective.h"
#include "common/json_text.h"

/* posternStatus of this very entry, or null */
static json_t *
said_by(const struct layer *layer)
{
	int64_t said = layer == NULL ? POLICY_UNSET
	    : policy_of(layer)->values[POLICY_STATUS];

	return said == POLICY_UNSET ? json_null()
	    : json_string(status_words[said]);
}

void
control_status(struct http_request *rq)
{
	struct control_name named;
	const struct layer *entry, *from;
	int64_t status;
	json_t *json;

	if (!control_find(rq, &named))
		return;
	entry = named.mailbox != NULL ? named.entry : named.tenant->layer;
	status = effective_value(&named.chain, POLICY_STATUS, &from);
	json = control_named(rq, &named);
	json_object_set_new(json, "dn", entry != NULL ? json_text(entry->dn)
	    : json_null());
	json_object_set_new(json, "tenant_dn",
	    json_text(named.tenant->layer->dn));
	json_object_set_new(json, "says", said_by(entry));
	json_object_set_new(json, "status",
	    json_string(status_words[status]));
	json_object_set_new(json, "from", json_text(from != NULL ? from->dn
	    : ""));
	control_answer(rq, json);
}
