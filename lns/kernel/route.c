/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * route: routes through subscribers' interfaces. They carry a protocol number of their own
 * (KERNEL_ROUTE_PROTOCOL), so that people and programs can tell them from others. A route is never
 * replaced: two subscribers who claim one prefix are an error for the caller to see (-EEXIST).
 */
#include "lns/kernel/job.h"

#include <errno.h>
#include <linux/rtnetlink.h>

struct route_job {
	struct kernel_job job;
	bool add;
	struct addr_prefix prefix;
	uint32_t ifindex, table;
};

/* The address of the prefix and its size; NULL when it has none. */
static const void *prefix_address(const struct addr_prefix *prefix, int *ret_size)
{
	switch (prefix->addr.sa.sa_family) {
	case AF_INET:
		*ret_size = sizeof(prefix->addr.in4.sin_addr);
		return &prefix->addr.in4.sin_addr;
	case AF_INET6:
		*ret_size = sizeof(prefix->addr.in6.sin6_addr);
		return &prefix->addr.in6.sin6_addr;
	default:
		return NULL;
	}
}

static struct nl_msg *route_message(const struct route_job *route, const void *address, int size)
{
	uint32_t table = route->table ? route->table : RT_TABLE_MAIN;
	struct rtmsg rtm = {
		.rtm_family = (uint8_t)route->prefix.addr.sa.sa_family,
		.rtm_dst_len = (uint8_t)route->prefix.len,
		.rtm_table = table < 256 ? (uint8_t)table : RT_TABLE_UNSPEC,
		.rtm_protocol = KERNEL_ROUTE_PROTOCOL,
		.rtm_scope = size == 4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
		.rtm_type = RTN_UNICAST,
	};
	struct nl_msg *message;

	message = nlmsg_alloc_simple(route->add ? RTM_NEWROUTE : RTM_DELROUTE,
		route->add ? NLM_F_CREATE | NLM_F_EXCL : 0);
	if (!message)
		return NULL;
	if (nlmsg_append(message, &rtm, sizeof(rtm), NLMSG_ALIGNTO) ||
		(rtm.rtm_dst_len && nla_put(message, RTA_DST, size, address)) ||
		nla_put_u32(message, RTA_OIF, route->ifindex) ||
		nla_put_u32(message, RTA_TABLE, table)) {
		nlmsg_free(message);
		return NULL;
	}
	return message;
}

static int route_change_run(struct kernel_job *job, struct netlink *netlink)
{
	struct route_job *route = (struct route_job *)job;
	int size;
	const void *address = prefix_address(&route->prefix, &size);

	if (!address || route->prefix.len > (unsigned int)size * 8 || !route->ifindex)
		return -EINVAL;
	return netlink_request(netlink->route, route_message(route, address, size));
}

/* Only an added route is taken back: what a deletion removed was nobody's any more. */
static void route_change_undo(struct kernel_job *job, struct netlink *netlink)
{
	struct route_job *route = (struct route_job *)job;

	if (!route->add)
		return;
	route->add = false;
	route_change_run(job, netlink);
}

static const struct kernel_job_type route_change_type = {
	.size = sizeof(struct route_job),
	.lane = KERNEL_LANE_RTNL,
	.run = route_change_run,
	.undo = route_change_undo,
};

struct kernel_job *kernel_route_change(struct kernel *kernel, bool add,
	const struct addr_prefix *prefix, uint32_t ifindex, uint32_t table, kernel_done_fn *done,
	void *ctx)
{
	struct kernel_job *job = kernel_job_new(kernel, &route_change_type, done, ctx);
	struct route_job *route = (struct route_job *)job;

	if (!job)
		return NULL;
	route->add = add;
	route->prefix = *prefix;
	route->ifindex = ifindex;
	route->table = table;
	kernel_job_submit(job);
	return job;
}
