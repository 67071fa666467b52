/* SPDX-License-Identifier: ISC */
/* load.c - asks a policy server as Postfix does, over many connections at once,
 * and tells how often and how fast it was answered. Each connection asks its
 * next request when it has its answer. Prints one line: requests per second,
 * the 50th, 99th and 99.9th percentile of the latency in microseconds, how
 * many requests there were, and which part of them was answered DUNNO.
 *
 *	load [-c connections] [-s seconds] [-t tenants] [-u users] [-k kind]
 *	     /path/of/socket
 *
 * kind: outbound (a login of one of the tenants, any of its users, writes to a
 * stranger) or inbound (a new stranger each time). */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
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

/* A run of one of these in a request stands for a number */
enum what { TENANT, USER, REQUEST, NET, SUBNET, WHATS };
static const char marks[] = "#$*!^";

/* Digits that change from one request to the next. They are written over in
 * place, so that the load takes less time than the servers it measures. */
struct place {
	char *at;
	unsigned digits;
	enum what what;
};

static struct {
	unsigned connections, tenants, users;
	double seconds;
	const char *path;
	int is_inbound;
} option = { 64, 10, 50, 3, "", 0 };

/* As Postfix 3.7 sends it */
static const char pattern[] =
    "request=smtpd_access_policy\nprotocol_state=RCPT\n"
    "protocol_name=ESMTP\nclient_address=10.1!!.1^^.7\n"
    "client_name=unknown\nclient_port=50000\n"
    "reverse_client_name=unknown\nserver_address=198.51.100.1\n"
    "server_port=587\nhelo_name=client.example\nsender=%s\n"
    "recipient=%s\nrecipient_count=0\nqueue_id=\n"
    "instance=1a2b.**********.0\nsize=4096\netrn_domain=\nstress=\n"
    "sasl_method=%s\nsasl_username=%s\nsasl_sender=\n"
    "ccert_subject=\nccert_issuer=\nccert_fingerprint=\n"
    "ccert_pubkey_fingerprint=\nencryption_protocol=TLSv1.3\n"
    "encryption_cipher=TLS_AES_256_GCM_SHA384\n"
    "encryption_keysize=256\npolicy_context=\n\n";
static const char ours[] = "user$$$$$@t######.example";
static const char stranger[] = "s**********@elsewhere.example";

static char request[2048];
static size_t request_len;
static struct place places[16];
static unsigned place_count;

static uint32_t *counts;	/* answers by latency in microseconds */
static uint64_t number;		/* of requests asked */
static uint64_t permitted;
static int64_t end_ns;
static unsigned waiting;	/* connections without their answer */

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

static void
request_prepare(void)
{
	const char *mark;
	char *at;

	request_len = (size_t)snprintf(request, sizeof(request), pattern,
	    option.is_inbound ? stranger : ours,
	    option.is_inbound ? ours : stranger,
	    option.is_inbound ? "" : "PLAIN", option.is_inbound ? "" : ours);
	for (at = request; *at != '\0';) {
		mark = strchr(marks, *at);
		if (mark == NULL) {
			at++;
			continue;
		}
		places[place_count].at = at;
		places[place_count].what = (enum what)(mark - marks);
		places[place_count].digits = (unsigned)strspn(at,
		    (char[]){ *mark, '\0' });
		at += places[place_count++].digits;
	}
}

static void
request_next(void)
{
	/* scattered by a prime, so that no cache can guess who is next */
	uint64_t mailbox = number * 2654435761 %
	    ((uint64_t)option.tenants * option.users);
	const uint64_t values[WHATS] = {
		[TENANT] = mailbox % option.tenants,
		[USER] = mailbox / option.tenants,
		[REQUEST] = number,
		[NET] = number / 100,
		[SUBNET] = number,
	};
	const struct place *place;
	uint64_t value;
	unsigned i;

	for (place = places; place < places + place_count; place++) {
		value = values[place->what];
		for (i = place->digits; i-- > 0; value /= 10)
			place->at[i] = (char)('0' + value % 10);
	}
	number++;
}

static void
ask(struct connection *one)
{
	one->asked_ns = now_ns();
	one->answer_len = 0;
	request_next();
	if (send(one->fd, request, request_len, MSG_NOSIGNAL) !=
	    (ssize_t)request_len)
		die("send");
	waiting++;
}

static void
count(const struct connection *one)
{
	int64_t us = (now_ns() - one->asked_ns) / 1000;

	counts[us < LATENCY_MAX_US ? us : LATENCY_MAX_US - 1]++;
	permitted += strncasecmp(one->answer, "action=DUNNO", 12) == 0;
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
	waiting--;
	if (now_ns() < end_ns)
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
	int64_t begin;
	uint64_t total = 0;
	unsigned us;

	if (all == NULL || epoll == -1)
		die("epoll");
	for (i = 0; i < (int)option.connections; i++)
		connect_to(&all[i], epoll);
	begin = now_ns();
	end_ns = begin + (int64_t)(option.seconds * 1e9);
	for (i = 0; i < (int)option.connections; i++)
		ask(&all[i]);
	/* every answer is awaited: a server may die of a client that goes */
	while (waiting > 0) {
		n = epoll_wait(epoll, events, 64, -1);
		for (i = 0; i < n; i++)
			on_readable(events[i].data.ptr);
	}
	for (us = 0; us < LATENCY_MAX_US; us++)
		total += counts[us];
	printf("per_second=%.0f p50=%u p99=%u p999=%u requests=%llu "
	    "permitted=%.3f\n",
	    (double)total * 1e9 / (double)(now_ns() - begin),
	    percentile(total, 0.5), percentile(total, 0.99),
	    percentile(total, 0.999), (unsigned long long)total,
	    (double)permitted / (double)total);
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

	while ((letter = getopt(argc, argv, "c:s:t:u:k:")) != -1)
		switch (letter) {
		case 'c': option.connections = to_number(optarg); break;
		case 's': option.seconds = atof(optarg); break;
		case 't': option.tenants = to_number(optarg); break;
		case 'u': option.users = to_number(optarg); break;
		case 'k': option.is_inbound = strcmp(optarg, "inbound") == 0;
			break;
		default: return 2;
		}
	if (argc != optind + 1)
		return 2;
	option.path = argv[optind];
	counts = calloc(LATENCY_MAX_US, sizeof(*counts));
	if (counts == NULL)
		die("calloc");
	/* another load of the same server is other messages */
	number = (uint64_t)getpid() % 10000 * 1000000;
	request_prepare();
	run();
	return 0;
}
