/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The queue of the kernel thread, with jobs of the tests' own that wait until they are let go: order,
 * results, budgets, cancelling in each state, and the end.
 */
#include "lns/kernel/job.h"
#include "tests/unit/env_fake.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define MAX_DONE 2000

static struct {
	struct env *env;
	struct kernel *kernel;
	sem_t started, go; /* of jobs that wait */
	int ran, undone, released, cleared, delivered;
	unsigned int count;
	struct {
		int id, err, fd;
	} done[MAX_DONE];
	struct kernel_job *cancel_in_callback;
	int cancel_after; /* results */
} t;

struct test_job {
	struct kernel_job job;
	bool wait;
	int err, results;
};

static int test_run(struct kernel_job *job, struct netlink *netlink)
{
	struct test_job *test = (struct test_job *)job;

	cr_assert_not_null(netlink->route);
	if (test->wait) {
		sem_post(&t.started);
		sem_wait(&t.go);
	}
	__atomic_fetch_add(&t.ran, 1, __ATOMIC_SEQ_CST);
	job->fd = 7;
	return test->err;
}

static void test_undo(struct kernel_job *job, struct netlink *netlink)
{
	cr_assert_not_null(netlink->route);
	cr_assert_eq(job->fd, 7);
	__atomic_fetch_add(&t.undone, 1, __ATOMIC_SEQ_CST);
}

static void test_release(struct kernel_job *job)
{
	(void)job;
	__atomic_fetch_add(&t.released, 1, __ATOMIC_SEQ_CST);
}

static void test_clear(struct kernel_job *job)
{
	(void)job;
	t.cleared++;
}

static bool test_deliver(struct kernel_job *job)
{
	struct test_job *test = (struct test_job *)job;

	if (!test->results)
		return false;
	test->results--;
	t.delivered++;
	if (t.cancel_in_callback && t.delivered == t.cancel_after)
		kernel_cancel(t.cancel_in_callback);
	return true;
}

static const struct kernel_job_type test_type = {
	.size = sizeof(struct test_job),
	.run = test_run,
	.undo = test_undo,
	.release = test_release,
	.deliver = test_deliver,
	.clear = test_clear,
};

static const struct kernel_job_type rtnl_type = {
	.size = sizeof(struct test_job),
	.lane = KERNEL_LANE_RTNL,
	.run = test_run,
	.undo = test_undo,
};

static void on_done(void *ctx, int err, int fd)
{
	cr_assert_lt(t.count, MAX_DONE);
	t.done[t.count].id = (int)(intptr_t)ctx;
	t.done[t.count].err = err;
	t.done[t.count].fd = fd;
	t.count++;
	if (t.cancel_in_callback && !t.cancel_after)
		kernel_cancel(t.cancel_in_callback);
}

static void setup(void)
{
	t.env = env_fake_new();
	sem_init(&t.started, 0, 0);
	sem_init(&t.go, 0, 0);
	cr_assert_eq(kernel_new(t.env, NULL, NULL, &t.kernel), 0);
}

static void teardown(void)
{
	kernel_free(t.kernel);
	env_fake_free(t.env);
}

TestSuite(queue, .init = setup, .fini = teardown);

static struct kernel_job *submit_of(const struct kernel_job_type *type, int id, bool wait)
{
	struct kernel_job *job = kernel_job_new(t.kernel, type, on_done, (void *)(intptr_t)id);

	cr_assert_not_null(job);
	((struct test_job *)job)->wait = wait;
	kernel_job_submit(job);
	return job;
}

static struct kernel_job *submit(int id, bool wait)
{
	return submit_of(&test_type, id, wait);
}

/* A job that has begun and waits for sem_post(&t.go). */
static struct kernel_job *submit_running(int id)
{
	struct kernel_job *job = submit(id, true);

	sem_wait(&t.started);
	return job;
}

/* Until the loop has seen every completion. */
static void finish_all(void)
{
	while (kernel_pending(t.kernel))
		env_fake_poll(t.env, 1000);
}

/* Until *counter, changed by the thread, is value. */
static void await(const int *counter, int value)
{
	struct timespec pause = { .tv_nsec = 100000 };

	while (__atomic_load_n(counter, __ATOMIC_SEQ_CST) != value)
		nanosleep(&pause, NULL);
}

Test(queue, completes_in_order_of_submission)
{
	int i;

	submit_running(0);
	for (i = 1; i < 100; i++)
		submit(i, false);
	cr_assert_eq(kernel_pending(t.kernel), 100);
	cr_assert_eq(env_fake_poll(t.env, 0), 0, "the loop never waits");
	sem_post(&t.go);
	finish_all();
	cr_assert_eq(t.count, 100);
	for (i = 0; i < 100; i++) {
		cr_assert_eq(t.done[i].id, i);
		cr_assert_eq(t.done[i].err, 0);
		cr_assert_eq(t.done[i].fd, 7);
	}
	cr_assert_eq(t.released, 100);
	cr_assert_eq(t.cleared, 100);
	cr_assert_eq(t.undone, 0);
}

Test(queue, who_waits_for_rtnl_holds_up_no_other)
{
	struct kernel_job *cancelled;

	submit_of(&rtnl_type, 1, true);
	sem_wait(&t.started);
	submit_of(&rtnl_type, 2, false);
	cancelled = submit_of(&rtnl_type, 3, false);
	submit(4, false);
	submit(5, false);
	await(&t.ran, 2);
	while (t.count < 2)
		env_fake_poll(t.env, 1000);
	cr_assert_eq(t.done[0].id, 4);
	cr_assert_eq(t.done[1].id, 5);
	kernel_cancel(cancelled);
	sem_post(&t.go);
	finish_all();
	cr_assert_eq(t.count, 4);
	cr_assert_eq(t.done[2].id, 1);
	cr_assert_eq(t.done[3].id, 2);
	cr_assert_eq(t.undone, 0);
}

Test(queue, done_comes_from_the_loop_only_a_bounded_number_a_turn)
{
	int i;

	for (i = 0; i < 1000; i++)
		submit(i, false);
	await(&t.ran, 1000);
	cr_assert_eq(t.count, 0);
	env_fake_poll(t.env, 1000);
	cr_assert_gt(t.count, 0);
	cr_assert_leq(t.count, 128);
	finish_all();
	cr_assert_eq(t.count, 1000);
	cr_assert_leq(env_fake_poll(t.env, 0), 1, "at most one more turn lowers the event");
	cr_assert_eq(env_fake_poll(t.env, 0), 0);
}

Test(queue, results_come_before_done_and_are_bounded_too)
{
	struct kernel_job *job = submit_running(1);

	((struct test_job *)job)->results = 300;
	sem_post(&t.go);
	env_fake_poll(t.env, 1000);
	cr_assert_eq(t.delivered, 128);
	cr_assert_eq(t.count, 0);
	env_fake_poll(t.env, 1000);
	cr_assert_eq(t.delivered, 256);
	env_fake_poll(t.env, 1000);
	cr_assert_eq(t.delivered, 300);
	cr_assert_eq(t.count, 1);
	cr_assert_eq(kernel_pending(t.kernel), 0);
}

Test(queue, error_is_reported_without_results)
{
	struct kernel_job *job = submit_running(1);

	((struct test_job *)job)->results = 3;
	((struct test_job *)job)->err = -EBUSY;
	sem_post(&t.go);
	finish_all();
	cr_assert_eq(t.done[0].err, -EBUSY);
	cr_assert_eq(t.delivered, 0);
}

Test(queue, cancelled_while_queued_never_runs)
{
	struct kernel_job *job;

	submit_running(1);
	job = submit(2, false);
	submit(3, false);
	kernel_cancel(job);
	sem_post(&t.go);
	finish_all();
	cr_assert_eq(t.count, 2);
	cr_assert_eq(t.done[1].id, 3);
	cr_assert_eq(t.ran, 2);
	cr_assert_eq(t.undone, 0);
	cr_assert_eq(t.released, 3);
	cr_assert_eq(t.cleared, 3);
}

Test(queue, cancelled_while_running_is_undone)
{
	struct kernel_job *job = submit_running(1);

	kernel_cancel(job);
	sem_post(&t.go);
	finish_all();
	cr_assert_eq(t.count, 0);
	cr_assert_eq(t.ran, 1);
	cr_assert_eq(t.undone, 1);
	cr_assert_eq(t.released, 1);
}

Test(queue, cancelled_while_running_and_failed_has_nothing_to_undo)
{
	struct kernel_job *job = submit_running(1);

	((struct test_job *)job)->err = -EEXIST;
	kernel_cancel(job);
	sem_post(&t.go);
	finish_all();
	cr_assert_eq(t.undone, 0);
	cr_assert_eq(t.count, 0);
}

Test(queue, cancelled_after_it_finished_is_undone_on_the_thread)
{
	struct kernel_job *job = submit(1, false), *blocker;

	submit(2, false);
	await(&t.ran, 2);
	blocker = submit_running(3); /* so that both above are finished */
	kernel_cancel(job);
	cr_assert_eq(t.undone, 0, "not by the loop");
	sem_post(&t.go);
	finish_all();
	cr_assert_not_null(blocker);
	cr_assert_eq(t.undone, 1);
	cr_assert_eq(t.released, 3);
	cr_assert_eq(t.cleared, 3);
	cr_assert_eq(t.count, 2);
	cr_assert_eq(t.done[0].id, 2);
	cr_assert_eq(t.done[1].id, 3);
}

Test(queue, cancelled_between_two_results_ends_there)
{
	struct kernel_job *job = submit_running(1);

	((struct test_job *)job)->results = 300;
	t.cancel_in_callback = job;
	t.cancel_after = 200;
	sem_post(&t.go);
	finish_all();
	cr_assert_eq(t.delivered, 200);
	cr_assert_eq(t.count, 0);
	cr_assert_eq(t.cleared, 1);
}

Test(queue, done_may_cancel_another_finished_job)
{
	submit(1, false);
	t.cancel_in_callback = submit(2, false);
	await(&t.ran, 2);
	finish_all();
	cr_assert_eq(t.count, 1);
	cr_assert_eq(t.undone, 1);
}

Test(queue, done_may_cancel_itself_to_no_effect)
{
	t.cancel_in_callback = submit(1, false);
	finish_all();
	cr_assert_eq(t.count, 1);
	cr_assert_eq(t.undone, 0);
	kernel_cancel(NULL);
}

Test(queue, longest_job_is_measured)
{
	struct timespec pause = { .tv_nsec = 20000000 };

	cr_assert_eq(kernel_longest(t.kernel), 0);
	submit_running(1);
	nanosleep(&pause, NULL);
	sem_post(&t.go);
	finish_all();
	cr_assert_geq(kernel_longest(t.kernel), 20000);
	cr_assert_lt(kernel_longest(t.kernel), 10000000);
}

static int threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	int count = -2; /* "." and ".." */

	cr_assert_not_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void *let_go_later(void *arg)
{
	struct timespec pause = { .tv_nsec = 20000000 };

	(void)arg;
	nanosleep(&pause, NULL);
	sem_post(&t.go);
	return NULL;
}

Test(queue, end_waits_for_the_running_job_and_calls_nothing)
{
	int before = threads();
	pthread_t helper;

	submit(1, false);
	await(&t.ran, 1);
	submit_running(2);
	submit(3, false);
	kernel_cancel(submit(4, false));
	pthread_create(&helper, NULL, let_go_later, NULL);
	kernel_free(t.kernel);
	pthread_join(helper, NULL);
	cr_assert_eq(t.ran, 2);
	cr_assert_eq(t.undone, 2, "1 and 2 were done and nobody knows");
	cr_assert_eq(t.released, 4);
	cr_assert_eq(t.cleared, 4);
	cr_assert_eq(t.count, 0);
	cr_assert_eq(env_fake_watchers(t.env), 0);
	cr_assert_eq(threads(), before - KERNEL_LANES);
	t.kernel = NULL;
}

Test(queue, end_without_any_job)
{
	int before = threads();

	kernel_free(t.kernel);
	t.kernel = NULL;
	cr_assert_eq(threads(), before - KERNEL_LANES);
}

Test(queue, thread_takes_no_signals)
{
	char path[64], line[256];
	unsigned long long blocked = 0;
	struct dirent *entry;
	DIR *dir = opendir("/proc/self/task");
	FILE *file;

	cr_assert_not_null(dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || atol(entry->d_name) == getpid())
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%.20s/status", entry->d_name);
		file = fopen(path, "r");
		while (file && fgets(line, sizeof(line), file))
			if (sscanf(line, "SigBlk: %llx", &blocked) == 1)
				break;
		if (file)
			fclose(file);
	}
	closedir(dir);
	cr_assert(blocked & 1ull << (SIGTERM - 1));
	cr_assert(blocked & 1ull << (SIGCHLD - 1));
}
