/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * receive: datagrams of any socket to the one input function, in batches, a bounded number a turn.
 *
 * The callback may close any socket, also the one whose batch is under way: what is left of the batch
 * may concern other tunnels, so it is delivered all the same, without a socket to answer on.
 */
#include "lns/net/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Room for the larger of the two kinds of packet information. */
#define CONTROL_SIZE CMSG_SPACE(sizeof(struct in6_pktinfo))

struct net_batch {
	struct mmsghdr messages[NET_BATCH];
	struct iovec iov[NET_BATCH];
	struct sockaddr_storage names[NET_BATCH];
	_Alignas(struct cmsghdr) char control[NET_BATCH][CONTROL_SIZE];
	uint8_t packets[NET_BATCH][NET_DATAGRAM_MAX];
};

struct net_batch *net_batch_new(void)
{
	struct net_batch *batch = calloc(1, sizeof(*batch));
	unsigned int i;

	if (!batch)
		return NULL;
	for (i = 0; i < NET_BATCH; i++) {
		batch->iov[i] = (struct iovec){ batch->packets[i], NET_DATAGRAM_MAX };
		batch->messages[i].msg_hdr.msg_iov = &batch->iov[i];
		batch->messages[i].msg_hdr.msg_iovlen = 1;
		batch->messages[i].msg_hdr.msg_name = &batch->names[i];
		batch->messages[i].msg_hdr.msg_control = batch->control[i];
	}
	return batch;
}

/* One system call. How many datagrams are in the batch, or -errno. */
static int batch_receive(struct net_batch *batch, int fd)
{
	unsigned int i;
	int count;

	for (i = 0; i < NET_BATCH; i++) {
		batch->messages[i].msg_hdr.msg_namelen = sizeof(batch->names[i]);
		batch->messages[i].msg_hdr.msg_controllen = CONTROL_SIZE;
	}
	count = recvmmsg(fd, batch->messages, NET_BATCH, MSG_DONTWAIT, NULL);
	return count < 0 ? -errno : count;
}

/*
 * The destination of a datagram: the socket's own address, with the host that the packet information
 * names where there is some. ipi_spec_dst is one of our addresses even for a broadcast; a link-local
 * address keeps its interface.
 */
static void destination_read(struct msghdr *msg, const union addr *bound, union addr *ret)
{
	struct cmsghdr *cmsg;
	struct in_pktinfo in4;
	struct in6_pktinfo in6;

	*ret = *bound;
	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_level == IPPROTO_IP && cmsg->cmsg_type == IP_PKTINFO &&
			ret->sa.sa_family == AF_INET) {
			memcpy(&in4, CMSG_DATA(cmsg), sizeof(in4));
			ret->in4.sin_addr = in4.ipi_spec_dst;
		} else if (cmsg->cmsg_level == IPPROTO_IPV6 && cmsg->cmsg_type == IPV6_PKTINFO &&
			   ret->sa.sa_family == AF_INET6) {
			memcpy(&in6, CMSG_DATA(cmsg), sizeof(in6));
			ret->in6.sin6_addr = in6.ipi6_addr;
			if (IN6_IS_ADDR_LINKLOCAL(&in6.ipi6_addr))
				ret->in6.sin6_scope_id = in6.ipi6_ifindex;
		}
	}
}

static void datagram_deliver(
	struct net *net, const union addr *bound, struct mmsghdr *message, const uint8_t *packet)
{
	struct msghdr *msg = &message->msg_hdr;
	struct l2tp_path path = { .socket = net->receiving };

	if (msg->msg_flags & MSG_TRUNC) {
		net->counters.truncated++;
		return;
	}
	if (addr_from_sockaddr(msg->msg_name, msg->msg_namelen, &path.peer)) {
		net->counters.receive_errors++;
		return;
	}
	destination_read(msg, bound, &path.local);
	net->input(net->ctx, &path, packet, message->msg_len);
}

void net_receive(void *ctx, int events)
{
	struct net_socket *socket = ctx;
	struct net *net = socket->net;
	union addr bound = socket->local;
	int count, i, turn;

	(void)events;
	net->receiving = socket;
	for (turn = 0; turn < NET_TURN && net->receiving; turn += NET_BATCH) {
		count = batch_receive(net->batch, socket->fd);
		if (count == -EAGAIN || count == -EINTR)
			break;
		if (count < 0) {
			/* An ICMP error is a hint about one packet, cleared by being read. */
			net->counters.receive_errors++;
			break;
		}
		for (i = 0; i < count; i++)
			datagram_deliver(
				net, &bound, &net->batch->messages[i], net->batch->packets[i]);
		if (count < NET_BATCH)
			break;
	}
	net->receiving = NULL;
}
