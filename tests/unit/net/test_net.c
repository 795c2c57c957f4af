/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sockets of L2TP on loopback, in a network namespace of the test's own: addresses of answers, the
 * ways in which a message arrives at another tunnel's socket, budgets, and what a callback may do.
 */
#include "lns/net/internal.h"
#include "tests/unit/env_fake.h"
#include "tests/unit/netns.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MAX_INPUT 1024

/* A network, and what its input function was given. */
static struct {
	struct env *env;
	struct net *net;
	unsigned int count;
	struct {
		struct l2tp_path path;
		size_t len;
		uint8_t first; /* octet of the packet */
	} got[MAX_INPUT];
	struct net_socket *close_at_first; /* closed by the first input */
} t;

static void input(void *ctx, const struct l2tp_path *path, const uint8_t *packet, size_t len)
{
	cr_assert_eq(ctx, &t);
	cr_assert_lt(t.count, MAX_INPUT);
	t.got[t.count].path = *path;
	t.got[t.count].len = len;
	t.got[t.count].first = len ? packet[0] : 0;
	t.count++;
	if (t.close_at_first) {
		net_socket_close(t.close_at_first);
		t.close_at_first = NULL;
	}
}

static void setup(void)
{
	netns_enter();
	t.env = env_fake_new();
	cr_assert_eq(net_new(t.env, input, &t, &t.net), 0);
}

static void teardown(void)
{
	if (!t.net)
		return;
	net_free(t.net);
	env_fake_free(t.env); /* fails when a watcher is left */
}

TestSuite(net, .init = setup, .fini = teardown);

static union addr at(const char *host, uint16_t port)
{
	union addr addr;

	cr_assert_eq(addr_parse(host, port, &addr), 0, "%s", host);
	return addr;
}

static struct net_socket *listen_at(const char *host)
{
	union addr addr = at(host, 0);
	struct net_socket *socket = NULL;

	cr_assert_eq(net_listen(t.net, &addr, NULL, &socket), 0);
	return socket;
}

/* A peer's socket, bound to host:port and connected: hears answers from that address only. */
static int peer_open(const char *host, uint16_t port, const char *to)
{
	union addr local = at(host, port), remote = at(to, 1701);
	int on = 1, fd = socket(local.sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	cr_assert_geq(fd, 0);
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	cr_assert_eq(bind(fd, &local.sa, addr_len(&local)), 0);
	cr_assert_eq(connect(fd, &remote.sa, addr_len(&remote)), 0);
	return fd;
}

static void peer_send(int fd, uint8_t first)
{
	uint8_t packet[20] = { first };

	cr_assert_eq(send(fd, packet, sizeof(packet), 0), (ssize_t)sizeof(packet));
}

/* The first octet of the next packet that the peer has got, or -1. */
static int peer_receive(int fd)
{
	uint8_t packet[100];
	ssize_t len = recv(fd, packet, sizeof(packet), 0);

	return len > 0 ? packet[0] : -1;
}

static void poll_all(void)
{
	while (env_fake_poll(t.env, 0) > 0)
		;
}

static void assert_path(unsigned int i, const char *local, uint16_t local_port, const char *peer,
	uint16_t peer_port)
{
	union addr want_local = at(local, local_port), want_peer = at(peer, peer_port);
	char got[ADDR_TEXT], want[ADDR_TEXT];

	cr_assert_lt(i, t.count, "only %u datagrams", t.count);
	cr_assert(addr_equal(&t.got[i].path.local, &want_local), "local is %s, not %s",
		addr_text(&t.got[i].path.local, got), addr_text(&want_local, want));
	cr_assert(addr_equal(&t.got[i].path.peer, &want_peer), "peer is %s, not %s",
		addr_text(&t.got[i].path.peer, got), addr_text(&want_peer, want));
}

static void answer(const struct l2tp_path *path, uint8_t first)
{
	uint8_t packet[12] = { first };

	net_send(t.net, path, packet, sizeof(packet));
}

/* The tunnel socket for what arrived as datagram i. */
static struct net_socket *connect_for(unsigned int i, int own_port)
{
	struct net_socket *socket = NULL;

	cr_assert_eq(net_connect(t.net, &t.got[i].path, own_port, &socket), 0);
	return socket;
}

Test(net, answers_from_the_address_that_was_asked)
{
	struct net_socket *listener = listen_at("0.0.0.0");
	int two = peer_open("127.0.0.9", 5000, "127.0.0.2");
	int three = peer_open("127.0.0.9", 5000, "127.0.0.3");

	peer_send(two, 2);
	peer_send(three, 3);
	poll_all();
	cr_assert_eq(t.count, 2);
	assert_path(0, "127.0.0.2", 1701, "127.0.0.9", 5000);
	assert_path(1, "127.0.0.3", 1701, "127.0.0.9", 5000);
	cr_assert_eq(t.got[0].path.socket, listener);
	answer(&t.got[0].path, 22);
	answer(&t.got[1].path, 33);
	cr_assert_eq(peer_receive(two), 22);
	cr_assert_eq(peer_receive(three), 33);
	cr_assert_eq(net_get_counters(t.net)->send_errors, 0);
}

Test(net, answers_from_the_ipv6_address_that_was_asked)
{
	int two, three;

	netns_add_ipv6("fd00::2");
	netns_add_ipv6("fd00::3");
	listen_at("0.0.0.0"); /* fails below unless the other one is IPv6 only */
	listen_at("::");
	two = peer_open("::1", 5000, "fd00::2");
	three = peer_open("::1", 5000, "fd00::3");
	peer_send(two, 2);
	peer_send(three, 3);
	poll_all();
	cr_assert_eq(t.count, 2);
	assert_path(0, "fd00::2", 1701, "::1", 5000);
	assert_path(1, "fd00::3", 1701, "::1", 5000);
	answer(&t.got[0].path, 22);
	answer(&t.got[1].path, 33);
	cr_assert_eq(peer_receive(two), 22);
	cr_assert_eq(peer_receive(three), 33);
}

Test(net, ipv6_listener_hears_no_ipv4)
{
	int peer = peer_open("127.0.0.9", 5000, "127.0.0.1");

	listen_at("::");
	peer_send(peer, 1);
	poll_all();
	cr_assert_eq(t.count, 0);
}

Test(net, tunnel_socket_talks_to_its_peer)
{
	struct net_socket *tunnel;
	struct l2tp_path path;
	union addr local;
	int peer = peer_open("127.0.0.9", 5000, "127.0.0.2");

	listen_at("0.0.0.0");
	peer_send(peer, 1);
	poll_all();
	tunnel = connect_for(0, 0);
	net_socket_local(tunnel, &local);
	cr_assert(addr_equal(&local, &t.got[0].path.local));
	cr_assert_eq(fcntl(net_socket_fd(tunnel), F_GETFD), FD_CLOEXEC);
	cr_assert(fcntl(net_socket_fd(tunnel), F_GETFL) & O_NONBLOCK);

	peer_send(peer, 2);
	poll_all();
	cr_assert_eq(t.count, 2);
	assert_path(1, "127.0.0.2", 1701, "127.0.0.9", 5000);
	cr_assert_eq(t.got[1].path.socket, tunnel);
	path = t.got[1].path;
	answer(&path, 9);
	cr_assert_eq(peer_receive(peer), 9);
}

Test(net, tunnel_may_have_a_port_of_its_own)
{
	struct net_socket *tunnel;
	struct l2tp_path path;
	union addr from;
	socklen_t len = sizeof(from);
	uint8_t packet[100];
	int peer = peer_open("127.0.0.9", 5000, "127.0.0.2");
	int other = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	union addr here = at("127.0.0.9", 5001);

	cr_assert_eq(bind(other, &here.sa, addr_len(&here)), 0);
	listen_at("0.0.0.0");
	peer_send(peer, 1);
	poll_all();
	path = t.got[0].path;
	path.peer = here;
	cr_assert_eq(net_connect(t.net, &path, 1, &tunnel), 0);
	net_socket_local(tunnel, &path.local);
	cr_assert_neq(addr_port(&path.local), 1701);
	cr_assert_neq(addr_port(&path.local), 0);
	path.socket = tunnel;
	answer(&path, 7);
	cr_assert_eq(recvfrom(other, packet, sizeof(packet), 0, &from.sa, &len), 12);
	cr_assert(addr_equal(&from, &path.local));
	cr_assert_eq(sendto(other, packet, 12, 0, &from.sa, len), 12);
	poll_all();
	cr_assert_eq(t.count, 2);
	cr_assert_eq(t.got[1].path.socket, tunnel);
	cr_assert(addr_equal(&t.got[1].path.local, &path.local));
}

/* Trap 1: a rebooted LAC's SCCRQ comes to the socket of the tunnel that it has forgotten. */
Test(net, second_request_from_one_address_arrives_on_the_tunnel_socket)
{
	struct net_socket *tunnel;
	int peer = peer_open("127.0.0.9", 1701, "127.0.0.1");

	listen_at("0.0.0.0");
	peer_send(peer, 1);
	poll_all();
	tunnel = connect_for(0, 0);
	close(peer);
	peer = peer_open("127.0.0.9", 1701, "127.0.0.1");
	peer_send(peer, 2);
	poll_all();
	cr_assert_eq(t.count, 2);
	cr_assert_eq(t.got[1].path.socket, tunnel);
	assert_path(1, "127.0.0.1", 1701, "127.0.0.9", 1701);
	answer(&t.got[1].path, 5);
	cr_assert_eq(peer_receive(peer), 5);
}

/* Trap 2: of two sockets on one pair of addresses the newest receives everything. */
Test(net, newest_socket_on_a_pair_of_addresses_hears_both_tunnels)
{
	struct net_socket *first, *second;
	int peer = peer_open("127.0.0.9", 1701, "127.0.0.1");

	listen_at("0.0.0.0");
	peer_send(peer, 1);
	poll_all();
	first = connect_for(0, 0);
	second = connect_for(0, 0);
	peer_send(peer, 2);
	peer_send(peer, 3);
	poll_all();
	cr_assert_eq(t.count, 3);
	cr_assert_eq(t.got[1].path.socket, second);
	cr_assert_eq(t.got[2].path.socket, second);
	net_socket_close(second);
	peer_send(peer, 4);
	poll_all();
	cr_assert_eq(t.count, 4);
	cr_assert_eq(t.got[3].path.socket, first);
}

/* Trap 3: between bind and connect the new socket takes what is meant for the listener. */
Test(net, fresh_socket_is_drained_through_the_input_function)
{
	union addr local = at("127.0.0.1", 1701), remote = at("127.0.0.9", 5000);
	int other = peer_open("127.0.0.8", 6000, "127.0.0.1"), fd;
	struct net_socket *tunnel;

	listen_at("0.0.0.0");
	fd = net_socket_bind(&local, "", NET_RCV_TUNNEL);
	cr_assert_geq(fd, 0);
	peer_send(other, 8);
	cr_assert_eq(connect(fd, &remote.sa, addr_len(&remote)), 0);
	cr_assert_eq(net_connect_fd(t.net, fd, &tunnel), 0);
	cr_assert_eq(t.count, 0, "nothing but from the loop");
	poll_all();
	cr_assert_eq(t.count, 1);
	assert_path(0, "127.0.0.1", 1701, "127.0.0.8", 6000);
	cr_assert_eq(t.got[0].path.socket, tunnel);
	/* The answer must go to the one who asked, not to the peer of the socket. */
	answer(&t.got[0].path, 88);
	cr_assert_eq(peer_receive(other), 88);
	peer_send(other, 9);
	poll_all();
	assert_path(1, "127.0.0.1", 1701, "127.0.0.8", 6000);
	cr_assert_neq(t.got[1].path.socket, tunnel);
}

Test(net, one_turn_is_bounded_and_nothing_is_lost)
{
	int peer = peer_open("127.0.0.9", 5000, "127.0.0.1");
	unsigned int i;

	listen_at("127.0.0.1");
	for (i = 0; i < 3 * NET_TURN + 5; i++)
		peer_send(peer, (uint8_t)i);
	cr_assert_eq(env_fake_poll(t.env, 0), 1);
	cr_assert_eq(t.count, NET_TURN);
	poll_all();
	cr_assert_eq(t.count, 3 * NET_TURN + 5);
	for (i = 0; i < t.count; i++)
		cr_assert_eq(t.got[i].first, (uint8_t)i);
}

Test(net, callback_may_close_the_socket_of_its_batch)
{
	struct net_socket *tunnel;
	int peer = peer_open("127.0.0.9", 5000, "127.0.0.1");

	listen_at("0.0.0.0");
	peer_send(peer, 1);
	poll_all();
	tunnel = connect_for(0, 0);
	peer_send(peer, 2);
	peer_send(peer, 3);
	peer_send(peer, 4);
	t.close_at_first = tunnel;
	poll_all();
	cr_assert_eq(t.count, 4);
	cr_assert_eq(t.got[1].path.socket, tunnel);
	cr_assert_null(t.got[2].path.socket);
	cr_assert_null(t.got[3].path.socket);
	assert_path(3, "127.0.0.1", 1701, "127.0.0.9", 5000);
	answer(&t.got[3].path, 44); /* through the listener */
	cr_assert_eq(peer_receive(peer), 44);
}

Test(net, path_of_a_closed_socket_is_sent_through_a_listener)
{
	struct net_socket *tunnel;
	struct l2tp_path path;
	int peer = peer_open("127.0.0.9", 5000, "127.0.0.2");

	listen_at("127.0.0.1"); /* not the one: wrong address */
	listen_at("127.0.0.2");
	peer_send(peer, 1);
	poll_all();
	tunnel = connect_for(0, 0);
	path = t.got[0].path;
	path.socket = tunnel;
	net_socket_close(tunnel);
	answer(&path, 6);
	cr_assert_eq(peer_receive(peer), 6);
	cr_assert_eq(net_get_counters(t.net)->send_errors, 0);
}

Test(net, sending_without_a_way_is_counted)
{
	struct l2tp_path path = { .local = at("127.0.0.1", 1701), .peer = at("127.0.0.9", 5000) };

	answer(&path, 1);
	cr_assert_eq(net_get_counters(t.net)->send_errors, 1);
	listen_at("0.0.0.0");
	path.peer = at("192.0.2.1", 1701); /* no route in this namespace */
	answer(&path, 1);
	cr_assert_eq(net_get_counters(t.net)->send_errors, 2);
}

Test(net, refused_packet_does_not_cost_the_next_one)
{
	struct net_socket *tunnel;
	struct l2tp_path path;
	int peer = peer_open("127.0.0.9", 5000, "127.0.0.2");

	listen_at("0.0.0.0");
	peer_send(peer, 1);
	poll_all();
	tunnel = connect_for(0, 0);
	path = t.got[0].path;
	path.socket = tunnel;
	close(peer);
	answer(&path, 1); /* the peer's host refuses it */
	peer = peer_open("127.0.0.9", 5000, "127.0.0.2");
	answer(&path, 2);
	cr_assert_eq(peer_receive(peer), 2);
	cr_assert_eq(net_get_counters(t.net)->send_errors, 0);

	close(peer);
	answer(&path, 3);
	poll_all(); /* the error is read, counted, and over */
	cr_assert_eq(net_get_counters(t.net)->receive_errors, 1);
	cr_assert_eq(env_fake_poll(t.env, 0), 0);
}

Test(net, overlong_datagrams_are_dropped_and_counted)
{
	static uint8_t packet[NET_DATAGRAM_MAX + 1];
	int peer = peer_open("127.0.0.9", 5000, "127.0.0.1");

	listen_at("0.0.0.0");
	cr_assert_gt(send(peer, packet, NET_DATAGRAM_MAX + 1, 0), 0);
	cr_assert_gt(send(peer, packet, NET_DATAGRAM_MAX, 0), 0);
	cr_assert_eq(send(peer, packet, 0, 0), 0);
	poll_all();
	cr_assert_eq(t.count, 2);
	cr_assert_eq(t.got[0].len, NET_DATAGRAM_MAX);
	cr_assert_eq(t.got[1].len, 0);
	cr_assert_eq(net_get_counters(t.net)->truncated, 1);
}

Test(net, device_is_inherited_by_tunnel_sockets)
{
	union addr addr = at("0.0.0.0", 0);
	struct net_socket *tunnel;
	char device[IF_NAMESIZE] = "";
	socklen_t len = sizeof(device);
	int peer = peer_open("127.0.0.9", 5000, "127.0.0.1");

	cr_assert_eq(net_listen(t.net, &addr, "nosuchdevice", NULL), -ENODEV);
	cr_assert_eq(net_listen(t.net, &addr, "a-name-that-is-too-long", NULL), -ENODEV);
	cr_assert_eq(net_listen(t.net, &addr, "lo", NULL), 0);
	peer_send(peer, 1);
	poll_all();
	tunnel = connect_for(0, 0);
	cr_assert_eq(
		getsockopt(net_socket_fd(tunnel), SOL_SOCKET, SO_BINDTODEVICE, device, &len), 0);
	cr_assert_str_eq(device, "lo");
}

Test(net, descriptors_of_an_earlier_engine_are_adopted)
{
	struct net_socket *listener = listen_at("0.0.0.0"), *adopted, *tunnel;
	int peer = peer_open("127.0.0.9", 5000, "127.0.0.2");
	int copy = dup(net_socket_fd(listener)), tunnel_copy, file = open("/dev/null", O_RDWR);

	cr_assert_eq(net_connect_fd(t.net, copy, &adopted), -ENOTCONN);
	net_socket_close(listener);
	cr_assert_eq(net_listen_fd(t.net, file, NULL), -ENOTSOCK);
	cr_assert_eq(net_listen_fd(t.net, copy, &adopted), 0);
	peer_send(peer, 1);
	poll_all();
	cr_assert_eq(t.got[0].path.socket, adopted);
	assert_path(0, "127.0.0.2", 1701, "127.0.0.9", 5000);

	tunnel = connect_for(0, 0);
	tunnel_copy = dup(net_socket_fd(tunnel));
	net_socket_close(tunnel);
	cr_assert_eq(net_connect_fd(t.net, tunnel_copy, &tunnel), 0);
	peer_send(peer, 2);
	poll_all();
	cr_assert_eq(t.got[1].path.socket, tunnel);
	answer(&t.got[1].path, 3);
	cr_assert_eq(peer_receive(peer), 3);
}

Test(net, receive_buffers_are_large)
{
	int size = 0;
	socklen_t len = sizeof(size);

	if (geteuid())
		cr_skip_test("needs CAP_NET_ADMIN");
	cr_assert_eq(
		getsockopt(net_socket_fd(listen_at("0.0.0.0")), SOL_SOCKET, SO_RCVBUF, &size, &len),
		0);
	cr_assert_geq(size, NET_RCV_LISTEN);
}
