/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * limit: how fast a subscriber may send and receive: traffic control of its interface.
 *
 *   to the client    root qdisc 1: tbf, which delays what comes too fast, and drops what waits too long
 *   from the client  clsact, and a matchall filter at its ingress whose police action drops
 *
 * Messages are made by hand: libnl-route has no police action, and its tbf knows 31-bit rates only. All
 * of a change happens, or nothing: a filter cannot be changed in place, so a new one is put beside the old
 * one, at the other of two priorities, before anything else is touched; what follows and can fail is one
 * request, and after it only deletions are left. Meanwhile the first of both filters decides: there is
 * no moment without a limit. A filter that could not be deleted is overtaken by the next change.
 */
#include "lns/kernel/job.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>

#define ROOT_HANDLE   0x10000 /* 1:0 */
#define CLSACT_HANDLE TC_H_MAKE(TC_H_CLSACT, 0)
#define INGRESS       TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)
#define PRIORITIES    2  /* 1 and 2 */
#define TICK          64 /* nanoseconds, of the kernel's traffic control interface */
#define CELL_LOG      9  /* packets of up to 255 << 9 octets are none too large */
#define RATE_TABLE    1024

#define BURST_MIN UINT32_C(15000) /* octets: some packets, whatever the rate */
#define BURST_MAX UINT32_C(1000000000)

struct limits_job {
	struct kernel_job job;
	kernel_limits_fn *tell;
	uint32_t ifindex;
	struct kernel_limits limits;
	int err;
	const char *part; /* of the kernel, that refused */
};

static uint64_t octets_a_second(uint64_t rate)
{
	return rate / 8 ? rate / 8 : 1;
}

static uint32_t bounded(uint64_t octets)
{
	if (octets < BURST_MIN)
		return BURST_MIN;
	return octets > BURST_MAX ? BURST_MAX : (uint32_t)octets;
}

/* What the rate carries in a part of a second. */
static uint32_t octets_in(const struct kernel_rate *rate, unsigned int part)
{
	return bounded(octets_a_second(rate->rate) / part);
}

/* At least what the rate carries in a part of a second. */
static uint32_t burst_of(const struct kernel_rate *rate, unsigned int part)
{
	uint32_t least = octets_in(rate, part), wanted = bounded(rate->burst);

	return wanted > least ? wanted : least;
}

static uint32_t ticks_of(uint64_t octets, uint64_t rate)
{
	uint64_t ticks = octets * UINT64_C(1000000000) / octets_a_second(rate) / TICK;

	return ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks;
}

/* A peak that is none would be refused by the kernel. */
static bool has_peak(const struct kernel_rate *rate)
{
	return octets_a_second(rate->peak) > octets_a_second(rate->rate);
}

static struct tc_ratespec spec_of(uint64_t rate)
{
	uint64_t octets = octets_a_second(rate);

	return (struct tc_ratespec){
		.cell_log = CELL_LOG,
		.linklayer = TC_LINKLAYER_ETHERNET, /* so that the kernel needs no rate table */
		.rate = octets > UINT32_MAX ? UINT32_MAX : (uint32_t)octets,
	};
}

static struct nl_msg *tc_message(int type, int flags, uint32_t ifindex, uint32_t handle,
	uint32_t parent, uint32_t info, const char *kind)
{
	struct tcmsg tcm = {
		.tcm_family = AF_UNSPEC,
		.tcm_ifindex = (int)ifindex,
		.tcm_handle = handle,
		.tcm_parent = parent,
		.tcm_info = info,
	};
	struct nl_msg *message = nlmsg_alloc_simple(type, flags);

	if (!message)
		return NULL;
	if (nlmsg_append(message, &tcm, sizeof(tcm), NLMSG_ALIGNTO) ||
		(kind && nla_put_string(message, TCA_KIND, kind))) {
		nlmsg_free(message);
		return NULL;
	}
	return message;
}

/* What a deletion says: 0 as well when there is nothing to delete. */
static int gone(int err)
{
	return err == -ENOENT || err == -EINVAL ? 0 : err;
}

/* ---- to the client ---- */

static int add_tbf(struct nl_msg *message, const struct kernel_rate *rate)
{
	uint32_t burst = burst_of(rate, 10);
	struct tc_tbf_qopt options = {
		.rate = spec_of(rate->rate),
		.limit = octets_in(rate, 10), /* waits at most, so 0.1 s */
		.buffer = ticks_of(burst, rate->rate),
	};
	struct nlattr *nest = nla_nest_start(message, TCA_OPTIONS);
	int err = nest ? 0 : -ENOMEM;

	if (has_peak(rate)) {
		options.peakrate = spec_of(rate->peak);
		options.mtu = ticks_of(BURST_MIN, rate->peak);
		err |= nla_put_u64(message, TCA_TBF_PRATE64, octets_a_second(rate->peak));
		err |= nla_put_u32(message, TCA_TBF_PBURST, BURST_MIN);
	}
	err |= nla_put(message, TCA_TBF_PARMS, sizeof(options), &options);
	err |= nla_put_u64(message, TCA_TBF_RATE64, octets_a_second(rate->rate));
	err |= nla_put_u32(message, TCA_TBF_BURST, burst);
	if (!err)
		nla_nest_end(message, nest);
	return err ? -ENOMEM : 0;
}

static int set_down(struct limits_job *job, struct nl_sock *sock)
{
	bool wanted = job->limits.down.rate > 0;
	struct nl_msg *message = tc_message(wanted ? RTM_NEWQDISC : RTM_DELQDISC,
		wanted ? NLM_F_CREATE | NLM_F_REPLACE : 0, job->ifindex, ROOT_HANDLE, TC_H_ROOT, 0,
		wanted ? "tbf" : NULL);
	int err;

	if (message && wanted && add_tbf(message, &job->limits.down)) {
		nlmsg_free(message);
		message = NULL;
	}
	job->part = "sch_tbf";
	err = netlink_request(sock, message);
	return wanted ? err : gone(err);
}

/* ---- from the client ---- */

static int add_police(struct nl_msg *message, const struct kernel_rate *rate)
{
	static const uint8_t unused[RATE_TABLE]; /* and yet demanded */
	struct tc_police police = {
		.action = TC_POLICE_SHOT,
		.burst = ticks_of(burst_of(rate, 2), rate->rate),
		.mtu = UINT16_MAX,
		.rate = spec_of(rate->rate),
	};
	struct nlattr *options = nla_nest_start(message, TCA_OPTIONS);
	struct nlattr *actions = nla_nest_start(message, TCA_MATCHALL_ACT);
	struct nlattr *first = nla_nest_start(message, 1);
	struct nlattr *nest;
	int err = options && actions && first ? 0 : -ENOMEM;

	err |= nla_put_string(message, TCA_ACT_KIND, "police");
	nest = nla_nest_start(message, TCA_ACT_OPTIONS);
	err |= nest ? 0 : -ENOMEM;
	if (has_peak(rate)) {
		police.peakrate = spec_of(rate->peak);
		err |= nla_put(message, TCA_POLICE_PEAKRATE, sizeof(unused), unused);
		err |= nla_put_u64(message, TCA_POLICE_PEAKRATE64, octets_a_second(rate->peak));
	}
	err |= nla_put(message, TCA_POLICE_TBF, sizeof(police), &police);
	err |= nla_put(message, TCA_POLICE_RATE, sizeof(unused), unused);
	err |= nla_put_u64(message, TCA_POLICE_RATE64, octets_a_second(rate->rate));
	if (err)
		return -ENOMEM;
	nla_nest_end(message, nest);
	nla_nest_end(message, first);
	nla_nest_end(message, actions);
	nla_nest_end(message, options);
	return 0;
}

static uint32_t filter_info(unsigned int priority)
{
	return TC_H_MAKE(priority << 16, htons(ETH_P_ALL));
}

static int delete_filter(struct limits_job *job, struct nl_sock *sock, unsigned int priority)
{
	return netlink_request(sock, tc_message(RTM_DELTFILTER, 0, job->ifindex, 0, INGRESS,
					     filter_info(priority), NULL));
}

static int add_filter(struct limits_job *job, struct nl_sock *sock, unsigned int priority)
{
	struct nl_msg *message = tc_message(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, job->ifindex,
		1, INGRESS, filter_info(priority), "matchall");

	if (message && add_police(message, &job->limits.up)) {
		nlmsg_free(message);
		message = NULL;
	}
	return netlink_request(sock, message);
}

/* Puts the limit beside the one that there may be; *ret_priority is where. */
static int add_up(struct limits_job *job, struct nl_sock *sock, unsigned int *ret_priority)
{
	int err;

	job->part = "sch_ingress";
	err = netlink_request(sock, tc_message(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL,
					    job->ifindex, CLSACT_HANDLE, TC_H_CLSACT, 0, "clsact"));
	if (err < 0 && err != -EEXIST)
		return err;
	job->part = "cls_matchall and act_police";
	for (unsigned int priority = 1; priority <= PRIORITIES; priority++) {
		err = add_filter(job, sock, priority);
		*ret_priority = priority;
		if (err != -EEXIST)
			break;
	}
	if (err == -EEXIST) { /* one is left of an earlier change: not that which decides */
		err = delete_filter(job, sock, PRIORITIES);
		if (!err)
			err = add_filter(job, sock, PRIORITIES);
	}
	return err;
}

/* Deletes the limit beside the new one, if there is one. One that is left matters when it decides. */
static int delete_old(struct limits_job *job, struct nl_sock *sock, unsigned int priority)
{
	unsigned int old = PRIORITIES + 1 - priority;
	int err = gone(delete_filter(job, sock, old));

	if (err < 0 && old > priority)
		return 0;
	if (err < 0)
		(void)delete_filter(job, sock, priority);
	return err;
}

static int delete_up(struct limits_job *job, struct nl_sock *sock)
{
	job->part = "sch_ingress";
	return gone(netlink_request(sock, tc_message(RTM_DELQDISC, 0, job->ifindex, CLSACT_HANDLE,
						  TC_H_CLSACT, 0, NULL))); /* with all filters */
}

/* ---- the job ---- */

static int set_limits(struct limits_job *job, struct nl_sock *sock)
{
	bool wanted = job->limits.up.rate > 0;
	unsigned int priority = 0;
	int err = wanted ? add_up(job, sock, &priority) : 0;

	if (err < 0)
		return err;
	err = set_down(job, sock);
	if (err < 0 && wanted)
		(void)delete_filter(job, sock, priority);
	if (err < 0)
		return err;
	return wanted ? delete_old(job, sock, priority) : delete_up(job, sock);
}

/* A failure is a result: with the part of the kernel that it is about. */
static int limits_run(struct kernel_job *job, struct netlink *netlink)
{
	struct limits_job *limits = (struct limits_job *)job;

	limits->part = "interface";
	limits->err = !limits->ifindex || limits->ifindex > INT32_MAX
			      ? -EINVAL
			      : set_limits(limits, netlink->route);
	return 0;
}

static bool limits_deliver(struct kernel_job *job)
{
	struct limits_job *limits = (struct limits_job *)job;

	if (limits->tell)
		limits->tell(job->ctx, limits->err, limits->part);
	return false;
}

/* Nothing to undo: a limit ends with its interface, and who cancels has no more use for that. */
static const struct kernel_job_type limits_type = {
	.size = sizeof(struct limits_job),
	.lane = KERNEL_LANE_RTNL,
	.run = limits_run,
	.deliver = limits_deliver,
};

struct kernel_job *kernel_limits_set(struct kernel *kernel, uint32_t ifindex,
	const struct kernel_limits *limits, kernel_limits_fn *done, void *ctx)
{
	struct kernel_job *job = kernel_job_new(kernel, &limits_type, NULL, ctx);
	struct limits_job *job_limits = (struct limits_job *)job;

	if (!job)
		return NULL;
	job_limits->tell = done;
	job_limits->ifindex = ifindex;
	job_limits->limits = *limits;
	kernel_job_submit(job);
	return job;
}
