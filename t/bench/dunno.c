/* SPDX-License-Identifier: ISC */
/* dunno.c - the fastest policy server there can be on one core: whatever comes
 * it answers DUNNO, unread. What policyd is measured against.
 *
 *	dunno /path/of/socket */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static void
watch(int epoll, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == -1)
		die("epoll_ctl");
}

static void
answer(int fd)
{
	static const char dunno[] = "action=DUNNO\n\n";
	static char bytes[65536];

	if (recv(fd, bytes, sizeof(bytes), 0) <= 0 ||
	    send(fd, dunno, sizeof(dunno) - 1, MSG_NOSIGNAL) == -1)
		close(fd);
}

int
main(int argc, char **argv)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct epoll_event events[64];
	int listener, epoll = epoll_create1(0), i, n;

	if (argc != 2)
		return 2;
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", argv[1]);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	if (listener == -1 ||
	    bind(listener, (struct sockaddr *)&at, sizeof(at)) == -1 ||
	    listen(listener, 1024) == -1)
		die(argv[1]);
	watch(epoll, listener);
	for (;;) {
		n = epoll_wait(epoll, events, 64, -1);
		for (i = 0; i < n; i++)
			if (events[i].data.fd == listener)
				watch(epoll, accept(listener, NULL, NULL));
			else
				answer(events[i].data.fd);
	}
}
