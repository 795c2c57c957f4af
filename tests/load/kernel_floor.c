/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel_floor: what the kernel alone allows. Makes N PPPoL2TP sessions, each with a ppp interface that
 * is up, in one link group and has an address pair, on T threads, with nothing else: no protocol, no
 * pppd, no RADIUS. Measures sessions a second up, the mean time of each step, and teardown by one
 * RTM_DELLINK of the group. No LNS on this kernel can be faster; `make bench` reports the ratio.
 *
 * Runs in a network namespace of its own, which takes everything with it. Needs root, /dev/ppp and
 * L2TP. The table goes to stderr, one JSON object to stdout.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/if_pppox.h>
#include <linux/ppp-ioctl.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FLOOR_GROUP       1701
#define FLOOR_PORT        20000 /* of the first tunnel; the peer's is 1701 */
#define FLOOR_SESSIONS    60000
#define FLOOR_THREADS     1024
#define FLOOR_DESCRIPTORS 3 /* of a session: socket, channel, unit */

enum floor_step {
	STEP_SOCKET,
	STEP_GETCHAN,
	STEP_ATTACH,
	STEP_UNIT,
	STEP_CONNECT,
	STEP_LINK,
	STEP_ADDRESS,
	STEP_MAX
};

static const char *const step_names[STEP_MAX] = { "socket", "getchan", "attach", "unit", "connect",
	"link", "address" };

static struct {
	unsigned int sessions, threads, tunnels;
	int *fds;                 /* FLOOR_DESCRIPTORS for each session, -1 = none */
	int *udp;                 /* one for each tunnel */
	unsigned int next;        /* the next session to make; atomic */
	uint64_t steps[STEP_MAX]; /* ns, of all threads; atomic */
	int error;                /* the first one met; atomic */
	const char *where;        /* what failed */
} run;

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int fail(const char *where)
{
	int expected = 0;

	if (__atomic_compare_exchange_n(
		    &run.error, &expected, errno, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		run.where = where;
	return -1;
}

static void step_done(enum floor_step step, uint64_t *start)
{
	uint64_t end = now_ns();

	__atomic_fetch_add(&run.steps[step], end - *start, __ATOMIC_RELAXED);
	*start = end;
}

/* A PPPoL2TP socket; session 0 makes the tunnel. */
static int pppox_connect(int udp, unsigned int tunnel, unsigned int session)
{
	struct sockaddr_pppol2tp sa = {
		.sa_family = AF_PPPOX,
		.sa_protocol = PX_PROTO_OL2TP,
		.pppol2tp = { .fd = udp,
			.s_tunnel = (uint16_t)tunnel,
			.d_tunnel = (uint16_t)tunnel,
			.s_session = (uint16_t)session,
			.d_session = (uint16_t)session },
	};
	int fd = socket(AF_PPPOX, SOCK_DGRAM | SOCK_CLOEXEC, PX_PROTO_OL2TP), err;

	if (fd < 0)
		return -1;
	do
		err = connect(fd, (struct sockaddr *)&sa, sizeof(sa));
	while (err < 0 && errno == EINTR);
	if (err < 0) {
		err = errno;
		close(fd);
		errno = err;
		return -1;
	}
	return fd;
}

static int tunnel_open(unsigned int tunnel)
{
	struct sockaddr_in local = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)(FLOOR_PORT + tunnel)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in peer = local;
	int fd;

	peer.sin_port = htons(1701);
	run.udp[tunnel] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (run.udp[tunnel] < 0 ||
		bind(run.udp[tunnel], (struct sockaddr *)&local, sizeof(local)) ||
		connect(run.udp[tunnel], (struct sockaddr *)&peer, sizeof(peer)))
		return fail("tunnel socket");
	fd = pppox_connect(run.udp[tunnel], tunnel + 1, 0);
	if (fd < 0)
		return fail("kernel tunnel");
	close(fd);
	return 0;
}

/* Consumes message. */
static int netlink_do(struct nl_sock *sock, struct nl_msg *message)
{
	int err = nl_send_sync(sock, message);

	if (err < 0)
		errno = EPROTO;
	return err < 0 ? -1 : 0;
}

/* MTU, group and IFF_UP in one message. */
static int link_up(struct nl_sock *sock, unsigned int ifindex)
{
	struct ifinfomsg link = {
		.ifi_index = (int)ifindex, .ifi_flags = IFF_UP, .ifi_change = IFF_UP
	};
	struct nl_msg *message = nlmsg_alloc_simple(RTM_NEWLINK, 0);

	if (!message || nlmsg_append(message, &link, sizeof(link), NLMSG_ALIGNTO) < 0 ||
		nla_put_u32(message, IFLA_GROUP, FLOOR_GROUP) < 0 ||
		nla_put_u32(message, IFLA_MTU, 1460) < 0)
		abort();
	return netlink_do(sock, message);
}

static int link_address(struct nl_sock *sock, unsigned int ifindex, unsigned int session)
{
	struct ifaddrmsg address = {
		.ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_index = ifindex
	};
	struct nl_msg *message = nlmsg_alloc_simple(RTM_NEWADDR, NLM_F_CREATE);

	if (!message || nlmsg_append(message, &address, sizeof(address), NLMSG_ALIGNTO) < 0 ||
		nla_put_u32(message, IFA_LOCAL, htonl(0x64400001)) < 0 ||
		nla_put_u32(message, IFA_ADDRESS, htonl(0x64410000 + session)) < 0)
		abort();
	return netlink_do(sock, message);
}

static int link_delete_group(struct nl_sock *sock)
{
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	struct nl_msg *message = nlmsg_alloc_simple(RTM_DELLINK, 0);

	if (!message || nlmsg_append(message, &link, sizeof(link), NLMSG_ALIGNTO) < 0 ||
		nla_put_u32(message, IFLA_GROUP, FLOOR_GROUP) < 0)
		abort();
	return netlink_do(sock, message);
}

/* One session, from the socket to an interface with an address. */
static int session_open(struct nl_sock *sock, int query, unsigned int session)
{
	unsigned int tunnel = session % run.tunnels;
	int *fds = &run.fds[session * FLOOR_DESCRIPTORS];
	struct ifreq ifr = { 0 };
	int channel, unit = -1;
	uint64_t start = now_ns();

	fds[0] = pppox_connect(run.udp[tunnel], tunnel + 1, session / run.tunnels + 1);
	if (fds[0] < 0)
		return fail("session socket");
	step_done(STEP_SOCKET, &start);
	if (ioctl(fds[0], PPPIOCGCHAN, &channel) < 0)
		return fail("PPPIOCGCHAN");
	step_done(STEP_GETCHAN, &start);
	fds[1] = open("/dev/ppp", O_RDWR | O_CLOEXEC);
	if (fds[1] < 0 || ioctl(fds[1], PPPIOCATTCHAN, &channel) < 0)
		return fail("PPPIOCATTCHAN");
	step_done(STEP_ATTACH, &start);
	fds[2] = open("/dev/ppp", O_RDWR | O_CLOEXEC);
	if (fds[2] < 0 || ioctl(fds[2], PPPIOCNEWUNIT, &unit) < 0)
		return fail("PPPIOCNEWUNIT");
	step_done(STEP_UNIT, &start);
	if (ioctl(fds[1], PPPIOCCONNECT, &unit) < 0)
		return fail("PPPIOCCONNECT");
	step_done(STEP_CONNECT, &start);
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "ppp%d", unit);
	if (ioctl(query, SIOCGIFINDEX, &ifr) < 0 ||
		link_up(sock, (unsigned int)ifr.ifr_ifindex) < 0)
		return fail("interface up");
	step_done(STEP_LINK, &start);
	if (link_address(sock, (unsigned int)ifr.ifr_ifindex, session) < 0)
		return fail("address");
	step_done(STEP_ADDRESS, &start);
	return 0;
}

static struct nl_sock *route_open(void)
{
	struct nl_sock *sock = nl_socket_alloc();

	if (!sock || nl_connect(sock, NETLINK_ROUTE) < 0) {
		fprintf(stderr, "kernel_floor: cannot open a netlink socket\n");
		exit(1);
	}
	return sock;
}

static void *setup_thread(void *unused)
{
	struct nl_sock *sock = route_open();
	int query = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	unsigned int session;

	(void)unused;
	while (!__atomic_load_n(&run.error, __ATOMIC_RELAXED)) {
		session = __atomic_fetch_add(&run.next, 1, __ATOMIC_RELAXED);
		if (session >= run.sessions || session_open(sock, query, session) < 0)
			break;
	}
	close(query);
	nl_socket_free(sock);
	return NULL;
}

/* Closes what the group delete leaves: the units are gone, channels and sockets are not. */
static void *close_thread(void *unused)
{
	unsigned int session, i;

	(void)unused;
	while ((session = __atomic_fetch_add(&run.next, 1, __ATOMIC_RELAXED)) < run.sessions)
		for (i = FLOOR_DESCRIPTORS; i-- > 0;)
			if (run.fds[session * FLOOR_DESCRIPTORS + i] >= 0)
				close(run.fds[session * FLOOR_DESCRIPTORS + i]);
	return NULL;
}

/* Runs body on all threads until all sessions are through; returns the time it took, in seconds. */
static double threads_run(void *(*body)(void *))
{
	pthread_t threads[FLOOR_THREADS];
	uint64_t start = now_ns();
	unsigned int i, started;

	run.next = 0;
	for (started = 0; started < run.threads; started++)
		if (pthread_create(&threads[started], NULL, body, NULL))
			break;
	if (!started) {
		fprintf(stderr, "kernel_floor: cannot start a thread\n");
		exit(1);
	}
	for (i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	return (double)(now_ns() - start) / 1e9;
}

/* CPU time of this process, user and system, in seconds. */
static double cpu_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void report(double setup, double cpu, double group, double closing)
{
	double n = run.sessions;
	int step;

	fprintf(stderr, "%u sessions, %u tunnels, %u threads\n", run.sessions, run.tunnels,
		run.threads);
	fprintf(stderr, "  setup         %8.3f s %8.1f sessions/s %8.2f ms CPU each\n", setup,
		n / setup, cpu * 1e3 / n);
	for (step = 0; step < STEP_MAX; step++)
		fprintf(stderr, "    %-11s %8.3f ms mean\n", step_names[step],
			(double)run.steps[step] / 1e6 / n);
	fprintf(stderr, "  group delete  %8.3f s %8.1f sessions/s\n", group, n / group);
	fprintf(stderr, "  close         %8.3f s\n", closing);
	fprintf(stderr, "  teardown      %8.3f s %8.1f sessions/s\n", group + closing,
		n / (group + closing));

	printf("{\"sessions\": %u, \"tunnels\": %u, \"threads\": %u, \"setup_seconds\": %.3f, "
	       "\"setup_rate\": %.1f, \"setup_cpu_ms\": %.3f, \"steps_ms\": {",
		run.sessions, run.tunnels, run.threads, setup, n / setup, cpu * 1e3 / n);
	for (step = 0; step < STEP_MAX; step++)
		printf("%s\"%s\": %.3f", step ? ", " : "", step_names[step],
			(double)run.steps[step] / 1e6 / n);
	printf("}, \"group_delete_seconds\": %.3f, \"close_seconds\": %.3f, \"teardown_seconds\": %.3f, "
	       "\"teardown_rate\": %.1f}\n",
		group, closing, group + closing, n / (group + closing));
}

static int usage(FILE *out)
{
	fprintf(out,
		"usage: kernel_floor [-n SESSIONS] [-t THREADS] [-T TUNNELS]\n"
		"Measures how fast this kernel makes and ends PPPoL2TP sessions with interfaces.\n"
		"  -n  sessions, 1 .. 60000 (1000)\n"
		"  -t  threads, 1 .. 1024 (64)\n"
		"  -T  tunnels, 1 .. 1000 (10)\n"
		"The table goes to stderr, JSON to stdout. Needs root, /dev/ppp and L2TP.\n");
	return out == stdout ? 0 : 2;
}

/* Parses a decimal number from 1 to max, or exits. */
static unsigned int number(const char *text, unsigned long max)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || end == text || value < 1 || value > max)
		exit(usage(stderr));
	return (unsigned int)value;
}

/* A namespace of our own with loopback up, and as many descriptors as the sessions need. */
static int prepare(void)
{
	struct rlimit limit = { .rlim_cur =
					run.sessions * FLOOR_DESCRIPTORS + run.threads * 2 + 1100 };
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	limit.rlim_max = limit.rlim_cur;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		return fail("RLIMIT_NOFILE");
	if (unshare(CLONE_NEWNET) < 0)
		return fail("network namespace");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) < 0)
		return fail("lo up");
	close(fd);
	return 0;
}

int main(int argc, char **argv)
{
	double setup, cpu, closing, group = 0;
	struct nl_sock *sock;
	unsigned int i;
	uint64_t start;
	int option;

	run.sessions = 1000;
	run.threads = 64;
	run.tunnels = 10;
	while ((option = getopt(argc, argv, "n:t:T:h")) != -1) {
		switch (option) {
		case 'n':
			run.sessions = number(optarg, FLOOR_SESSIONS);
			break;
		case 't':
			run.threads = number(optarg, FLOOR_THREADS);
			break;
		case 'T':
			run.tunnels = number(optarg, 1000);
			break;
		case 'h':
			return usage(stdout);
		default:
			return usage(stderr);
		}
	}
	run.fds = malloc(run.sessions * FLOOR_DESCRIPTORS * sizeof(*run.fds));
	run.udp = malloc(run.tunnels * sizeof(*run.udp));
	if (!run.fds || !run.udp)
		return 1;
	memset(run.fds, 0xff, run.sessions * FLOOR_DESCRIPTORS * sizeof(*run.fds));

	if (prepare() < 0)
		goto out;
	for (i = 0; i < run.tunnels; i++)
		if (tunnel_open(i) < 0)
			goto out;
	cpu = cpu_seconds();
	setup = threads_run(setup_thread);
	cpu = cpu_seconds() - cpu;
	sock = route_open();
	start = now_ns();
	if (link_delete_group(sock) < 0)
		fail("group delete");
	group = (double)(now_ns() - start) / 1e9;
	nl_socket_free(sock);
	closing = threads_run(close_thread);
	if (!run.error)
		report(setup, cpu, group, closing);
out:
	if (run.error)
		fprintf(stderr, "kernel_floor: %s: %s\n", run.where, strerror(run.error));
	free(run.fds);
	free(run.udp);
	return run.error ? 1 : 0;
}
