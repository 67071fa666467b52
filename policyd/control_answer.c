/* SPDX-License-Identifier: ISC */
/* control_answer.c - answers of the control socket, as JSON. Decides nothing
 * about mail. */
#include "policyd/control_answer.h"

#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/json_text.h"

struct service *control_service;

void
control_answer(struct http_request *rq, json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);

	rq->answer = arena_strdup(rq->arena, text != NULL ? text : "{}");
	free(text);
	json_decref(json);
}

void
control_fail(struct http_request *rq, int status, const char *why)
{
	rq->status = status;
	control_answer(rq, json_pack("{s:s}", "error", why));
}

bool
control_find(struct http_request *rq, struct control_name *out)
{
	const char *name = rq->query_name;
	char domain[DOMAIN_MAX];
	struct address address;

	*out = (struct control_name){
	    .snapshot = directory_current(control_service->directory) };
	if (out->snapshot == NULL) {
		control_fail(rq, 503, "the directory was not read yet");
		return false;
	}
	if (strchr(name, '@') != NULL) {
		address_parse(rq->arena, name,
		    control_service->conf->recipient_delimiter, &address);
		out->tenant = snapshot_tenant_of(out->snapshot,
		    address.domain);
		out->entry = snapshot_mailbox(out->snapshot, address.bare);
		out->mailbox = out->entry != NULL ? out->entry->name
		    : address.bare;
	} else if (domain_normalise(name, strlen(name), domain) == 0) {
		out->tenant = snapshot_tenant_of(out->snapshot, domain);
	}
	if (out->tenant == NULL)
		out->tenant = snapshot_tenant_by_id(out->snapshot, name);
	if (out->tenant == NULL) {
		control_fail(rq, 404, "no tenant has that domain");
		return false;
	}
	chain_of(out->snapshot, out->tenant, out->entry, &out->chain);
	return true;
}

json_t *
control_named(const struct http_request *rq, const struct control_name *named)
{
	return json_pack("{s:o, s:o, s:o}", "name", json_text(rq->query_name),
	    "tenant", json_text(named->tenant->id), "mailbox",
	    named->mailbox != NULL ? json_text(named->mailbox) : json_null());
}
