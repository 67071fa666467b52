/* SPDX-License-Identifier: ISC */
/* t/unit/ldap_link.c - a server's name that has several addresses, of which
 * some have no server: names are resolved here, not by the C library. */
#include "common/ldap_link.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "t/unit/tap.h"

#define ADDRESSES 2

static struct sockaddr_in addresses[ADDRESSES];
static struct addrinfo found[ADDRESSES];
static int listener;

/* In place of the C library's: each name has the addresses of this test */
int
getaddrinfo(const char *name, const char *service,
    const struct addrinfo *hints, struct addrinfo **out)
{
	size_t i;

	(void)name;
	(void)service;
	(void)hints;
	for (i = 0; i < ADDRESSES; i++)
		found[i] = (struct addrinfo){ .ai_family = AF_INET,
			.ai_socktype = SOCK_STREAM,
			.ai_addr = (struct sockaddr *)&addresses[i],
			.ai_addrlen = sizeof(addresses[i]),
			.ai_next = i + 1 < ADDRESSES ? &found[i + 1] : NULL };
	*out = found;
	return 0;
}

void
freeaddrinfo(struct addrinfo *list)
{
	(void)list;
}

/* One that takes every bind, until it is killed */
static pid_t
start_server(void)
{
	static const char success[] = "\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00"
	    "\x04\x00\x04\x00";
	char request[512];
	pid_t pid = fork();
	int fd;

	if (pid != 0)
		return pid;
	alarm(60);		/* should we die */
	while ((fd = accept(listener, NULL, NULL)) != -1) {
		if (read(fd, request, sizeof(request)) > 0 &&
		    write(fd, success, sizeof(success) - 1) < 0)
			_exit(1);
		close(fd);
	}
	_exit(1);
}

/* What ldap_link_open() says, "" where it is open */
static const char *
opened(const char *first, const char *second)
{
	static const struct source_settings settings = {
		.bind_dn = "", .tls = SOURCE_TLS_OFF };
	static struct ldap_link link;
	static char said[LDAP_LINK_WHY];
	atomic_bool must_stop = false;

	inet_pton(AF_INET, first, &addresses[0].sin_addr);
	inet_pton(AF_INET, second, &addresses[1].sin_addr);
	snprintf(said, sizeof(said), "%s",
	    ldap_link_open(&link, &settings, "ldap://ldap.example", &must_stop)
	    == 0 ? "" : link.why);
	ldap_link_close(&link);
	return said;
}

int
main(void)
{
	socklen_t len = sizeof(addresses[0]);
	struct sockaddr_in *server = &addresses[0];
	pid_t pid;

	tap_log();
	signal(SIGPIPE, SIG_IGN);	/* as daemon.c does */
	server->sin_family = AF_INET;
	server->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)server, len) != 0 ||
	    listen(listener, 5) != 0 ||
	    getsockname(listener, (struct sockaddr *)server, &len) != 0)
		abort();
	addresses[1] = addresses[0];
	pid = start_server();
	close(listener);
	tap_is(opened("127.0.0.1", "127.0.0.2"), "",
	    "the first address serves");
	tap_is(opened("127.0.0.2", "127.0.0.1"), "",
	    "where nobody is at the first address, the second serves");
	tap_is(opened("127.0.0.2", "127.0.0.3"),
	    "ldap://ldap.example: Can't contact LDAP server: "
	    "Connection refused", "where nobody is at any, that is told");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return tap_done();
}
