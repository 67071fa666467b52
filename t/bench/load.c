/* SPDX-License-Identifier: ISC */
/* load.c - asks a policy server as Postfix does, over many connections at once,
 * and tells how often and how fast it was answered. Each connection asks its
 * next request when it has its answer. Prints one line: requests per second,
 * and the 50th, 99th and 99.9th percentile of the latency in microseconds.
 *
 *	load [-c connections] [-s seconds] [-t tenants] [-k kind] unix:/path
 *
 * kind: outbound (the default; a login of one of the tenants writes to a
 * stranger), inbound (a new stranger each time). */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define LATENCY_MAX_US 1000000

struct connection {
	int fd;
	int64_t asked_ns;
	size_t answer_len;
	char answer[512];
};

static struct {
	unsigned connections, seconds, tenants;
	const char *kind, *path;
} option = { 64, 3, 10, "outbound", "" };

static uint32_t *counts;	/* answers by latency in microseconds */
static uint64_t number;		/* of requests asked */
static uint64_t permitted;

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static int64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* As Postfix 3.7 sends it */
static size_t
request_make(char *out, size_t room)
{
	unsigned tenant = (unsigned)(number % option.tenants);
	unsigned user = (unsigned)(number / option.tenants % 50);
	int is_outbound = strcmp(option.kind, "outbound") == 0;
	char ours[80], stranger[80];

	snprintf(ours, sizeof(ours), "user%u@t%u.example", user, tenant);
	snprintf(stranger, sizeof(stranger), "s%llu@elsewhere.example",
	    (unsigned long long)number);
	return (size_t)snprintf(out, room,
	    "request=smtpd_access_policy\nprotocol_state=RCPT\n"
	    "protocol_name=ESMTP\nclient_address=192.0.2.%u\n"
	    "client_name=unknown\nclient_port=50000\n"
	    "reverse_client_name=unknown\nserver_address=198.51.100.1\n"
	    "server_port=587\nhelo_name=client.example\nsender=%s\n"
	    "recipient=%s\nrecipient_count=0\nqueue_id=\n"
	    "instance=1a2b.%llx.0\nsize=4096\netrn_domain=\nstress=\n"
	    "sasl_method=%s\nsasl_username=%s\nsasl_sender=\n"
	    "ccert_subject=\nccert_issuer=\nccert_fingerprint=\n"
	    "ccert_pubkey_fingerprint=\nencryption_protocol=TLSv1.3\n"
	    "encryption_cipher=TLS_AES_256_GCM_SHA384\n"
	    "encryption_keysize=256\npolicy_context=\n\n",
	    (unsigned)(number % 251), is_outbound ? ours : stranger,
	    is_outbound ? stranger : ours, (unsigned long long)number,
	    is_outbound ? "PLAIN" : "", is_outbound ? ours : "");
}

static void
ask(struct connection *one)
{
	char request[2048];
	size_t len = request_make(request, sizeof(request));

	number++;
	one->answer_len = 0;
	one->asked_ns = now_ns();
	if (send(one->fd, request, len, MSG_NOSIGNAL) != (ssize_t)len)
		die("send");
}

static void
count(const struct connection *one)
{
	int64_t us = (now_ns() - one->asked_ns) / 1000;

	counts[us < LATENCY_MAX_US ? us : LATENCY_MAX_US - 1]++;
	permitted += strncmp(one->answer, "action=DUNNO", 12) == 0;
}

static void
on_readable(struct connection *one)
{
	ssize_t n = recv(one->fd, one->answer + one->answer_len,
	    sizeof(one->answer) - one->answer_len, 0);

	if (n <= 0)
		die("recv");
	one->answer_len += (size_t)n;
	if (one->answer_len < 2 ||
	    memcmp(one->answer + one->answer_len - 2, "\n\n", 2) != 0)
		return;
	count(one);
	ask(one);
}

static void
connect_to(struct connection *one, int epoll)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = one };

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", option.path);
	one->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (one->fd == -1 ||
	    connect(one->fd, (struct sockaddr *)&at, sizeof(at)) == -1)
		die(option.path);
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, one->fd, &event) == -1)
		die("epoll_ctl");
}

static unsigned
percentile(uint64_t total, double part)
{
	uint64_t sum = 0;
	unsigned us;

	for (us = 0; us < LATENCY_MAX_US - 1; us++)
		if ((double)(sum += counts[us]) >= part * (double)total)
			break;
	return us;
}

static void
run(void)
{
	struct connection *all = calloc(option.connections, sizeof(*all));
	struct epoll_event events[64];
	int epoll = epoll_create1(0), i, n;
	int64_t begin, end;
	uint64_t total = 0;
	unsigned us;

	if (all == NULL || epoll == -1)
		die("epoll");
	for (i = 0; i < (int)option.connections; i++)
		connect_to(&all[i], epoll);
	begin = now_ns();
	end = begin + (int64_t)option.seconds * 1000000000;
	for (i = 0; i < (int)option.connections; i++)
		ask(&all[i]);
	while (now_ns() < end) {
		n = epoll_wait(epoll, events, 64, 1000);
		for (i = 0; i < n; i++)
			on_readable(events[i].data.ptr);
	}
	for (us = 0; us < LATENCY_MAX_US; us++)
		total += counts[us];
	printf("per_second=%.0f p50=%u p99=%u p999=%u permitted=%.3f\n",
	    (double)total * 1e9 / (double)(now_ns() - begin),
	    percentile(total, 0.5), percentile(total, 0.99),
	    percentile(total, 0.999), (double)permitted / (double)total);
}

static unsigned
to_number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*end != '\0' || value == 0 || value > 1000000) {
		fprintf(stderr, "load: %s: not a number\n", text);
		exit(2);
	}
	return (unsigned)value;
}

int
main(int argc, char **argv)
{
	int letter;

	while ((letter = getopt(argc, argv, "c:s:t:k:")) != -1)
		switch (letter) {
		case 'c': option.connections = to_number(optarg); break;
		case 's': option.seconds = to_number(optarg); break;
		case 't': option.tenants = to_number(optarg); break;
		case 'k': option.kind = optarg; break;
		default: return 2;
		}
	if (argc != optind + 1 || strncmp(argv[optind], "unix:", 5) != 0) {
		fprintf(stderr, "usage: load [-c connections] [-s seconds] "
		    "[-t tenants] [-k kind] unix:/path\n");
		return 2;
	}
	option.path = argv[optind] + 5;
	counts = calloc(LATENCY_MAX_US, sizeof(*counts));
	if (counts == NULL)
		die("calloc");
	run();
	return 0;
}
