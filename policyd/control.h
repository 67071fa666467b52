/* SPDX-License-Identifier: ISC */
/* control.h - what policyctl asks and may change: HTTP with JSON on the control
 * socket; and /metrics, /healthz, read-only, on the metrics socket. */
#ifndef POLICYD_CONTROL_H
#define POLICYD_CONTROL_H

#include "common/http.h"
#include "policyd/service.h"
#include "policyd/session.h"

/* Before either server starts: what they tell about */
void control_start(struct service *service, struct sessions *sessions);

/* Handlers that stand in files of their own */
void control_domains(struct http_request *request);
void control_show(struct http_request *request);
void control_status(struct http_request *request);
void control_exceptions(struct http_request *request);
void control_usage(struct http_request *request);
void control_reset(struct http_request *request);

extern const struct http_route control_routes[];
extern const struct http_route metrics_routes[];

#endif
