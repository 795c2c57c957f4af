/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * static: L2TPv3 tunnels without a tunnel socket of ours, and Ethernet pseudowires in them.
 *
 * Making and ending a pseudowire takes rtnl, as it is an interface; and a session must follow its tunnel.
 * So all of it is done by the thread that may wait for rtnl.
 */
#include "lns/kernel/job.h"
#include "lns/kernel/l2tp.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/l2tp.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/genl/genl.h>
#include <string.h>

struct static_job {
	struct kernel_job job;
	struct kernel_static_tunnel tunnel;
	struct kernel_static_session session;
};

static struct kernel_job *static_submit(struct kernel *kernel, const struct kernel_job_type *type,
	const struct kernel_static_tunnel *tunnel, const struct kernel_static_session *session,
	kernel_done_fn *done, void *ctx)
{
	struct kernel_job *job = kernel_job_new(kernel, type, done, ctx);
	struct static_job *wanted = (struct static_job *)job;

	if (!job)
		return NULL;
	if (tunnel)
		wanted->tunnel = *tunnel;
	if (session)
		wanted->session = *session;
	kernel_job_submit(job);
	return job;
}

/* ---- tunnels ---- */

static bool put_addresses(struct nl_msg *message, const struct kernel_static_tunnel *tunnel)
{
	const union addr *local = &tunnel->local, *peer = &tunnel->peer;

	if (local->sa.sa_family == AF_INET)
		return !nla_put(message, L2TP_ATTR_IP_SADDR, sizeof(local->in4.sin_addr),
			       &local->in4.sin_addr) &&
		       !nla_put(message, L2TP_ATTR_IP_DADDR, sizeof(peer->in4.sin_addr),
			       &peer->in4.sin_addr);
	return !nla_put(message, L2TP_ATTR_IP6_SADDR, sizeof(local->in6.sin6_addr),
		       &local->in6.sin6_addr) &&
	       !nla_put(message, L2TP_ATTR_IP6_DADDR, sizeof(peer->in6.sin6_addr),
		       &peer->in6.sin6_addr);
}

static bool put_udp(struct nl_msg *message, const struct kernel_static_tunnel *tunnel)
{
	bool is_ipv4 = tunnel->local.sa.sa_family == AF_INET;

	if (nla_put_u16(message, L2TP_ATTR_UDP_SPORT, addr_port(&tunnel->local)) ||
		nla_put_u16(message, L2TP_ATTR_UDP_DPORT, addr_port(&tunnel->peer)))
		return false;
	if (tunnel->checksum)
		return !is_ipv4 || !nla_put_u8(message, L2TP_ATTR_UDP_CSUM, 1);
	return is_ipv4 || (!nla_put_flag(message, L2TP_ATTR_UDP_ZERO_CSUM6_TX) &&
				  !nla_put_flag(message, L2TP_ATTR_UDP_ZERO_CSUM6_RX));
}

static int tunnel_create_once(void *ctx, struct netlink *netlink)
{
	const struct kernel_static_tunnel *tunnel = ctx;
	struct nl_msg *message = kernel_l2tp_message(netlink, L2TP_CMD_TUNNEL_CREATE);

	if (!message)
		return -ENOMEM;
	if (nla_put_u32(message, L2TP_ATTR_CONN_ID, tunnel->id) ||
		nla_put_u32(message, L2TP_ATTR_PEER_CONN_ID, tunnel->peer_id) ||
		nla_put_u8(message, L2TP_ATTR_PROTO_VERSION, 3) ||
		nla_put_u16(message, L2TP_ATTR_ENCAP_TYPE,
			tunnel->ip ? L2TP_ENCAPTYPE_IP : L2TP_ENCAPTYPE_UDP) ||
		!put_addresses(message, tunnel) || (!tunnel->ip && !put_udp(message, tunnel))) {
		nlmsg_free(message);
		return -ENOMEM;
	}
	return netlink_request(netlink->generic, message);
}

static int tunnel_create_run(struct kernel_job *job, struct netlink *netlink)
{
	int err = netlink_find_l2tp(netlink);

	return err ? err
		   : kernel_l2tp_create(
			     tunnel_create_once, &((struct static_job *)job)->tunnel, netlink);
}

static void tunnel_create_undo(struct kernel_job *job, struct netlink *netlink)
{
	kernel_l2tp_delete(netlink, ((struct static_job *)job)->tunnel.id, 0);
}

static const struct kernel_job_type tunnel_create_type = {
	.size = sizeof(struct static_job),
	.lane = KERNEL_LANE_RTNL,
	.run = tunnel_create_run,
	.undo = tunnel_create_undo,
};

struct kernel_job *kernel_static_tunnel_create(struct kernel *kernel,
	const struct kernel_static_tunnel *tunnel, kernel_done_fn *done, void *ctx)
{
	return static_submit(kernel, &tunnel_create_type, tunnel, NULL, done, ctx);
}

bool kernel_static_tunnel_equal(
	const struct kernel_static_tunnel *a, const struct kernel_static_tunnel *b)
{
	return a->id == b->id && a->peer_id == b->peer_id && a->ip == b->ip &&
	       a->checksum == b->checksum && addr_equal(&a->local, &b->local) &&
	       addr_equal(&a->peer, &b->peer);
}

/* ---- sessions ---- */

static int put_cookie(struct nl_msg *message, int type, const struct kernel_cookie *cookie)
{
	return cookie->len ? nla_put(message, type, cookie->len, cookie->octets) : 0;
}

static int session_create_once(void *ctx, struct netlink *netlink)
{
	const struct kernel_static_session *session = ctx;
	struct nl_msg *message = kernel_l2tp_message(netlink, L2TP_CMD_SESSION_CREATE);

	if (!message)
		return -ENOMEM;
	if (nla_put_u32(message, L2TP_ATTR_CONN_ID, session->tunnel_id) ||
		nla_put_u32(message, L2TP_ATTR_SESSION_ID, session->id) ||
		nla_put_u32(message, L2TP_ATTR_PEER_SESSION_ID, session->peer_id) ||
		nla_put_u16(message, L2TP_ATTR_PW_TYPE, L2TP_PWTYPE_ETH) ||
		nla_put_u8(message, L2TP_ATTR_L2SPEC_TYPE,
			session->sublayer ? L2TP_L2SPECTYPE_DEFAULT : L2TP_L2SPECTYPE_NONE) ||
		put_cookie(message, L2TP_ATTR_COOKIE, &session->send) ||
		put_cookie(message, L2TP_ATTR_PEER_COOKIE, &session->expect) ||
		nla_put_u8(message, L2TP_ATTR_SEND_SEQ, session->send_seq) ||
		nla_put_u8(message, L2TP_ATTR_RECV_SEQ, session->recv_seq) ||
		nla_put_u64(message, L2TP_ATTR_RECV_TIMEOUT, session->reorder_timeout) ||
		nla_put_string(message, L2TP_ATTR_IFNAME, session->ifname)) {
		nlmsg_free(message);
		return -ENOMEM;
	}
	return netlink_request(netlink->generic, message);
}

static int link_set(struct netlink *netlink, const struct kernel_static_session *session)
{
	struct ifinfomsg link = {
		.ifi_family = AF_UNSPEC, .ifi_flags = IFF_UP, .ifi_change = IFF_UP
	};
	struct nl_msg *message = nlmsg_alloc_simple(RTM_SETLINK, 0);

	if (!message)
		return -ENOMEM;
	if (nlmsg_append(message, &link, sizeof(link), NLMSG_ALIGNTO) ||
		nla_put_string(message, IFLA_IFNAME, session->ifname) ||
		(session->mtu && nla_put_u32(message, IFLA_MTU, session->mtu))) {
		nlmsg_free(message);
		return -ENOMEM;
	}
	return netlink_request(netlink->route, message);
}

static int session_create_run(struct kernel_job *job, struct netlink *netlink)
{
	struct kernel_static_session *session = &((struct static_job *)job)->session;
	int err = netlink_find_l2tp(netlink);

	if (!err)
		err = kernel_l2tp_create(session_create_once, session, netlink);
	if (err)
		return err;
	err = link_set(netlink, session);
	if (err)
		kernel_l2tp_delete(netlink, session->tunnel_id, session->id);
	return err;
}

static void session_create_undo(struct kernel_job *job, struct netlink *netlink)
{
	const struct kernel_static_session *session = &((struct static_job *)job)->session;

	kernel_l2tp_delete(netlink, session->tunnel_id, session->id);
}

static const struct kernel_job_type session_create_type = {
	.size = sizeof(struct static_job),
	.lane = KERNEL_LANE_RTNL,
	.run = session_create_run,
	.undo = session_create_undo,
};

struct kernel_job *kernel_static_session_create(struct kernel *kernel,
	const struct kernel_static_session *session, kernel_done_fn *done, void *ctx)
{
	return static_submit(kernel, &session_create_type, NULL, session, done, ctx);
}

static int link_set_run(struct kernel_job *job, struct netlink *netlink)
{
	return link_set(netlink, &((struct static_job *)job)->session);
}

static const struct kernel_job_type link_set_type = {
	.size = sizeof(struct static_job),
	.lane = KERNEL_LANE_RTNL,
	.run = link_set_run,
};

struct kernel_job *kernel_static_session_set_link(struct kernel *kernel,
	const struct kernel_static_session *session, kernel_done_fn *done, void *ctx)
{
	return static_submit(kernel, &link_set_type, NULL, session, done, ctx);
}

static bool cookie_equal(const struct kernel_cookie *a, const struct kernel_cookie *b)
{
	return a->len == b->len && memcmp(a->octets, b->octets, a->len) == 0;
}

bool kernel_static_session_equal(
	const struct kernel_static_session *a, const struct kernel_static_session *b)
{
	return a->tunnel_id == b->tunnel_id && a->id == b->id && a->peer_id == b->peer_id &&
	       cookie_equal(&a->send, &b->send) && cookie_equal(&a->expect, &b->expect) &&
	       a->sublayer == b->sublayer && a->send_seq == b->send_seq &&
	       a->recv_seq == b->recv_seq && a->reorder_timeout == b->reorder_timeout &&
	       strcmp(a->ifname, b->ifname) == 0;
}

/* ---- the end ---- */

static int delete_run(struct kernel_job *job, struct netlink *netlink)
{
	const struct kernel_static_session *session = &((struct static_job *)job)->session;

	return kernel_l2tp_delete(netlink, session->tunnel_id, session->id);
}

static const struct kernel_job_type delete_type = {
	.size = sizeof(struct static_job),
	.lane = KERNEL_LANE_RTNL,
	.run = delete_run,
};

struct kernel_job *kernel_static_delete(struct kernel *kernel, uint32_t tunnel_id,
	uint32_t session_id, kernel_done_fn *done, void *ctx)
{
	const struct kernel_static_session which = { .tunnel_id = tunnel_id, .id = session_id };

	return static_submit(kernel, &delete_type, NULL, &which, done, ctx);
}
