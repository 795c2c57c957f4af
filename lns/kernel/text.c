/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text: files that the kernel makes while they are read, which takes it its time. By the thread that may
 * wait.
 */
#include "lns/kernel/job.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define CHUNK 65536

struct text_job {
	struct kernel_job job;
	int fd;
	size_t max, len;
	char *text;
	char **ret_text;
};

static int text_run(struct kernel_job *job, struct netlink *netlink)
{
	struct text_job *read_job = (struct text_job *)job;
	ssize_t n = 1;

	(void)netlink;
	while (n > 0 && read_job->len < read_job->max) {
		size_t want = read_job->max - read_job->len;
		char *text;

		want = want < CHUNK ? want : CHUNK;
		text = realloc(read_job->text, read_job->len + want + 1);
		if (!text)
			return -ENOMEM;
		read_job->text = text;
		do
			n = read(read_job->fd, text + read_job->len, want);
		while (n < 0 && errno == EINTR);
		if (n < 0)
			return -errno;
		read_job->len += (size_t)n;
		text[read_job->len] = '\0';
	}
	return 0;
}

static void text_release(struct kernel_job *job)
{
	close(((struct text_job *)job)->fd);
}

static bool text_deliver(struct kernel_job *job)
{
	struct text_job *read_job = (struct text_job *)job;

	*read_job->ret_text = read_job->text;
	read_job->text = NULL;
	return false;
}

static void text_clear(struct kernel_job *job)
{
	free(((struct text_job *)job)->text);
}

static const struct kernel_job_type text_type = {
	.size = sizeof(struct text_job),
	.lane = KERNEL_LANE_RTNL, /* it waits for nothing that calls wait for */
	.run = text_run,
	.release = text_release,
	.deliver = text_deliver,
	.clear = text_clear,
};

struct kernel_job *kernel_text_read(
	struct kernel *kernel, int fd, size_t max, char **ret_text, kernel_done_fn *done, void *ctx)
{
	struct kernel_job *job = kernel_job_new(kernel, &text_type, done, ctx);
	struct text_job *read_job = (struct text_job *)job;

	if (!job) {
		close(fd);
		return NULL;
	}
	read_job->fd = fd;
	read_job->max = max;
	read_job->ret_text = ret_text;
	kernel_job_submit(job);
	return job;
}
