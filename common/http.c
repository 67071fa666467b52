/* SPDX-License-Identifier: ISC */
/* http.c - finds the row for a request, and sends its answer whole. Sizes
 * and waits are bounded: a slow or endless client costs one descriptor for a
 * while. Next: the row's handle(). */
#include "common/http.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/xmalloc.h"

#define HEADERS_MAX (16 * 1024)
#define BODY_MAX (64 * 1024)
#define TIMEOUT_SECS 30

struct http_server {
	struct listener *listener;
	struct evhttp *evhttp;
	const struct http_route *rows;
};

static void
answer(struct evhttp_request *from, int status, const char *type,
    const char *text)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(from);
	struct evbuffer *body = evbuffer_new();

	if (body == NULL || evbuffer_add(body, text, strlen(text)) == -1)
		fatal("out of memory");
	evhttp_add_header(headers, "Content-Type", type);
	evhttp_send_reply(from, status, NULL, body);
	evbuffer_free(body);
}

static void
refuse(struct evhttp_request *from, int status, const char *json)
{
	answer(from, status, "application/json", json);
}

static const char *
method_name(struct evhttp_request *from)
{
	switch (evhttp_request_get_command(from)) {
	case EVHTTP_REQ_GET:
		return "GET";
	case EVHTTP_REQ_POST:
		return "POST";
	default:
		return "";
	}
}

/* NULL: refused, and answered. One path may have a row for each method. */
static const struct http_route *
route(const struct http_server *server, struct evhttp_request *from)
{
	const char *path = evhttp_uri_get_path(
	    evhttp_request_get_evhttp_uri(from));
	struct evkeyvalq *headers = evhttp_request_get_output_headers(from);
	const struct http_route *row;
	int status = HTTP_NOTFOUND;

	for (row = server->rows; row->path != NULL; row++) {
		if (path == NULL || strcmp(row->path, path) != 0)
			continue;
		if (strcmp(row->method, method_name(from)) == 0)
			return row;
		evhttp_add_header(headers, "Allow", row->method);
		status = HTTP_BADMETHOD;
	}
	refuse(from, status, status == HTTP_NOTFOUND ?
	    "{\"error\": \"no such path\"}" :
	    "{\"error\": \"wrong method for this path\"}");
	return NULL;
}

static int
query_read(struct evhttp_request *from, struct http_request *request)
{
	const char *query = evhttp_uri_get_query(
	    evhttp_request_get_evhttp_uri(from)), *name;
	struct evkeyvalq pairs;

	request->query_name = "";
	if (query == NULL || *query == '\0')
		return 0;
	if (evhttp_parse_query_str(query, &pairs) == -1)
		return -1;
	if ((name = evhttp_find_header(&pairs, "name")) != NULL)
		request->query_name = arena_strdup(request->arena, name);
	evhttp_clear_headers(&pairs);
	return 0;
}

static int
body_read(struct evhttp_request *from, struct http_request *request)
{
	struct evbuffer *input = evhttp_request_get_input_buffer(from);
	size_t len = evbuffer_get_length(input);
	char *body;

	if (len > BODY_MAX)
		return -1;
	body = arena_alloc(request->arena, len + 1);
	evbuffer_copyout(input, body, len);
	request->body = body;
	request->body_len = len;
	return 0;
}

static void
finish(struct http_request *request)
{
	answer(request->from, request->status, request->type, request->answer);
	arena_free(request->arena);
}

void
http_answer(struct http_request *request)
{
	request->is_late = false;
	if (!request->is_inside)
		finish(request);
}

static void
handle(const struct http_route *row, struct http_request *request)
{
	request->is_inside = true;
	row->handle(request);
	request->is_inside = false;
	if (!request->is_late)
		finish(request);
}

static void
serve(struct evhttp_request *from, void *arg)
{
	const struct http_route *row = route(arg, from);
	struct http_request *request;
	struct arena *arena;

	if (row == NULL)
		return;
	arena = arena_new(0);
	request = arena_alloc(arena, sizeof(*request));
	*request = (struct http_request){ .arena = arena, .from = from,
		.status = HTTP_OK, .type = "application/json", .answer = "" };
	if (query_read(from, request) == -1) {
		refuse(from, HTTP_BADREQUEST,
		    "{\"error\": \"unreadable query\"}");
	} else if (body_read(from, request) == -1) {
		refuse(from, HTTP_ENTITYTOOLARGE,
		    "{\"error\": \"body too large\"}");
	} else {
		handle(row, request);
		return;
	}
	arena_free(arena);
}

struct http_server *
http_start(struct listener *listener, const struct http_route *rows)
{
	struct http_server *server = xcalloc(1, sizeof(*server));
	struct evhttp *evhttp = evhttp_new(loop_base());

	if (evhttp == NULL ||
	    evhttp_bind_listener(evhttp, listen_lend(listener)) == NULL)
		fatal("libevent: no HTTP on %s", listen_name(listener));
	*server = (struct http_server){ listener, evhttp, rows };
	/* What is far too large evhttp refuses with a page of its own */
	evhttp_set_max_body_size(evhttp, 2 * BODY_MAX);
	evhttp_set_max_headers_size(evhttp, HEADERS_MAX);
	evhttp_set_timeout(evhttp, TIMEOUT_SECS);
	evhttp_set_allowed_methods(evhttp, EVHTTP_REQ_GET | EVHTTP_REQ_POST |
	    EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
	    EVHTTP_REQ_OPTIONS | EVHTTP_REQ_PATCH);
	evhttp_set_gencb(evhttp, serve, server);
	return server;
}

void
http_stop(struct http_server *server)
{
	if (server == NULL)
		return;
	listen_stop(server->listener);
	evhttp_free(server->evhttp);
	free(server);
}
