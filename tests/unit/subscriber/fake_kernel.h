/* SPDX-License-Identifier: BSD-2-Clause */
/* fake_kernel: jobs that wait until the test answers them. */
#ifndef TESTS_UNIT_SUBSCRIBER_FAKE_KERNEL_H
#define TESTS_UNIT_SUBSCRIBER_FAKE_KERNEL_H

#include "lns/kernel/kernel.h"

#define FAKE_CHANNEL 77 /* of every session: the kernel's PPP channel */

struct fake_kernel {
	struct kernel_job *jobs;
	unsigned int descriptors; /* session sockets made and not closed */
	bool refuse_jobs;         /* memory is short */
	bool prompt;              /* sessions are made by the end of a turn */
	int sequence_error;       /* of kernel_session_sequence */
};

/* The oldest job of that kind ("open", "route", "sample", ...); NULL: none waits. */
struct kernel_job *fake_kernel_job(const char *kind, const void *ctx);
/* Answers it. */
void fake_kernel_answer(struct kernel_job *job, int err);
/* Answers the oldest sample with these counters for one interface. */
void fake_kernel_sample(uint32_t ifindex, uint64_t octets, uint64_t packets);
/* Answers the oldest request for limits; the part that refuses is sch_tbf. */
void fake_kernel_limits(int err);
/* Answers all route jobs. */
void fake_kernel_routes(int err);

#endif
