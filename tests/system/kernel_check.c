/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel_check: lns/kernel and lns/net against a kernel with L2TP, one case a run.
 *
 *	kernel_check                     lists the cases
 *	kernel_check CASE [FD FD]        runs one: 0, or 1 and what was wrong on stderr
 *
 * Runs in an empty network namespace as a user without any privilege but CAP_NET_ADMIN, and refuses
 * anything else: what it proves is that lnsd's engine needs no more. The two descriptors are /dev/ppp,
 * which only root may open; cases with an interface need them. The LAC is a plain UDP socket.
 */
#include "lns/env_ev.h"
#include "lns/kernel/kernel.h"
#include "lns/net/net.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <linux/if_pppox.h> /* after the C library's own network headers */
#include <linux/ppp-ioctl.h>

#define TUNNEL      7
#define PEER_TUNNEL 70
#define GROUP       1701
#define SOL_L2TP    273 /* SOL_PPPOL2TP */

static struct {
	struct env *env;
	struct kernel *kernel;
	struct net *net;
	int ppp[2]; /* /dev/ppp, or -1 */
	unsigned int done;
	int err, fd;               /* what the last done said */
	uint32_t channel;          /* of the session opened last */
	struct net_socket *socket; /* of the tunnel */
	struct l2tp_path path;
	int lac; /* its socket */

	struct kernel_l2tp_entry entries[512];
	unsigned int count;
	unsigned int gone, samples;
	uint32_t gone_ifindex, wanted;
	struct kernel_counters final, sampled;
} t;

#define CHECK(what)                                                                                \
	do {                                                                                       \
		if (!(what))                                                                       \
			fail(__LINE__, "%s", #what);                                               \
	} while (0)
#define EQUAL(a, b) equal(__LINE__, #a, (long long)(a), (long long)(b))

__attribute__((format(printf, 2, 3), noreturn)) static void fail(int line, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "kernel_check.c:%d: ", line);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n");
	exit(1);
}

static void equal(int line, const char *what, long long is, long long should)
{
	if (is != should)
		fail(line, "%s is %lld, not %lld", what, is, should);
}

/* --- the loop --- */

static void on_done(void *ctx, int err, int fd)
{
	(void)ctx;
	t.err = err;
	t.fd = fd;
	t.done++;
	env_ev_stop(t.env);
}

static void on_opened(void *ctx, int err, int fd, uint32_t channel)
{
	t.channel = channel;
	on_done(ctx, err, fd);
}

static void on_timeout(void *ctx)
{
	(void)ctx;
	fail(__LINE__, "nothing happened for 20 s");
}

/* Runs the loop until *counter is at least value. */
static void run_until(const unsigned int *counter, unsigned int value)
{
	struct env_timer *timer = env_timer_new(t.env, on_timeout, NULL);

	env_timer_start(timer, ENV_SEC(20));
	while (*counter < value)
		env_ev_run(t.env);
	env_timer_free(timer);
}

/* The result of a job whose done is on_done. */
static int result(const struct kernel_job *job)
{
	CHECK(job);
	run_until(&t.done, t.done + 1);
	return t.err;
}

static void on_stop(void *ctx)
{
	(void)ctx;
	env_ev_stop(t.env);
}

/* Lets the loop run for a while: for what comes without a job. */
static void run_for(uint64_t delay)
{
	struct env_timer *timer = env_timer_new(t.env, on_stop, NULL);

	env_timer_start(timer, delay);
	while (env_timer_running(timer))
		env_ev_run(t.env);
	env_timer_free(timer);
}

static void on_link_gone(void *ctx, uint32_t ifindex, const struct kernel_counters *final)
{
	(void)ctx;
	CHECK(final);
	t.gone++;
	t.gone_ifindex = ifindex;
	t.final = *final;
	env_ev_stop(t.env);
}

static void on_links_lost(void *ctx)
{
	(void)ctx;
	fail(__LINE__, "link messages were lost");
}

static void on_input(void *ctx, const struct l2tp_path *path, const uint8_t *packet, size_t len)
{
	(void)ctx;
	(void)packet;
	(void)len;
	t.path = *path;
	env_ev_stop(t.env);
}

/* --- a tunnel and its LAC --- */

static unsigned int dump(void)
{
	struct kernel_l2tp_list list = { 0 };

	EQUAL(result(kernel_l2tp_dump(t.kernel, -1, &list, on_done, NULL)), 0);
	CHECK(list.count <= 512);
	t.count = list.count;
	if (list.count)
		memcpy(t.entries, list.entries, list.count * sizeof(*list.entries));
	kernel_l2tp_list_free(&list);
	return t.count;
}

/* Waits until the kernel has n tunnels and sessions: it frees them in its own time. */
static void dump_until(unsigned int n)
{
	unsigned int i;

	for (i = 0; dump() != n; i++) {
		if (i == 200)
			fail(__LINE__, "%u tunnels and sessions, not %u", t.count, n);
		run_for(ENV_MS(20));
	}
}

/* A LAC at host:5000 and the connected socket that answers it. */
static void tunnel_socket(const char *host)
{
	union addr any, lac, lns;

	CHECK(!addr_parse(strchr(host, ':') ? "::" : "0.0.0.0", 0, &any));
	CHECK(!addr_parse(host, 5000, &lac) && !addr_parse(host, 1701, &lns));
	EQUAL(net_listen(t.net, &any, NULL, NULL), 0);
	t.lac = socket(lac.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	CHECK(!bind(t.lac, &lac.sa, addr_len(&lac)) && !connect(t.lac, &lns.sa, addr_len(&lns)));
	EQUAL(send(t.lac, "SCCRQ", 5, 0), 5);
	env_ev_run(t.env);
	CHECK(addr_equal(&t.path.peer, &lac) && addr_equal(&t.path.local, &lns));
	EQUAL(net_connect(t.net, &t.path, 0, &t.socket), 0);
}

static int tunnel_create(uint16_t id, uint16_t peer_id)
{
	return result(kernel_tunnel_create(
		t.kernel, net_socket_fd(t.socket), id, peer_id, on_done, NULL));
}

static int session_open(const struct kernel_session *session)
{
	return result(
		kernel_session_open(t.kernel, net_socket_fd(t.socket), session, on_opened, NULL));
}

static const struct kernel_session plain = { TUNNEL, PEER_TUNNEL, 3, 30, 0 };

/* The LAC sends a data packet with len octets of PPP; sequence < 0: none. */
static void lac_send(uint16_t tunnel, uint16_t session, int sequence, const void *ppp, size_t len)
{
	uint8_t packet[1500] = { sequence < 0 ? 0 : 8, 2, (uint8_t)(tunnel >> 8), (uint8_t)tunnel,
		(uint8_t)(session >> 8), (uint8_t)session };
	size_t at = 6;

	if (sequence >= 0) {
		packet[7] = (uint8_t)sequence;
		at = 10;
	}
	memcpy(packet + at, ppp, len);
	EQUAL(send(t.lac, packet, at + len, 0), (ssize_t)(at + len));
}

/* Waits at most 2 s for fd; what is read, or -1. */
static ssize_t read_soon(int fd, void *buf, size_t size)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (poll(&p, 1, 2000) != 1)
		return -1;
	return read(fd, buf, size);
}

static int option_of(int fd, int option)
{
	socklen_t len = sizeof(int);
	int value = -1;

	CHECK(!getsockopt(fd, SOL_L2TP, option, &value, &len));
	return value;
}

static const uint8_t lcp[] = { 0xff, 0x03, 0xc0, 0x21, 1, 1, 0, 4 };

/* The channel of the session opened last, on one of the two descriptors of /dev/ppp. */
static int channel_attach(int which)
{
	int number = (int)t.channel;

	CHECK(!ioctl(t.ppp[which], PPPIOCATTCHAN, &number));
	return t.ppp[which];
}

/*
 * A frame goes from the LAC to the channel of session fd, and one from there to the LAC. The kernel takes
 * off and puts on the first two octets, address and control.
 */
static void frames_pass(int fd, int channel, const struct kernel_session *session)
{
	bool numbered = option_of(fd, PPPOL2TP_SO_SENDSEQ);
	size_t header = numbered ? 10 : 6, inner = sizeof(lcp) - 2;
	uint8_t got[1500];

	lac_send(session->tunnel_id, session->session_id, numbered ? 0 : -1, lcp, sizeof(lcp));
	EQUAL(read_soon(channel, got, sizeof(got)), inner);
	CHECK(!memcmp(got, lcp + 2, inner));
	EQUAL(send(fd, lcp + 2, inner, 0), inner);
	EQUAL(read_soon(t.lac, got, sizeof(got)), header + sizeof(lcp));
	EQUAL(got[0], numbered ? 8 : 0);
	EQUAL(got[2] << 8 | got[3], session->peer_tunnel_id);
	EQUAL(got[4] << 8 | got[5], session->peer_session_id);
	CHECK(!memcmp(got + header, lcp, sizeof(lcp)));
}

/* --- a ppp interface --- */

struct unit {
	int session; /* PPPoL2TP socket */
	int number;
	uint32_t ifindex;
};

/* Makes the interface of an open session, up, with an address pair. */
static void unit_make(struct unit *unit, int session)
{
	struct ifreq request = { 0 };
	struct sockaddr_in address = { .sin_family = AF_INET };
	int query = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (t.ppp[0] < 0)
		fail(__LINE__, "this case needs two descriptors of /dev/ppp");
	unit->session = session;
	unit->number = -1;
	channel_attach(0);
	CHECK(!ioctl(t.ppp[1], PPPIOCNEWUNIT, &unit->number));
	CHECK(!ioctl(t.ppp[0], PPPIOCCONNECT, &unit->number));
	snprintf(request.ifr_name, sizeof(request.ifr_name), "ppp%d", unit->number);
	address.sin_addr.s_addr = htonl(0xc0000201); /* 192.0.2.1 */
	memcpy(&request.ifr_addr, &address, sizeof(address));
	CHECK(!ioctl(query, SIOCSIFADDR, &request));
	address.sin_addr.s_addr = htonl(0xc0000202);
	memcpy(&request.ifr_addr, &address, sizeof(address));
	CHECK(!ioctl(query, SIOCSIFDSTADDR, &request));
	request.ifr_flags = IFF_UP;
	CHECK(!ioctl(query, SIOCSIFFLAGS, &request));
	close(query);
	unit->ifindex = if_nametoindex(request.ifr_name);
	CHECK(unit->ifindex);
}

/* The subscriber sends count IP packets of size octets each (destination nobody: dropped later). */
static void subscriber_sends(unsigned int count, size_t size)
{
	uint8_t frame[1500] = { 0xff, 0x03, 0x00, 0x21, 0x45, 0, (uint8_t)(size >> 8),
		(uint8_t)size };

	while (count--)
		lac_send(plain.tunnel_id, plain.session_id, -1, frame, 4 + size);
}

/* We send count IP packets of size octets each to host. 0, or -errno of the first that failed. */
static int host_sends(const char *host, unsigned int count, size_t size)
{
	static const uint8_t data[1500];
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;
	union addr to;

	CHECK(!addr_parse(host, 9, &to));
	while (count-- && !err)
		if (sendto(fd, data, size - 28, 0, &to.sa, addr_len(&to)) < 0)
			err = -errno;
	close(fd);
	return err;
}

static void on_sample(void *ctx, uint32_t ifindex, const struct kernel_counters *counters)
{
	(void)ctx;
	if (ifindex != t.wanted)
		return;
	t.samples++;
	t.sampled = *counters;
}

static void sample(uint32_t ifindex)
{
	t.wanted = ifindex;
	t.samples = 0;
	EQUAL(result(kernel_sample_counters(t.kernel, on_sample, on_done, NULL)), 0);
	EQUAL(t.samples, 1);
}

static void counters_equal(const struct kernel_counters *is, uint64_t rx_packets,
	uint64_t rx_octets, uint64_t tx_packets, uint64_t tx_octets)
{
	EQUAL(is->rx_packets, rx_packets);
	EQUAL(is->rx_octets, rx_octets);
	EQUAL(is->tx_packets, tx_packets);
	EQUAL(is->tx_octets, tx_octets);
}

/* A tunnel with one session and its interface. */
static void subscriber_online(struct unit *unit)
{
	tunnel_socket("127.0.0.1");
	EQUAL(tunnel_create(TUNNEL, PEER_TUNNEL), 0);
	EQUAL(session_open(&plain), 0);
	unit_make(unit, t.fd);
}

static void subscriber_offline(struct unit *unit)
{
	close(unit->session);
	close(t.ppp[0]);
	t.ppp[0] = -1;
	EQUAL(result(kernel_tunnel_delete(t.kernel, TUNNEL, on_done, NULL)), 0);
}

/* --- cases --- */

static void case_tunnel(void)
{
	const struct kernel_l2tp_entry *entry = t.entries;

	tunnel_socket("127.0.0.1");
	EQUAL(dump(), 0);
	EQUAL(tunnel_create(TUNNEL, PEER_TUNNEL), 0);
	EQUAL(t.fd, -1);
	EQUAL(dump(), 1);
	EQUAL(entry->version, 2);
	EQUAL(entry->is_session, 0);
	EQUAL(entry->encap, 0);
	EQUAL(entry->tunnel_id, TUNNEL);
	EQUAL(entry->peer_tunnel_id, PEER_TUNNEL);
	CHECK(addr_equal(&entry->local, &t.path.local) && addr_equal(&entry->peer, &t.path.peer));
	EQUAL(tunnel_create(TUNNEL, PEER_TUNNEL), -EEXIST);
	EQUAL(result(kernel_tunnel_delete(t.kernel, TUNNEL, on_done, NULL)), 0);
	EQUAL(result(kernel_tunnel_delete(t.kernel, TUNNEL + 1, on_done, NULL)), -ENOENT);
	dump_until(0);
	EQUAL(result(kernel_tunnel_delete(t.kernel, TUNNEL, on_done, NULL)), -ENOENT);
}

/* A tunnel moves to another socket under its id, without waiting in between. */
static void case_tunnel_is_made_again(void)
{
	struct net_socket *old;
	unsigned int i;

	tunnel_socket("127.0.0.1");
	EQUAL(tunnel_create(TUNNEL, PEER_TUNNEL), 0);
	for (i = 0; i < 30; i++) {
		old = t.socket;
		EQUAL(net_connect(t.net, &t.path, 0, &t.socket), 0);
		CHECK(kernel_tunnel_delete(t.kernel, TUNNEL, NULL, NULL));
		EQUAL(tunnel_create(TUNNEL, PEER_TUNNEL), 0);
		net_socket_close(old);
	}
	dump_until(1);
	EQUAL(result(kernel_tunnel_delete(t.kernel, TUNNEL, on_done, NULL)), 0);
}

/* The job's copy of the descriptor is given back: the last close ends the tunnel. */
static void case_tunnel_ends_with_its_socket(void)
{
	int fd;

	tunnel_socket("127.0.0.1");
	EQUAL(tunnel_create(TUNNEL, PEER_TUNNEL), 0);
	EQUAL(session_open(&plain), 0);
	fd = t.fd;
	EQUAL(dump(), 2);
	net_socket_close(t.socket);
	dump_until(0);
	close(fd);
}

static void case_tunnel_over_ipv6(void)
{
	tunnel_socket("::1");
	EQUAL(tunnel_create(TUNNEL, PEER_TUNNEL), 0);
	EQUAL(dump(), 1);
	CHECK(addr_equal(&t.entries[0].local, &t.path.local));
	CHECK(addr_equal(&t.entries[0].peer, &t.path.peer));
	EQUAL(session_open(&plain), 0);
	frames_pass(t.fd, channel_attach(0), &plain);
	close(t.fd);
	EQUAL(result(kernel_tunnel_delete(t.kernel, TUNNEL, on_done, NULL)), 0);
}

static void case_session(void)
{
	const struct kernel_l2tp_entry *entry = &t.entries[1];
	int fd, channel;

	tunnel_socket("127.0.0.1");
	EQUAL(session_open(&plain), -ENOENT);
	EQUAL(tunnel_create(TUNNEL, PEER_TUNNEL), 0);
	EQUAL(session_open(&plain), 0);
	fd = t.fd;
	channel = channel_attach(0);
	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	EQUAL(option_of(fd, PPPOL2TP_SO_LNSMODE), 1);
	EQUAL(option_of(fd, PPPOL2TP_SO_SENDSEQ), 0);
	EQUAL(option_of(fd, PPPOL2TP_SO_RECVSEQ), 0);
	EQUAL(option_of(fd, PPPOL2TP_SO_REORDERTO), 0);
	EQUAL(session_open(&plain), -EEXIST);
	EQUAL(t.fd, -1);
	frames_pass(fd, channel, &plain);
	EQUAL(dump(), 2);
	EQUAL(entry->is_session, 1);
	EQUAL(entry->version, 2);
	EQUAL(entry->tunnel_id, TUNNEL);
	EQUAL(entry->session_id, 3);
	EQUAL(entry->peer_session_id, 30);
	EQUAL(entry->rx_packets, 1);
	EQUAL(entry->tx_packets, 1);
	EQUAL(result(kernel_session_delete(t.kernel, TUNNEL, 4, on_done, NULL)), -ENOENT);
	EQUAL(result(kernel_session_delete(t.kernel, TUNNEL, 0, on_done, NULL)), -EINVAL);
	EQUAL(result(kernel_session_delete(t.kernel, TUNNEL, 3, on_done, NULL)), 0);
	dump_until(1);
	close(fd);
	EQUAL(session_open(&plain), 0); /* the id is free again */
	kernel_close(t.kernel, t.fd);
	dump_until(1);
	EQUAL(result(kernel_tunnel_delete(t.kernel, TUNNEL, on_done, NULL)), 0);
}

static void case_session_with_sequencing(void)
{
	struct kernel_session session = { TUNNEL, PEER_TUNNEL, 3, 30, 50 };

	tunnel_socket("127.0.0.1");
	EQUAL(tunnel_create(TUNNEL, PEER_TUNNEL), 0);
	EQUAL(session_open(&session), 0);
	EQUAL(option_of(t.fd, PPPOL2TP_SO_LNSMODE), 1);
	EQUAL(option_of(t.fd, PPPOL2TP_SO_SENDSEQ), 0);
	EQUAL(kernel_session_sequence(t.fd), 0);
	EQUAL(option_of(t.fd, PPPOL2TP_SO_SENDSEQ), 1);
	EQUAL(option_of(t.fd, PPPOL2TP_SO_RECVSEQ), 1);
	CHECK(option_of(t.fd, PPPOL2TP_SO_REORDERTO) >= 40); /* kept in jiffies */
	frames_pass(t.fd, channel_attach(0), &session);
	close(t.fd);
	EQUAL(result(kernel_tunnel_delete(t.kernel, TUNNEL, on_done, NULL)), 0);
}

/* Two tunnels of one LAC from one port: sessions of both carry data (Linux 6.11 and later). */
static void case_two_tunnels_on_one_pair_of_addresses(void)
{
	static const struct kernel_session other = { 8, 80, 4, 40, 0 };
	struct net_socket *first;
	int fd, channel, other_fd;

	tunnel_socket("127.0.0.1");
	EQUAL(tunnel_create(TUNNEL, PEER_TUNNEL), 0);
	EQUAL(session_open(&plain), 0);
	fd = t.fd;
	channel = channel_attach(0);
	first = t.socket;
	EQUAL(net_connect(t.net, &t.path, 0, &t.socket), 0);
	EQUAL(tunnel_create(other.tunnel_id, other.peer_tunnel_id), 0);
	EQUAL(session_open(&other), 0);
	other_fd = t.fd;
	EQUAL(dump(), 4);
	frames_pass(other_fd, channel_attach(1), &other);
	frames_pass(fd, channel, &plain);

	/* The new one ends: the old one goes on. */
	close(other_fd);
	EQUAL(result(kernel_tunnel_delete(t.kernel, other.tunnel_id, on_done, NULL)), 0);
	net_socket_close(t.socket);
	dump_until(2);
	frames_pass(fd, channel, &plain);
	close(fd);
	net_socket_close(first);
}

static void case_final_counters(void)
{
	struct unit unit;
	unsigned int i;

	subscriber_online(&unit);
	subscriber_sends(10, 100);
	EQUAL(host_sends("192.0.2.2", 7, 300), 0);
	for (i = 0, sample(unit.ifindex); t.sampled.rx_packets < 10 && i < 100; i++) {
		run_for(ENV_MS(10));
		sample(unit.ifindex);
	}
	counters_equal(&t.sampled, 10, 1000, 7, 2100);
	subscriber_sends(5, 1000);
	EQUAL(host_sends("192.0.2.2", 1, 1400), 0);
	close(t.ppp[1]); /* as when pppd is killed */
	t.ppp[1] = -1;
	run_until(&t.gone, 1);
	EQUAL(t.gone_ifindex, unit.ifindex);
	counters_equal(&t.final, 15, 6000, 8, 3500);
	EQUAL(t.gone, 1);
	subscriber_offline(&unit);
}

static void case_interface(void)
{
	struct addr_prefix prefix;
	struct unit unit;

	subscriber_online(&unit);
	CHECK(!addr_prefix_parse("198.51.100.0/24", &prefix));
	EQUAL(host_sends("198.51.100.1", 1, 100), -ENETUNREACH);
	EQUAL(result(kernel_route_change(t.kernel, true, &prefix, unit.ifindex, 0, on_done, NULL)),
		0);
	EQUAL(host_sends("198.51.100.1", 1, 100), 0);
	sample(unit.ifindex);
	counters_equal(&t.sampled, 0, 0, 1, 100);
	EQUAL(result(kernel_route_change(t.kernel, false, &prefix, unit.ifindex, 0, on_done, NULL)),
		0);
	EQUAL(host_sends("198.51.100.1", 1, 100), -ENETUNREACH);

	CHECK(!addr_prefix_parse("2001:db8:1::/48", &prefix));
	EQUAL(result(kernel_route_change(t.kernel, true, &prefix, unit.ifindex, 0, on_done, NULL)),
		0);
	EQUAL(result(kernel_link_set_group(t.kernel, unit.ifindex, GROUP, "x", on_done, NULL)), 0);
	EQUAL(result(kernel_link_delete_group(t.kernel, GROUP + 1, on_done, NULL)), -ENODEV);
	CHECK(if_nametoindex("ppp0"));
	EQUAL(result(kernel_link_delete_group(t.kernel, GROUP, on_done, NULL)), 0);
	run_until(&t.gone, 1);
	EQUAL(t.gone_ifindex, unit.ifindex);
	EQUAL(result(kernel_link_delete(t.kernel, unit.ifindex, on_done, NULL)), -ENODEV);
	subscriber_offline(&unit);
}

static void case_interface_is_deleted(void)
{
	struct unit unit;

	subscriber_online(&unit);
	EQUAL(result(kernel_link_delete(t.kernel, unit.ifindex, on_done, NULL)), 0);
	run_until(&t.gone, 1);
	EQUAL(t.gone_ifindex, unit.ifindex);
	subscriber_offline(&unit);
}

static const char *refused_part;

static void on_limits(void *ctx, int err, const char *part)
{
	(void)ctx;
	refused_part = part;
	on_done(NULL, err, -1);
}

static int set_limits(uint32_t ifindex, uint64_t down, uint64_t up)
{
	const struct kernel_limits limits = { { .rate = down }, { .rate = up } };

	return result(kernel_limits_set(t.kernel, ifindex, &limits, on_limits, NULL));
}

/* IP packets that this network namespace took in; those of the tunnel itself are among them. */
static unsigned long long packets_in(void)
{
	FILE *file = fopen("/proc/net/snmp", "re");
	unsigned long long count = 0;
	char line[1024];

	CHECK(file);
	while (fgets(line, sizeof(line), file) && !sscanf(line, "Ip: %*u %*u %llu", &count))
		;
	fclose(file);
	return count;
}

/* How many of 300 packets of 1,000 octets pass in each direction. */
static void count_passing(
	const struct unit *unit, unsigned long long *ret_down, unsigned long long *ret_up)
{
	unsigned long long in, before;

	sample(unit->ifindex);
	before = t.sampled.tx_packets;
	(void)host_sends("192.0.2.2", 300, 1000); /* the queue may say that it is full */
	sample(unit->ifindex);
	*ret_down = t.sampled.tx_packets - before;

	before = t.sampled.rx_packets;
	in = packets_in();
	subscriber_sends(300, 1000);
	while (t.sampled.rx_packets < before + 300) {
		run_for(ENV_MS(10));
		sample(unit->ifindex);
	}
	*ret_up = packets_in() - in - 300;
}

/*
 * At 1,000 octets/s, 15,000 pass at once, and then one packet a second: however slow the machine, most of
 * 300 do not.
 */
static void case_limits(void)
{
	const struct kernel_limits huge = { { UINT64_MAX, UINT64_MAX, UINT64_MAX },
		{ UINT64_MAX, UINT64_MAX, UINT64_MAX } };
	const struct kernel_limits bursts = { { 8000, 16000, 20000 }, { 8000, 16000, 20000 } };
	unsigned long long down, up;
	struct unit unit;

	subscriber_online(&unit);
	EQUAL(set_limits(unit.ifindex, 8000, 8000), 0);
	count_passing(&unit, &down, &up);
	printf("limited: %llu to and %llu from the subscriber\n", down, up);
	CHECK(down >= 10 && down < 150);
	CHECK(up >= 10 && up < 150);

	/* Changed, more than once, then one direction after the other removed. */
	EQUAL(result(kernel_limits_set(t.kernel, unit.ifindex, &bursts, on_limits, NULL)), 0);
	EQUAL(result(kernel_limits_set(t.kernel, unit.ifindex, &huge, on_limits, NULL)), 0);
	EQUAL(set_limits(unit.ifindex, 0, 8000), 0);
	count_passing(&unit, &down, &up);
	EQUAL(down, 300);
	CHECK(up >= 10 && up < 150);
	EQUAL(set_limits(unit.ifindex, 1000, 0), 0);
	count_passing(&unit, &down, &up);
	CHECK(down >= 10 && down < 150);
	EQUAL(up, 300);
	EQUAL(set_limits(unit.ifindex, 0, 0), 0);
	EQUAL(set_limits(unit.ifindex, 0, 0), 0); /* there is none any more */
	count_passing(&unit, &down, &up);
	EQUAL(down, 300);
	EQUAL(up, 300);

	EQUAL(set_limits(0, 8000, 8000), -EINVAL);
	EQUAL(set_limits(unit.ifindex + 1, 8000, 8000), -ENODEV);
	EQUAL(set_limits(unit.ifindex + 1, 8000, 0), -ENODEV);
	CHECK(!strcmp(refused_part, "sch_tbf"));
	subscriber_offline(&unit);
}

static void settle(void)
{
	unsigned int i;

	for (i = 0; kernel_pending(t.kernel) && i < 1000; i++)
		run_for(ENV_MS(5));
	EQUAL(kernel_pending(t.kernel), 0);
}

static void on_cancelled(void *ctx, int err, int fd)
{
	(void)ctx;
	fail(__LINE__, "a cancelled job is reported: %d, %d", err, fd);
}

static void on_opened_cancelled(void *ctx, int err, int fd, uint32_t channel)
{
	(void)channel;
	on_cancelled(ctx, err, fd);
}

/* Cancelled at once and later, while queued, running and finished: nothing may stay behind. */
static void case_cancel(void)
{
	struct timespec pause = { 0 };
	struct kernel_job *tunnel, *session;
	unsigned int i;

	tunnel_socket("127.0.0.1");
	for (i = 0; i < 60; i++) {
		tunnel = kernel_tunnel_create(
			t.kernel, net_socket_fd(t.socket), TUNNEL, PEER_TUNNEL, on_cancelled, NULL);
		pause.tv_nsec = i * 50000;
		nanosleep(&pause, NULL); /* the loop does not run: 0 to 3 ms into the job */
		kernel_cancel(tunnel);
		settle();
		dump_until(0);
		/* Older kernels keep a socket for the first tunnel that it carried. */
		net_socket_close(t.socket);
		EQUAL(net_connect(t.net, &t.path, 0, &t.socket), 0);
	}
	EQUAL(tunnel_create(TUNNEL, PEER_TUNNEL), 0);
	for (i = 0; i < 60; i++) {
		session = kernel_session_open(
			t.kernel, net_socket_fd(t.socket), &plain, on_opened_cancelled, NULL);
		pause.tv_nsec = i * 1000000; /* most of the job is a grace period */
		nanosleep(&pause, NULL);
		kernel_cancel(session);
		settle();
		dump_until(1);
	}
	EQUAL(result(kernel_tunnel_delete(t.kernel, TUNNEL, on_done, NULL)), 0);
}

/* Nobody waits for a tunnel before asking for its first session. */
static void case_session_right_after_its_tunnel(void)
{
	tunnel_socket("127.0.0.1");
	for (uint16_t i = 1; i <= 200; i++) /* the thread is busy */
		kernel_tunnel_delete(t.kernel, TUNNEL + i, NULL, NULL);
	kernel_tunnel_create(t.kernel, net_socket_fd(t.socket), TUNNEL, PEER_TUNNEL, NULL, NULL);
	EQUAL(session_open(&plain), 0);
	kernel_close(t.kernel, t.fd);
	EQUAL(result(kernel_tunnel_delete(t.kernel, TUNNEL, on_done, NULL)), 0);
}

static int many_fds[250];
static unsigned int many_done;

static void on_many(void *ctx, int err, int fd, uint32_t channel)
{
	(void)channel;
	EQUAL(err, 0);
	*(int *)ctx = fd;
	many_done++;
	env_ev_stop(t.env);
}

/* A storm of jobs. */
static void case_many_sessions(void)
{
	uint64_t began;
	unsigned int i;

	tunnel_socket("127.0.0.1");
	EQUAL(tunnel_create(TUNNEL, PEER_TUNNEL), 0);
	began = env_now(t.env);
	for (i = 0; i < 250; i++) {
		struct kernel_session session = { TUNNEL, PEER_TUNNEL, (uint16_t)(i + 1),
			(uint16_t)(i + 1), 0 };

		CHECK(kernel_session_open(
			t.kernel, net_socket_fd(t.socket), &session, on_many, &many_fds[i]));
	}
	run_until(&many_done, 250);
	printf("250 sessions in %.1f ms, longest job %.1f ms\n",
		(double)(env_now(t.env) - began) / 1e3, (double)kernel_longest(t.kernel) / 1e3);
	EQUAL(dump(), 251);
	for (i = 0; i < 250; i++)
		kernel_close(t.kernel, many_fds[i]);
	settle();
	dump_until(1);
	EQUAL(result(kernel_tunnel_delete(t.kernel, TUNNEL, on_done, NULL)), 0);
}

/* The end of the module takes back what nobody was told of. */
static void case_end_with_jobs_under_way(void)
{
	static const struct kernel_watch_ops none = { on_link_gone, on_links_lost };

	tunnel_socket("127.0.0.1");
	kernel_tunnel_create(t.kernel, net_socket_fd(t.socket), TUNNEL, PEER_TUNNEL, on_done, NULL);
	kernel_session_open(t.kernel, net_socket_fd(t.socket), &plain, on_opened, NULL);
	kernel_free(t.kernel);
	EQUAL(t.done, 0);
	EQUAL(kernel_new(t.env, &none, NULL, &t.kernel), 0);
	dump_until(0);
}

static const struct {
	const char *name;
	bool interface; /* needs /dev/ppp */
	void (*run)(void);
} cases[] = {
	{ "tunnel", false, case_tunnel },
	{ "tunnel-is-made-again", false, case_tunnel_is_made_again },
	{ "tunnel-ends-with-its-socket", false, case_tunnel_ends_with_its_socket },
	{ "tunnel-over-ipv6", true, case_tunnel_over_ipv6 },
	{ "session", true, case_session },
	{ "session-with-sequencing", true, case_session_with_sequencing },
	{ "two-tunnels-on-one-pair-of-addresses", true, case_two_tunnels_on_one_pair_of_addresses },
	{ "final-counters", true, case_final_counters },
	{ "interface", true, case_interface },
	{ "interface-is-deleted", true, case_interface_is_deleted },
	{ "limits", true, case_limits },
	{ "cancel", false, case_cancel },
	{ "session-right-after-its-tunnel", false, case_session_right_after_its_tunnel },
	{ "many-sessions", false, case_many_sessions },
	{ "end-with-jobs-under-way", false, case_end_with_jobs_under_way },
};

/* --- before and after --- */

/* CAP_NET_ADMIN and nothing else, no user 0, no privilege to be regained. */
static void check_privileges(void)
{
	unsigned long long effective = 0, bounding = 0;
	char line[256];
	FILE *file = fopen("/proc/self/status", "re");

	CHECK(file);
	while (fgets(line, sizeof(line), file)) {
		sscanf(line, "CapEff: %llx", &effective);
		sscanf(line, "CapBnd: %llx", &bounding);
	}
	fclose(file);
	CHECK(geteuid() != 0);
	CHECK(effective == 0x1000 && bounding == 0x1000);
}

static unsigned int count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int count = 0;

	CHECK(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static unsigned int count_interfaces(void)
{
	struct if_nameindex *names = if_nameindex();
	unsigned int count = 0;

	CHECK(names);
	while (names[count].if_index)
		count++;
	if_freenameindex(names);
	return count;
}

static void loopback_up(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0 && !ioctl(fd, SIOCSIFFLAGS, &lo));
	close(fd);
}

static void run_case(void (*run)(void))
{
	static const struct kernel_watch_ops watch = { on_link_gone, on_links_lost };
	unsigned int descriptors = count_descriptors(), interfaces = count_interfaces();
	unsigned int held = (t.ppp[0] >= 0) + (t.ppp[1] >= 0);

	t.lac = -1;
	t.env = env_ev_new();
	CHECK(t.env);
	EQUAL(kernel_new(t.env, &watch, NULL, &t.kernel), 0);
	EQUAL(net_new(t.env, on_input, NULL, &t.net), 0);
	run();
	settle();
	dump_until(0);
	net_free(t.net);
	kernel_free(t.kernel);
	env_ev_free(t.env);
	close(t.lac);
	held -= (t.ppp[0] >= 0) + (t.ppp[1] >= 0);
	EQUAL(count_descriptors(), descriptors - held);
	close(t.ppp[0]);
	close(t.ppp[1]);
	EQUAL(count_interfaces(), interfaces);
}

int main(int argc, char **argv)
{
	size_t i, n = sizeof(cases) / sizeof(cases[0]);

	for (i = 0; i < n && argc > 1; i++)
		if (!strcmp(argv[1], cases[i].name))
			break;
	if (argc == 1) {
		for (i = 0; i < n; i++)
			printf("%s%s\n", cases[i].name, cases[i].interface ? " interface" : "");
		return 0;
	}
	if (i == n || (argc != 2 && argc != 4)) {
		fprintf(stderr, "usage: kernel_check [CASE [FD FD]]\n");
		return 2;
	}
	t.ppp[0] = argc == 4 ? (int)strtol(argv[2], NULL, 10) : -1;
	t.ppp[1] = argc == 4 ? (int)strtol(argv[3], NULL, 10) : -1;
	check_privileges();
	loopback_up();
	run_case(cases[i].run);
	return 0;
}
