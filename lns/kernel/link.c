/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * link: interfaces of subscribers: their group and alias, and the removal of those that nobody serves any more.
 * Always by index: the kernel gives a name like ppp0 away again at once.
 */
#include "lns/kernel/job.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct link_job {
	struct kernel_job job;
	uint32_t ifindex; /* 0: all of the group */
	uint32_t group;
	char alias[KERNEL_ALIAS + 1]; /* "": as it is */
};

/* A message about one interface (or none, ifindex 0), with IFLA_GROUP when group is given. */
static struct nl_msg *link_message(int type, uint32_t ifindex, const uint32_t *group)
{
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex };
	struct nl_msg *message = nlmsg_alloc_simple(type, 0);

	if (!message)
		return NULL;
	if (nlmsg_append(message, &link, sizeof(link), NLMSG_ALIGNTO) ||
		(group && nla_put_u32(message, IFLA_GROUP, *group))) {
		nlmsg_free(message);
		return NULL;
	}
	return message;
}

static struct kernel_job *link_submit(struct kernel *kernel, const struct kernel_job_type *type,
	uint32_t ifindex, uint32_t group, kernel_done_fn *done, void *ctx)
{
	struct kernel_job *job = kernel_job_new(kernel, type, done, ctx);

	if (!job)
		return NULL;
	((struct link_job *)job)->ifindex = ifindex;
	((struct link_job *)job)->group = group;
	kernel_job_submit(job);
	return job;
}

static int link_delete_run(struct kernel_job *job, struct netlink *netlink)
{
	struct link_job *link = (struct link_job *)job;

	if (!link->ifindex || link->ifindex > INT32_MAX)
		return -EINVAL;
	return netlink_request(netlink->route, link_message(RTM_DELLINK, link->ifindex, NULL));
}

static const struct kernel_job_type link_delete_type = {
	.size = sizeof(struct link_job),
	.lane = KERNEL_LANE_RTNL,
	.run = link_delete_run,
};

struct kernel_job *kernel_link_delete(
	struct kernel *kernel, uint32_t ifindex, kernel_done_fn *done, void *ctx)
{
	return link_submit(kernel, &link_delete_type, ifindex, 0, done, ctx);
}

static int link_delete_group_run(struct kernel_job *job, struct netlink *netlink)
{
	struct link_job *link = (struct link_job *)job;

	if (!link->group) /* the group of every other interface of the machine */
		return -EINVAL;
	return netlink_request(netlink->route, link_message(RTM_DELLINK, 0, &link->group));
}

static const struct kernel_job_type link_delete_group_type = {
	.size = sizeof(struct link_job),
	.lane = KERNEL_LANE_RTNL,
	.run = link_delete_group_run,
};

struct kernel_job *kernel_link_delete_group(
	struct kernel *kernel, uint32_t group, kernel_done_fn *done, void *ctx)
{
	return link_submit(kernel, &link_delete_group_type, 0, group, done, ctx);
}

static int link_set_group_run(struct kernel_job *job, struct netlink *netlink)
{
	struct link_job *link = (struct link_job *)job;
	struct nl_msg *message;

	if (!link->ifindex || link->ifindex > INT32_MAX)
		return -EINVAL;
	message = link_message(RTM_SETLINK, link->ifindex, &link->group);
	if (message && link->alias[0] && nla_put_string(message, IFLA_IFALIAS, link->alias)) {
		nlmsg_free(message);
		message = NULL;
	}
	return netlink_request(netlink->route, message);
}

static const struct kernel_job_type link_set_group_type = {
	.size = sizeof(struct link_job),
	.lane = KERNEL_LANE_RTNL,
	.run = link_set_group_run,
};

struct kernel_job *kernel_link_set_group(struct kernel *kernel, uint32_t ifindex, uint32_t group,
	const char *alias, kernel_done_fn *done, void *ctx)
{
	struct kernel_job *job = kernel_job_new(kernel, &link_set_group_type, done, ctx);
	struct link_job *link = (struct link_job *)job;

	if (!job)
		return NULL;
	link->ifindex = ifindex;
	link->group = group;
	snprintf(link->alias, sizeof(link->alias), "%s", alias);
	kernel_job_submit(job);
	return job;
}

#define DELETED_GROUP 0x6c326470 /* nobody else's, it is hoped */

struct links_job {
	struct kernel_job job;
	uint32_t *ifindexes; /* ours */
	size_t count;
};

static int links_delete_run(struct kernel_job *job, struct netlink *netlink)
{
	struct links_job *links = (struct links_job *)job;
	const uint32_t group = DELETED_GROUP;
	int err = 0;

	for (size_t i = 0; i < links->count && (!err || err == -ENODEV); i++)
		err = netlink_request(
			netlink->route, link_message(RTM_SETLINK, links->ifindexes[i], &group));
	if (err && err != -ENODEV)
		return err;
	err = netlink_request(netlink->route, link_message(RTM_DELLINK, 0, &group));
	return err == -ENODEV ? 0 : err;
}

static void links_clear(struct kernel_job *job)
{
	free(((struct links_job *)job)->ifindexes);
}

static const struct kernel_job_type links_delete_type = {
	.size = sizeof(struct links_job),
	.lane = KERNEL_LANE_RTNL,
	.run = links_delete_run,
	.clear = links_clear,
};

struct kernel_job *kernel_links_delete(struct kernel *kernel, const uint32_t *ifindexes,
	size_t count, kernel_done_fn *done, void *ctx)
{
	struct kernel_job *job = kernel_job_new(kernel, &links_delete_type, done, ctx);
	struct links_job *links = (struct links_job *)job;

	if (!job)
		return NULL;
	links->ifindexes = reallocarray(NULL, count, sizeof(*ifindexes));
	if (!links->ifindexes) {
		free(job);
		return NULL;
	}
	memcpy(links->ifindexes, ifindexes, count * sizeof(*ifindexes));
	links->count = count;
	kernel_job_submit(job);
	return job;
}
