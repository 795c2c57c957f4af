/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory runs out anywhere in the life of the sockets: for every n, the n-th allocation fails while
 * listeners are opened and adopted, packets arrive, and tunnels get sockets. No descriptor or watcher is
 * left, what could not be made says -ENOMEM, and what was made works.
 */
#include "lns/net/net.h"
#include "tests/unit/env_fake.h"
#include "tests/unit/fds.h"
#include "tests/unit/netns.h"
#include "tests/unit/short_memory.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static struct net *net;
static unsigned int heard, connected;

/* Whether it was made; if not, memory was short. */
static bool made(int err)
{
	cr_assert(!err || err == -ENOMEM, "%d", err);
	return !err;
}

/* Every packet opens a tunnel, which a later engine takes over. */
static void input(void *ctx, const struct l2tp_path *path, const uint8_t *packet, size_t len)
{
	struct net_socket *socket;
	int copy;

	(void)ctx;
	(void)packet;
	(void)len;
	heard++;
	if (!made(net_connect(net, path, 0, &socket)))
		return;
	copy = dup(net_socket_fd(socket));
	net_socket_close(socket);
	if (made(net_connect_fd(net, copy, &socket)))
		connected++;
	else
		close(copy);
}

static struct net_socket *open_listener(const union addr *addr)
{
	struct net_socket *socket;
	int copy;

	if (!made(net_listen(net, addr, NULL, &socket)))
		return NULL;
	copy = dup(net_socket_fd(socket));
	net_socket_close(socket);
	if (made(net_listen_fd(net, copy, &socket)))
		return socket;
	close(copy);
	return NULL;
}

static void serve(struct env *env, int peer)
{
	union addr addr;
	bool listening;

	cr_assert_eq(addr_parse("127.0.0.1", 1701, &addr), 0);
	listening = open_listener(&addr);
	cr_assert_eq(sendto(peer, "x", 1, 0, &addr.sa, addr_len(&addr)), 1);
	env_fake_poll(env, 0);
	cr_assert_eq(heard, listening);
}

static void live(unsigned int n)
{
	int before = open_fds(), peer = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct env *env = env_fake_new();
	bool open;

	heard = connected = 0;
	short_memory_arm(true);
	open = made(net_new(env, input, NULL, &net));
	if (open)
		serve(env, peer);
	short_memory_arm(false);
	if (open)
		net_free(net);
	close(peer);
	cr_assert_eq(open_fds(), before, "allocation %u", n);
	env_fake_free(env);
}

Test(alloc, nothing_is_left_behind, .init = netns_enter)
{
	cr_assert_gt(short_memory_everywhere(live), 8);
	cr_assert_eq(connected, 1);
}
