// SPDX-License-Identifier: BSD-2-Clause
/* fake_kernel: see fake_kernel.h. */
#include "tests/unit/subscriber/fake.h"

#include "lns/rate.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

struct kernel_job {
	struct kernel_job *next;
	const char *kind;
	kernel_done_fn *done;
	kernel_opened_fn *opened;
	kernel_sample_fn *sample;
	kernel_limits_fn *limited;
	void *ctx;
};

static struct kernel_job *job_new(const char *kind, kernel_done_fn *fn, void *ctx)
{
	struct kernel_job *job, **tail = &w.kernel.jobs;

	if (w.kernel.refuse_jobs)
		return NULL;
	job = calloc(1, sizeof(*job));
	if (!job)
		return NULL;
	job->kind = kind;
	job->done = fn;
	job->ctx = ctx;
	while (*tail)
		tail = &(*tail)->next;
	*tail = job;
	return job;
}

static void unlink_job(struct kernel_job *job)
{
	struct kernel_job **link = &w.kernel.jobs;

	while (*link && *link != job)
		link = &(*link)->next;
	cr_assert_not_null(*link, "a job is used that is done or cancelled");
	*link = job->next;
}

struct kernel_job *fake_kernel_job(const char *kind, const void *ctx)
{
	struct kernel_job *job = w.kernel.jobs;

	while (job && (strcmp(job->kind, kind) != 0 || (ctx && job->ctx != ctx)))
		job = job->next;
	return job;
}

void fake_kernel_answer(struct kernel_job *job, int err)
{
	int fd = -1;

	cr_assert_not_null(job, "nothing was asked of the kernel");
	unlink_job(job);
	if (strcmp(job->kind, "open") == 0 && err == 0) {
		w.kernel.descriptors++;
		fd = 1000;
	}
	if (job->opened)
		job->opened(job->ctx, err, fd, FAKE_CHANNEL);
	if (job->done)
		job->done(job->ctx, err, fd);
	free(job);
}

void fake_kernel_sample(uint32_t ifindex, uint64_t octets, uint64_t packets)
{
	struct kernel_job *job = fake_kernel_job("sample", NULL);
	const struct kernel_counters counters = { octets, octets, packets, packets };

	cr_assert_not_null(job, "no sample was asked for");
	job->sample(job->ctx, ifindex, &counters);
	fake_kernel_answer(job, 0);
}

void fake_kernel_limits(int err)
{
	struct kernel_job *job = fake_kernel_job("limits", NULL);

	cr_assert_not_null(job, "no limit was asked for");
	job->limited(job->ctx, err, "sch_tbf");
	fake_kernel_answer(job, 0);
}

void fake_kernel_routes(int err)
{
	struct kernel_job *job;

	while ((job = fake_kernel_job("route", NULL)))
		fake_kernel_answer(job, err);
}

/* ---- kernel.h ---- */

struct kernel_job *kernel_session_open(struct kernel *kernel, int fd,
	const struct kernel_session *session, kernel_opened_fn *fn, void *ctx)
{
	struct kernel_job *job;

	(void)kernel;
	cr_assert_eq(fd, 2000);
	cr_assert(session->session_id && session->peer_session_id && session->tunnel_id);
	if (session->reorder_timeout)
		done("open:%u", session->reorder_timeout);
	else
		done("open");
	job = job_new("open", NULL, ctx);
	if (job)
		job->opened = fn;
	return job;
}

int kernel_session_sequence(int fd)
{
	cr_assert_eq(fd, 1000);
	done("number");
	return w.kernel.sequence_error;
}

void kernel_close(struct kernel *kernel, int fd)
{
	(void)kernel;
	cr_assert_eq(fd, 1000);
	cr_assert_gt(w.kernel.descriptors, 0);
	w.kernel.descriptors--;
	done("close");
}

struct kernel_job *kernel_link_set_group(struct kernel *kernel, uint32_t ifindex, uint32_t group,
	const char *alias, kernel_done_fn *fn, void *ctx)
{
	(void)alias;
	(void)kernel;
	(void)ifindex;
	(void)fn;
	(void)ctx;
	done("group%u", group);
	return NULL;
}

struct kernel_job *kernel_links_delete(struct kernel *kernel, const uint32_t *ifindexes,
	size_t count, kernel_done_fn *fn, void *ctx)
{
	(void)kernel;
	for (size_t i = 0; i < count; i++)
		cr_assert_gt(ifindexes[i], 0);
	done("unlink%zu", count);
	return fn ? job_new("unlinks", fn, ctx) : NULL;
}

struct kernel_job *kernel_link_delete(
	struct kernel *kernel, uint32_t ifindex, kernel_done_fn *fn, void *ctx)
{
	(void)kernel;
	(void)fn;
	(void)ctx;
	cr_assert_gt(ifindex, 0);
	done("unlink");
	return NULL;
}

struct kernel_job *kernel_route_change(struct kernel *kernel, bool add,
	const struct addr_prefix *prefix, uint32_t ifindex, uint32_t table, kernel_done_fn *fn,
	void *ctx)
{
	char text[ADDR_TEXT];

	(void)kernel;
	(void)table;
	cr_assert_gt(ifindex, 0);
	done("%croute:%s/%u", add ? '+' : '-', addr_text_host(&prefix->addr, text), prefix->len);
	return job_new("route", fn, ctx);
}

struct kernel_job *kernel_sample_counters(
	struct kernel *kernel, kernel_sample_fn *sample, kernel_done_fn *fn, void *ctx)
{
	struct kernel_job *job = job_new("sample", fn, ctx);

	(void)kernel;
	if (job)
		job->sample = sample;
	return job;
}

struct kernel_job *kernel_limits_set(struct kernel *kernel, uint32_t ifindex,
	const struct kernel_limits *limits, kernel_limits_fn *fn, void *ctx)
{
	struct kernel_job *job = job_new("limits", NULL, ctx);
	char down[RATE_TEXT], up[RATE_TEXT];

	(void)kernel;
	cr_assert_gt(ifindex, 0);
	done("limit:%s/%s", rate_text(limits->down.rate, down), rate_text(limits->up.rate, up));
	if (job)
		job->limited = fn;
	return job;
}

void kernel_cancel(struct kernel_job *job)
{
	if (!job)
		return;
	unlink_job(job);
	free(job);
}
