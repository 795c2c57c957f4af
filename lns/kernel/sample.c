/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sample: the counters of all interfaces by RTM_GETSTATS, which carries nothing else and costs the
 * kernel a sixth of a dump of the interfaces themselves. The thread collects, the loop hands out.
 *
 * The answer does not tell what kind of interface it speaks of: who asked knows the indexes it wants.
 */
#include "lns/kernel/job.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>

struct sample {
	uint32_t ifindex;
	struct kernel_counters counters;
};

struct sample_job {
	struct kernel_job job;
	kernel_sample_fn *each;
	struct sample *samples;
	size_t count, room, next; /* next: the one to be handed out */
};

static int sample_entry(void *ctx, struct nlmsghdr *header)
{
	struct sample_job *job = ctx;
	struct if_stats_msg *stats = nlmsg_data(header);
	struct rtnl_link_stats64 wide = { 0 };
	struct nlattr *attrs[IFLA_STATS_MAX + 1];
	struct sample *samples;
	size_t room;

	if (header->nlmsg_type != RTM_NEWSTATS ||
		nlmsg_parse(header, sizeof(*stats), attrs, IFLA_STATS_MAX, NULL) < 0 ||
		!attrs[IFLA_STATS_LINK_64])
		return 0;
	if (job->count == job->room) {
		room = job->room ? job->room * 2 : 256;
		samples = reallocarray(job->samples, room, sizeof(*samples));
		if (!samples)
			return -ENOMEM;
		job->samples = samples;
		job->room = room;
	}
	nla_memcpy(&wide, attrs[IFLA_STATS_LINK_64], sizeof(wide));
	job->samples[job->count++] = (struct sample){ stats->ifindex,
		{ wide.rx_bytes, wide.tx_bytes, wide.rx_packets, wide.tx_packets } };
	return 0;
}

static int sample_run(struct kernel_job *job, struct netlink *netlink)
{
	struct if_stats_msg stats = { .family = AF_UNSPEC,
		.filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64) };
	struct nl_msg *message = nlmsg_alloc_simple(RTM_GETSTATS, 0);

	if (message && nlmsg_append(message, &stats, sizeof(stats), NLMSG_ALIGNTO)) {
		nlmsg_free(message);
		message = NULL;
	}
	return netlink_dump(netlink->route, message, sample_entry, job);
}

static bool sample_deliver(struct kernel_job *job)
{
	struct sample_job *sample = (struct sample_job *)job;
	const struct sample *next = &sample->samples[sample->next];

	if (sample->next == sample->count)
		return false;
	sample->next++;
	sample->each(job->ctx, next->ifindex, &next->counters);
	return true;
}

static void sample_clear(struct kernel_job *job)
{
	free(((struct sample_job *)job)->samples);
}

static const struct kernel_job_type sample_type = {
	.size = sizeof(struct sample_job),
	.lane = KERNEL_LANE_RTNL,
	.run = sample_run,
	.deliver = sample_deliver,
	.clear = sample_clear,
};

struct kernel_job *kernel_sample_counters(
	struct kernel *kernel, kernel_sample_fn *sample, kernel_done_fn *done, void *ctx)
{
	struct kernel_job *job = kernel_job_new(kernel, &sample_type, done, ctx);

	if (!job)
		return NULL;
	((struct sample_job *)job)->each = sample;
	kernel_job_submit(job);
	return job;
}
