/* SPDX-License-Identifier: ISC */
/* http.c - requests over a unix socket and over TCP, good and bad, and the
 * answers byte for byte where they matter. */
#include "common/http.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/loop.h"
#include "t/unit/tap.h"

#define REPLY_MAX 4096

static char dir[] = "/tmp/http.XXXXXX";
static size_t body_len, unsent;

static void
echo(struct http_request *request)
{
	body_len = request->body_len;
	request->answer = arena_printf(request->arena, "[%s][%.32s]",
	    request->query_name, request->body);
}

static void
teapot(struct http_request *request)
{
	request->status = 418;
	request->type = "text/plain";
	request->answer = "short";
}

static const struct http_route routes[] = {
	{ "GET", "/echo", echo },
	{ "POST", "/echo", echo },
	{ "GET", "/teapot", teapot },
	{ NULL, NULL, NULL },
};

/* clang-format off */
static const struct row {
	const char *name, *request;
	int status;
	const char *body;	/* NULL: whatever it is */
} rows[] = {
	{ "GET finds its row", "GET /echo HTTP/1.1\r\n", 200, "[][]" },
	{ "a name is decoded", "GET /echo?name=a%40b.example HTTP/1.1\r\n", 200, "[a@b.example][]" },
	{ "a plus in a name is a blank, as in forms", "GET /echo?name=a+b%2Bc HTTP/1.1\r\n", 200, "[a b+c][]" },
	{ "another parameter is no name", "GET /echo?nam=a HTTP/1.1\r\n", 200, "[][]" },
	{ "POST finds its own row", "POST /echo HTTP/1.1\r\nContent-Length: 0\r\n", 200, "[][]" },
	{ "the row chooses status and type", "GET /teapot HTTP/1.1\r\n", 418, "short" },
	{ "an unknown path is 404", "GET /none HTTP/1.1\r\n", 404, "{\"error\": \"no such path\"}" },
	{ "the beginning of a path is 404", "GET /ech HTTP/1.1\r\n", 404, "{\"error\": \"no such path\"}" },
	{ "a wrong method is 405", "POST /teapot HTTP/1.1\r\nContent-Length: 0\r\n", 405, "{\"error\": \"wrong method for this path\"}" },
	{ "DELETE is 405", "DELETE /echo HTTP/1.1\r\n", 405, "{\"error\": \"wrong method for this path\"}" },
	{ "an unreadable query is 400", "GET /echo?name HTTP/1.1\r\n", 400, "{\"error\": \"unreadable query\"}" },
	{ "no HTTP at all is 400", "GET\r\n", 400, NULL },
	{ "a negative length is 400", "POST /echo HTTP/1.1\r\nContent-Length: -1\r\n", 400, NULL },
};
/* clang-format on */

static int
connect_to(const struct listener *listener)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	int fd;

	getsockname(listen_fd(listener), (struct sockaddr *)&address, &len);
	fd = socket(address.ss_family, SOCK_STREAM, 0);
	if (connect(fd, (struct sockaddr *)&address, len) == -1)
		printf("Bail out! cannot connect\n");
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

/* Sends all of it and reads to the end; the server is ourselves, in between.
 * What it does not want to read any more is left unsent. */
static char *
ask(const struct listener *listener, const char *request, size_t len)
{
	static char reply[REPLY_MAX];
	int fd = connect_to(listener);
	size_t got = 0;
	ssize_t n;

	for (;;) {
		n = send(fd, request, len, MSG_NOSIGNAL);
		if (n > 0) {
			request += n;
			len -= (size_t)n;
		}
		event_base_loop(loop_base(), EVLOOP_NONBLOCK);
		n = recv(fd, reply + got, sizeof(reply) - 1 - got, 0);
		if (n == 0 || (n == -1 && errno != EAGAIN))
			break;
		got += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	unsent = len;
	reply[got] = '\0';
	return reply;
}

static int
status_of(const char *reply)
{
	return strncmp(reply, "HTTP/1.", 7) == 0 ? atoi(reply + 9) : -1;
}

static const char *
body_of(const char *reply)
{
	const char *end = strstr(reply, "\r\n\r\n");

	return end != NULL ? end + 4 : "";
}

static void
test_rows(const struct listener *listener)
{
	char request[512], *reply;
	size_t i;
	int len;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		len = snprintf(request, sizeof(request),
		    "%sHost: x\r\nConnection: close\r\n\r\n",
		    rows[i].request);
		reply = ask(listener, request, (size_t)len);
		if (status_of(reply) == rows[i].status &&
		    rows[i].body != NULL)
			tap_is(body_of(reply), rows[i].body, rows[i].name);
		else
			tap_int(status_of(reply), rows[i].status,
			    rows[i].name);
	}
}

static char *
post(const struct listener *listener, size_t len)
{
	char *request = malloc(len + 256), *reply;
	int head = sprintf(request, "POST /echo HTTP/1.1\r\nHost: x\r\n"
	    "Connection: close\r\nContent-Length: %zu\r\n\r\n", len);

	memset(request + head, 'b', len);
	body_len = 0;
	reply = ask(listener, request, (size_t)head + len);
	free(request);
	return reply;
}

static void
test_bodies(const struct listener *listener)
{
	const char *reply = post(listener, 3);

	tap_is(body_of(reply), "[][bbb]", "a body arrives");
	tap_ok(strstr(reply, "Content-Type: application/json\r\n") != NULL,
	    "an answer is JSON unless told otherwise");
	tap_int(status_of(post(listener, 64 * 1024)), 200, "64 KiB are fine");
	tap_int((int64_t)body_len, 64 * 1024, "and arrive whole");
	reply = post(listener, 64 * 1024 + 1);
	tap_int(status_of(reply), 413, "one byte more is 413");
	tap_is(body_of(reply), "{\"error\": \"body too large\"}",
	    "and is told so");
	reply = post(listener, 8 * 1024 * 1024);
	tap_ok((status_of(reply) == 413 || *reply == '\0') && unsent > 0,
	    "a body far too large is refused unread");
	tap_int((int64_t)body_len, 0, "and reaches no row");
}

static void
test_headers(const struct listener *listener)
{
	size_t len = 64 * 1024;
	char *request = malloc(len);
	int head = sprintf(request, "GET /echo HTTP/1.1\r\nX: ");

	memset(request + head, 'h', len - (size_t)head);
	tap_ok(status_of(ask(listener, request, len)) != 200,
	    "an endless header is refused");
	free(request);
}

static void
test_kept(const struct listener *listener)
{
	static const char request[] = "GET /echo?name=1 HTTP/1.1\r\nHost: x\r\n"
	    "\r\nGET /echo?name=2 HTTP/1.1\r\nHost: x\r\n"
	    "Connection: close\r\n\r\n";
	const char *reply = ask(listener, request, sizeof(request) - 1);

	tap_ok(strstr(reply, "[1][]") != NULL && strstr(reply, "[2][]") != NULL,
	    "one connection may ask twice");
}

static void
test_endpoint(const char *endpoint)
{
	const char *why;
	struct listener *listener = listen_open(endpoint, 0600, "", &why);
	struct http_server *server = http_start(listener, routes);
	int idle;

	printf("# %s\n", endpoint);
	test_rows(listener);
	test_bodies(listener);
	test_headers(listener);
	test_kept(listener);
	idle = connect_to(listener);
	event_base_loop(loop_base(), EVLOOP_NONBLOCK);
	http_stop(server);
	listen_close(listener);
	close(idle);
}

int
main(void)
{
	char text[64];

	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(text, sizeof(text), "unix:%s/s", dir);
	test_endpoint("inet:127.0.0.1:0");
	test_endpoint(text);
	http_stop(NULL);
	rmdir(dir);
	loop_free();
	return tap_done();
}
