/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * listener: sockets that hear every peer, and the sending of packets.
 *
 * A listener is told the destination of each datagram (IP_PKTINFO, IPV6_RECVPKTINFO) and names it as the
 * source of the answer. The interface is left to the routing table (index 0): the way back need not be
 * the way the request came, and naming the wrong one fails with ENODEV.
 */
#include "lns/net/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define L2TP_PORT 1701

static int pktinfo_enable(int fd, int family)
{
	int on = 1, err;

	err = family == AF_INET ? setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on))
				: setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	return err ? -errno : 0;
}

int net_listen(
	struct net *net, const union addr *addr, const char *device, struct net_socket **ret_socket)
{
	union addr local = *addr;
	int fd, err;

	if (device && strlen(device) >= IF_NAMESIZE)
		return -ENODEV;
	if (!addr_port(&local))
		addr_set_port(&local, L2TP_PORT);
	fd = net_socket_bind(&local, device ? device : "", NET_RCV_LISTEN);
	if (fd < 0)
		return fd;
	err = pktinfo_enable(fd, local.sa.sa_family);
	if (!err)
		err = net_socket_adopt(net, fd, true, ret_socket);
	if (err)
		close(fd);
	return err;
}

int net_listen_fd(struct net *net, int fd, struct net_socket **ret_socket)
{
	int family, type, flags = fcntl(fd, F_GETFL), err;
	socklen_t len = sizeof(int);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
		getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len) ||
		getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len))
		return -errno;
	if (type != SOCK_DGRAM || (family != AF_INET && family != AF_INET6))
		return -EINVAL;
	err = pktinfo_enable(fd, family);
	return err ? err : net_socket_adopt(net, fd, true, ret_socket);
}

static bool addr_is_any(const union addr *addr)
{
	return addr->sa.sa_family == AF_INET ? addr->in4.sin_addr.s_addr == htonl(INADDR_ANY)
					     : IN6_IS_ADDR_UNSPECIFIED(&addr->in6.sin6_addr);
}

/* Whether a packet from local may leave through the listener. */
static bool listener_covers(const struct net_socket *socket, const union addr *local)
{
	if (!socket->listener || socket->local.sa.sa_family != local->sa.sa_family ||
		addr_port(&socket->local) != addr_port(local))
		return false;
	return addr_is_any(&socket->local) || addr_equal_host(&socket->local, local);
}

/* The socket that may send on path; NULL when there is none. */
static struct net_socket *socket_choose(const struct net *net, const struct l2tp_path *path)
{
	struct net_socket *socket = net_socket_find(net, path->socket);
	unsigned int i;

	if (socket && (listener_covers(socket, &path->local) ||
			      (addr_equal(&socket->local, &path->local) &&
				      addr_equal(&socket->peer, &path->peer))))
		return socket;
	for (i = 0; i < NET_BUCKETS; i++)
		for (socket = net->buckets[i]; socket; socket = socket->next)
			if (listener_covers(socket, &path->local))
				return socket;
	return NULL;
}

union control {
	struct cmsghdr align;
	char in4[CMSG_SPACE(sizeof(struct in_pktinfo))];
	char in6[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

/* Names path->local as the source of the message. */
static void source_put(struct msghdr *msg, union control *control, const union addr *local)
{
	struct in_pktinfo in4 = { 0 };
	struct in6_pktinfo in6 = { 0 };
	bool v4 = local->sa.sa_family == AF_INET;
	struct cmsghdr *cmsg;

	memset(control, 0, sizeof(*control));
	msg->msg_control = control;
	msg->msg_controllen = v4 ? sizeof(control->in4) : sizeof(control->in6);
	cmsg = CMSG_FIRSTHDR(msg);
	cmsg->cmsg_level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
	cmsg->cmsg_type = v4 ? IP_PKTINFO : IPV6_PKTINFO;
	cmsg->cmsg_len = v4 ? CMSG_LEN(sizeof(in4)) : CMSG_LEN(sizeof(in6));
	if (v4) {
		in4.ipi_spec_dst = local->in4.sin_addr;
		memcpy(CMSG_DATA(cmsg), &in4, sizeof(in4));
	} else {
		in6.ipi6_addr = local->in6.sin6_addr;
		memcpy(CMSG_DATA(cmsg), &in6, sizeof(in6));
	}
}

void net_send(struct net *net, const struct l2tp_path *path, const uint8_t *packet, size_t len)
{
	union addr peer = path->peer;
	struct iovec iov = { (void *)packet, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct net_socket *socket = socket_choose(net, path);
	union control control;
	ssize_t sent;

	if (!socket) {
		net->counters.send_errors++;
		return;
	}
	/*
	 * The peer is named on a connected socket, too. Without a name sendmsg takes the route that the
	 * socket remembers, and so does the kernel's L2TP with its data packets, under another lock: when
	 * routes change, both may give up the same reference.
	 */
	msg.msg_name = &peer;
	msg.msg_namelen = addr_len(&peer);
	if (socket->listener)
		source_put(&msg, &control, &path->local);
	sent = sendmsg(socket->fd, &msg, MSG_NOSIGNAL);
	/* A connected socket reports the ICMP error of an earlier packet instead of sending this one. */
	if (sent < 0 && (errno == ECONNREFUSED || errno == EINTR))
		sent = sendmsg(socket->fd, &msg, MSG_NOSIGNAL);
	if (sent < 0)
		net->counters.send_errors++;
}
