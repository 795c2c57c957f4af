/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * das_port: receives and answers with IP_PKTINFO or IPV6_PKTINFO, as a client accepts a reply from the
 * address that it asked, and from no other. An IPv6 socket takes IPv6 alone.
 */
#include "radius/das_port.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_BATCH 32 /* datagrams a turn that need no reply */
#define EVENT_READ 1

struct radius_das_port {
	const struct radius_host *host;
	struct sockaddr_storage addr;
	int fd;
	void *io;
	radius_das_input_fn *input;
	void *ctx;
};

/* Room for the one control message that is asked for. */
union control {
	struct cmsghdr header;
	char v4[CMSG_SPACE(sizeof(struct in_pktinfo))];
	char v6[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

/* Where the datagram arrived; AF_UNSPEC when the kernel does not say. */
static void read_local(struct msghdr *msg, const struct sockaddr_storage *bound,
	struct sockaddr_storage *ret_local)
{
	struct sockaddr_in *in4 = (void *)ret_local;
	struct sockaddr_in6 *in6 = (void *)ret_local;

	memset(ret_local, 0, sizeof(*ret_local));
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			in4->sin_family = AF_INET;
			in4->sin_addr = info.ipi_spec_dst;
			in4->sin_port = ((const struct sockaddr_in *)bound)->sin_port;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			in6->sin6_family = AF_INET6;
			in6->sin6_addr = info.ipi6_addr;
			in6->sin6_port = ((const struct sockaddr_in6 *)bound)->sin6_port;
			in6->sin6_scope_id =
				IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr) ? info.ipi6_ifindex : 0;
		}
	}
}

/* The control message that makes a datagram leave from local. */
static void set_local(
	struct msghdr *msg, union control *control, const struct sockaddr_storage *local)
{
	const struct sockaddr_in *in4 = (const void *)local;
	const struct sockaddr_in6 *in6 = (const void *)local;
	bool is_v4 = local->ss_family == AF_INET;
	struct cmsghdr *c = &control->header;

	memset(control, 0, sizeof(*control));
	msg->msg_control = control;
	msg->msg_controllen = is_v4 ? sizeof(control->v4) : sizeof(control->v6);
	c->cmsg_level = is_v4 ? IPPROTO_IP : IPPROTO_IPV6;
	c->cmsg_type = is_v4 ? IP_PKTINFO : IPV6_PKTINFO;
	if (is_v4) {
		struct in_pktinfo info = { .ipi_spec_dst = in4->sin_addr };

		c->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(c), &info, sizeof(info));
	} else {
		struct in6_pktinfo info = { .ipi6_addr = in6->sin6_addr,
			.ipi6_ifindex = in6->sin6_scope_id };

		c->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(c), &info, sizeof(info));
	}
}

/* A reply that cannot be sent is as good as lost on the way: the client asks again. */
void radius_das_port_send(struct radius_das_port *port, const struct sockaddr_storage *to,
	const struct sockaddr_storage *local, const uint8_t *reply, size_t len)
{
	struct iovec iov = { (uint8_t *)reply, len };
	struct msghdr msg = { .msg_name = (void *)to, .msg_iov = &iov, .msg_iovlen = 1 };
	union control control;

	msg.msg_namelen =
		to->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	if (local->ss_family != AF_UNSPEC)
		set_local(&msg, &control, local);
	(void)sendmsg(port->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Takes one datagram; false when there is none, or when one was answered. */
static bool receive(struct radius_das_port *port)
{
	uint8_t octets[RADIUS_PACKET_MAX], reply[RADIUS_PACKET_MAX];
	struct sockaddr_storage from, local;
	struct iovec iov = { octets, sizeof(octets) };
	union control control;
	struct msghdr msg = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t received = recvmsg(port->fd, &msg, MSG_DONTWAIT);
	size_t len;

	if (received < 0)
		return errno != EAGAIN && errno != EWOULDBLOCK;
	read_local(&msg, &port->addr, &local);
	len = port->input(port->ctx, port, &from, &local, octets, (size_t)received, reply);
	if (!len)
		return true;
	radius_das_port_send(port, &from, &local, reply, len);
	return false;
}

/* What was answered may have meant work: the rest waits for the next turn. */
static void ready(void *arg, int events)
{
	(void)events;
	for (unsigned int i = 0; i < READ_BATCH; i++)
		if (!receive(arg))
			return;
}

/* A bound socket, or -errno. */
static int open_socket(const struct sockaddr_storage *addr)
{
	bool is_v4 = addr->ss_family == AF_INET;
	const int on = 1;
	int fd, err;

	if (!is_v4 && addr->ss_family != AF_INET6)
		return -EAFNOSUPPORT;
	fd = socket(addr->ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (is_v4 ? setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) < 0
		  : setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0 ||
				setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)) < 0)
		goto fail;
	if (bind(fd, (const struct sockaddr *)addr,
		    is_v4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6)) == 0)
		return fd;
fail:
	err = -errno;
	close(fd);
	return err;
}

int radius_das_port_open(const struct radius_host *host, const struct sockaddr_storage *addr,
	radius_das_input_fn *input, void *ctx, struct radius_das_port **ret_port)
{
	struct radius_das_port *port = calloc(1, sizeof(*port));
	int err;

	if (!port)
		return -ENOMEM;
	*port = (struct radius_das_port){ host, *addr, open_socket(addr), NULL, input, ctx };
	err = port->fd < 0 ? port->fd : 0;
	if (!err) {
		port->io = RADIUS_IO(host, port->fd, EVENT_READ, ready, port);
		err = port->io ? 0 : -ENOMEM;
	}
	if (err < 0) {
		radius_das_port_close(port);
		return err;
	}
	*ret_port = port;
	return 0;
}

void radius_das_port_close(struct radius_das_port *port)
{
	if (!port)
		return;
	if (port->io)
		port->host->io_free(port->io);
	if (port->fd >= 0)
		close(port->fd);
	free(port);
}

const struct sockaddr_storage *radius_das_port_addr(const struct radius_das_port *port)
{
	return &port->addr;
}
