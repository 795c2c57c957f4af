/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * job: what a kind of work is to the queue of thread.c. Internal to lns/kernel.
 *
 * A job's structure begins with struct kernel_job; its kind says how it runs on the thread, how what it
 * made is taken back, and how results are handed out on the loop.
 */
#ifndef LNS_KERNEL_JOB_H
#define LNS_KERNEL_JOB_H

#include "lns/kernel/kernel.h"
#include "lns/kernel/netlink.h"

#include <sys/queue.h>

/* Jobs of one lane run in order, one after the other; those of different lanes in no order. */
enum kernel_lane {
	KERNEL_LANE_L2TP,
	KERNEL_LANE_RTNL,  /* may wait for rtnl */
	KERNEL_LANE_GRACE, /* second steps: several threads at once, in no order; no netlink */
	KERNEL_LANE_CLOSE, /* descriptors that nobody waits for; likewise */
	KERNEL_LANES
};

struct kernel_job_type {
	size_t size; /* of the whole structure */
	enum kernel_lane lane;

	/* On the thread: do it. 0 or -errno; a descriptor for done goes to job->fd. */
	int (*run)(struct kernel_job *job, struct netlink *netlink);
	/* Then, in KERNEL_LANE_GRACE: what waits for a grace period of RCU. As run; or NULL. */
	int (*grace)(struct kernel_job *job);
	/* On the thread: take back what a successful run, and grace, made; NULL when there is nothing to. */
	void (*undo)(struct kernel_job *job, struct netlink *netlink);
	/* On the thread: close what the job holds, run or not; NULL when it holds nothing. */
	void (*release)(struct kernel_job *job);
	/* On the loop: hand out the next result. false when there is none left. NULL: no results. */
	bool (*deliver)(struct kernel_job *job);
	/* On the loop: free the results; NULL when there are none. */
	void (*clear)(struct kernel_job *job);
};

enum kernel_job_state {
	JOB_QUEUED,     /* to be run */
	JOB_RUNNING,    /* on the thread */
	JOB_GRACE,      /* queued for its second step, or in it */
	JOB_FINISHED,   /* waits for the loop */
	JOB_UNDOING,    /* cancelled after it had finished: queued to be undone */
	JOB_DELIVERING, /* results and done go out */
};

struct kernel_job {
	TAILQ_ENTRY(kernel_job) entry; /* of the queue or of the finished jobs */
	const struct kernel_job_type *type;
	struct kernel *kernel;
	kernel_done_fn *done;
	void *ctx;
	/* Under the kernel's lock until the job is delivered. */
	enum kernel_job_state state;
	bool cancelled;
	int err;
	int fd; /* made by the job, or -1 */
};

/* A zeroed job of a kind, with fd = -1, not queued yet. NULL when memory is short. */
struct kernel_job *kernel_job_new(
	struct kernel *kernel, const struct kernel_job_type *type, kernel_done_fn *done, void *ctx);
void kernel_job_submit(struct kernel_job *job);

/*
 * A copy of fd for the time of a job: kept in *ret_fd (-errno instead when it cannot be copied, which
 * the job then reports as its error).
 */
void kernel_job_hold(int fd, int *ret_fd);

#endif
