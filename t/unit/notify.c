/* SPDX-License-Identifier: ISC */
/* notify.c - what systemd hears, on a socket with a path and on an abstract
 * one. */
#include "common/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "t/unit/tap.h"

static char dir[] = "/tmp/notify.XXXXXX";
static char got[256];

/* name: as in $NOTIFY_SOCKET */
static int
systemd_at(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	memcpy(address.sun_path, name, strlen(name));
	if (*name == '@')
		address.sun_path[0] = '\0';
	if (bind(fd, (struct sockaddr *)&address, (socklen_t)(
	    offsetof(struct sockaddr_un, sun_path) + strlen(name))) == -1)
		printf("Bail out! cannot bind %s\n", name);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static const char *
heard(int fd)
{
	ssize_t len = recv(fd, got, sizeof(got) - 1, 0);

	got[len > 0 ? len : 0] = '\0';
	return got;
}

int
main(void)
{
	char name[64];
	int fd;

	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(name, sizeof(name), "%s/s", dir);
	fd = systemd_at(name);
	notify_ready();
	tap_is(heard(fd), "READY=1", "ready is told");
	notify_reloading();
	tap_ok(strncmp(heard(fd), "RELOADING=1\nMONOTONIC_USEC=", 27) == 0 &&
	    atoll(got + 27) > 0, "reloading is told with the time");
	notify_stopping();
	tap_is(heard(fd), "STOPPING=1", "stopping is told");
	close(fd);
	unlink(name);
	rmdir(dir);

	snprintf(name, sizeof(name), "@postern-notify-%d", (int)getpid());
	fd = systemd_at(name);
	notify_ready();
	tap_is(heard(fd), "READY=1", "an abstract socket hears it too");
	unsetenv("NOTIFY_SOCKET");
	notify_ready();
	tap_is(heard(fd), "", "without systemd nothing is told");
	close(fd);
	return tap_done();
}
