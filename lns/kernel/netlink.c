/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netlink: one request at a time and its answer. The caller owns the sockets' thread.
 */
#include "lns/kernel/netlink.h"

#include <errno.h>
#include <linux/l2tp.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <stdbool.h>
#include <stdint.h>

/* A dump answer comes in pieces of at most 32 kB. */
#define NETLINK_BUFFER 65536

/* What the callbacks of one exchange fill in. */
struct exchange {
	uint32_t sequence; /* of the request */
	bool finished;
	int err; /* the kernel's verdict, or the entry callback's */
	netlink_entry_fn *entry;
	void *ctx;
};

static int netlink_errno(int nl_error)
{
	switch (-nl_error) {
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	case NLE_AF_NOSUPPORT:
	case NLE_PROTO_MISMATCH:
		return -EAFNOSUPPORT;
	default:
		return -EIO;
	}
}

static int socket_open(int protocol, struct nl_sock **ret_sock)
{
	struct nl_sock *sock = nl_socket_alloc();
	int err;

	if (!sock)
		return -ENOMEM;
	err = protocol == NETLINK_GENERIC ? genl_connect(sock) : nl_connect(sock, protocol);
	if (!err)
		err = nl_socket_set_msg_buf_size(sock, NETLINK_BUFFER);
	if (err) {
		nl_socket_free(sock);
		return netlink_errno(err);
	}
	nl_socket_disable_msg_peek(sock);
	*ret_sock = sock;
	return 0;
}

int netlink_open(struct netlink *netlink)
{
	struct netlink opened = { 0 };
	int err;

	err = socket_open(NETLINK_ROUTE, &opened.route);
	if (!err)
		err = socket_open(NETLINK_GENERIC, &opened.generic);
	if (err) {
		netlink_close(&opened);
		return err;
	}
	*netlink = opened;
	return 0;
}

void netlink_close(struct netlink *netlink)
{
	nl_socket_free(netlink->route);
	nl_socket_free(netlink->generic);
	*netlink = (struct netlink){ 0 };
}

int netlink_find_l2tp(struct netlink *netlink)
{
	int family;

	if (netlink->l2tp_family)
		return 0;
	family = genl_ctrl_resolve(netlink->generic, L2TP_GENL_NAME);
	if (family <= 0)
		return -EOPNOTSUPP;
	netlink->l2tp_family = family;
	return 0;
}

/* An answer that was not read when its exchange failed, for want of memory, is nobody's. */
static int on_sequence(struct nl_msg *message, void *arg)
{
	const struct exchange *exchange = arg;

	return nlmsg_hdr(message)->nlmsg_seq == exchange->sequence ? NL_OK : NL_SKIP;
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *error, void *arg)
{
	struct exchange *exchange = arg;

	(void)from;
	exchange->err = error->error;
	exchange->finished = true;
	return NL_STOP;
}

static int on_ack(struct nl_msg *message, void *arg)
{
	struct exchange *exchange = arg;

	(void)message;
	exchange->finished = true;
	return NL_STOP;
}

/* The end of a dump carries the errno that ended it. */
static int on_finish(struct nl_msg *message, void *arg)
{
	struct nlmsghdr *header = nlmsg_hdr(message);
	struct exchange *exchange = arg;

	if (nlmsg_datalen(header) >= (int)sizeof(int) && !exchange->err)
		exchange->err = *(int *)nlmsg_data(header);
	exchange->finished = true;
	return NL_STOP;
}

/* After the entry callback's first error the rest of the dump is read and dropped. */
static int on_valid(struct nl_msg *message, void *arg)
{
	struct exchange *exchange = arg;

	if (exchange->entry && !exchange->err)
		exchange->err = exchange->entry(exchange->ctx, nlmsg_hdr(message));
	return NL_OK;
}

static int on_interrupted(struct nl_msg *message, void *arg)
{
	(void)message;
	(void)arg;
	return NL_OK;
}

static struct nl_cb *exchange_callbacks(struct exchange *exchange)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);

	if (!cb)
		return NULL;
	nl_cb_set(cb, NL_CB_SEQ_CHECK, NL_CB_CUSTOM, on_sequence, exchange);
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, exchange);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_ack, exchange);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_finish, exchange);
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, exchange);
	nl_cb_set(cb, NL_CB_DUMP_INTR, NL_CB_CUSTOM, on_interrupted, exchange);
	return cb;
}

/* Frees message. */
static int exchange_run(struct nl_sock *sock, struct nl_msg *message, struct exchange *exchange)
{
	struct nl_cb *cb = exchange_callbacks(exchange);
	int err = -ENOMEM;

	if (!cb)
		goto out;
	err = nl_send_auto(sock, message);
	if (err < 0) {
		err = netlink_errno(err);
		goto out;
	}
	exchange->sequence = nlmsg_hdr(message)->nlmsg_seq;
	/* NL_STOP from on_error makes nl_recvmsgs fail: the exchange is over all the same. */
	do {
		err = nl_recvmsgs(sock, cb);
	} while (!exchange->finished && err >= 0);
	err = exchange->finished ? exchange->err : netlink_errno(err);
out:
	nl_cb_put(cb);
	nlmsg_free(message);
	return err;
}

int netlink_request(struct nl_sock *sock, struct nl_msg *message)
{
	struct exchange exchange = { 0 };

	if (!message)
		return -ENOMEM;
	nlmsg_hdr(message)->nlmsg_flags |= NLM_F_ACK;
	return exchange_run(sock, message, &exchange);
}

int netlink_dump(struct nl_sock *sock, struct nl_msg *message, netlink_entry_fn *entry, void *ctx)
{
	struct exchange exchange = { .entry = entry, .ctx = ctx };
	int err;

	if (!message)
		return -ENOMEM;
	nlmsg_hdr(message)->nlmsg_flags |= NLM_F_DUMP;
	nl_socket_disable_auto_ack(sock);
	err = exchange_run(sock, message, &exchange);
	nl_socket_enable_auto_ack(sock);
	return err;
}
