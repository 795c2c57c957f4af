/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watch: the multicast group RTNLGRP_LINK, read by the loop.
 *
 * The last counters of an interface, however it ended, are in its RTM_DELLINK message and nowhere else
 * afterwards. So the receive buffer is large, a socket filter drops every message that is not an
 * RTM_DELLINK before it takes room there (each interface that comes up sends several others), and a
 * loss (ENOBUFS) is reported at once.
 *
 * A bounded number of messages is read a turn; the socket stays readable for the rest.
 */
#include "lns/kernel/watch.h"

#include "lns/env.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define WATCH_TURN   128
#define WATCH_BUFFER (32 << 20) /* octets; a message takes about 4 kB of it */

struct kernel_watch {
	const struct kernel_watch_ops *ops;
	void *ctx;
	struct nl_sock *sock;
	struct env_io *io;
	_Alignas(NLMSG_ALIGNTO) uint8_t message[32768];
};

/* The widest form of counters in the message; false when it has none. */
static bool link_counters(struct nlmsghdr *header, struct kernel_counters *ret_counters)
{
	struct nlattr *attrs[IFLA_MAX + 1];
	struct rtnl_link_stats64 wide = { 0 };
	struct rtnl_link_stats narrow = { 0 };

	if (nlmsg_parse(header, sizeof(struct ifinfomsg), attrs, IFLA_MAX, NULL) < 0)
		return false;
	if (attrs[IFLA_STATS64]) {
		nla_memcpy(&wide, attrs[IFLA_STATS64], sizeof(wide));
		*ret_counters = (struct kernel_counters){ wide.rx_bytes, wide.tx_bytes,
			wide.rx_packets, wide.tx_packets };
	} else if (attrs[IFLA_STATS]) {
		nla_memcpy(&narrow, attrs[IFLA_STATS], sizeof(narrow));
		*ret_counters = (struct kernel_counters){ narrow.rx_bytes, narrow.tx_bytes,
			narrow.rx_packets, narrow.tx_packets };
	} else {
		return false;
	}
	return true;
}

static void watch_handle(struct kernel_watch *watch, struct nlmsghdr *header)
{
	struct kernel_counters counters;
	struct ifinfomsg *link = nlmsg_data(header);

	/* A port that leaves its bridge sends RTM_DELLINK too, with family AF_BRIDGE. */
	if (header->nlmsg_type != RTM_DELLINK || !nlmsg_valid_hdr(header, sizeof(*link)) ||
		link->ifi_family != AF_UNSPEC || link->ifi_index <= 0)
		return;
	watch->ops->link_gone(watch->ctx, (uint32_t)link->ifi_index,
		link_counters(header, &counters) ? &counters : NULL);
}

/* Reads one datagram: its length, 0 for one that is not the kernel's or was cut, or -errno. */
static ssize_t watch_receive(struct kernel_watch *watch)
{
	struct sockaddr_nl from = { 0 };
	struct iovec iov = { watch->message, sizeof(watch->message) };
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1
	};
	ssize_t len;

	do
		len = recvmsg(nl_socket_get_fd(watch->sock), &msg, MSG_DONTWAIT);
	while (len < 0 && errno == EINTR);
	if (len < 0)
		return -errno;
	return from.nl_pid || (msg.msg_flags & MSG_TRUNC) ? 0 : len;
}

static void on_readable(void *ctx, int events)
{
	struct kernel_watch *watch = ctx;
	struct nlmsghdr *header;
	unsigned int turn;
	ssize_t received;
	int len;

	(void)events;
	for (turn = 0; turn < WATCH_TURN; turn++) {
		received = watch_receive(watch);
		if (received == -EAGAIN)
			return;
		if (received < 0) {
			watch->ops->links_lost(watch->ctx);
			continue;
		}
		header = (struct nlmsghdr *)watch->message;
		for (len = (int)received; nlmsg_ok(header, len); header = nlmsg_next(header, &len))
			watch_handle(watch, header);
	}
}

/* Lets RTM_DELLINK through; classic BPF loads in network byte order. */
static int watch_filter(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELLINK), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = { .len = 4, .filter = code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) ? -errno : 0;
}

static int watch_open(struct kernel_watch *watch)
{
	int size = WATCH_BUFFER, fd, err;

	watch->sock = nl_socket_alloc();
	if (!watch->sock)
		return -ENOMEM;
	if (nl_connect(watch->sock, NETLINK_ROUTE) < 0)
		return -EIO;
	fd = nl_socket_get_fd(watch->sock);
	/* Beyond the limit of the system with CAP_NET_ADMIN, up to it without. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	err = watch_filter(fd);
	if (err)
		return err;
	return nl_socket_add_membership(watch->sock, RTNLGRP_LINK) < 0 ? -EIO : 0;
}

int kernel_watch_new(struct env *env, const struct kernel_watch_ops *ops, void *ctx,
	struct kernel_watch **ret_watch)
{
	struct kernel_watch *watch = calloc(1, sizeof(*watch));
	int err;

	if (!watch)
		return -ENOMEM;
	watch->ops = ops;
	watch->ctx = ctx;
	err = watch_open(watch);
	if (err)
		goto fail;
	watch->io = env_io_new(env, kernel_watch_fd(watch), ENV_READ, on_readable, watch);
	if (!watch->io) {
		err = -ENOMEM;
		goto fail;
	}
	*ret_watch = watch;
	return 0;
fail:
	kernel_watch_free(watch);
	return err;
}

void kernel_watch_free(struct kernel_watch *watch)
{
	if (!watch)
		return;
	env_io_free(watch->io);
	nl_socket_free(watch->sock);
	free(watch);
}

int kernel_watch_fd(const struct kernel_watch *watch)
{
	return nl_socket_get_fd(watch->sock);
}
