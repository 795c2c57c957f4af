/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * thread: the queues of jobs, the threads that run them, and the way of the completions back.
 *
 * There are lanes, each with a queue, a thread and netlink sockets of its own: whoever takes rtnl may
 * wait for seconds while interfaces come and go, and calls in setup must not wait for that. A lane runs
 * its jobs in order of submission. What waits for a grace period of RCU, 17 ms on Linux 6.1 however idle the
 * machine is, is done in lanes without netlink that have up to GRACE_THREADS threads, which share the
 * grace periods; they start when more is queued than are idle. There are two, so that a call in setup, whose
 * second step it is, does not wait behind 1,000 abandoned ones, whose sockets are closed.
 *
 * One lock guards the lists and the jobs' states; it is held for moments only, never across a
 * system call that can take long. An eventfd, readable
 * while finished jobs wait, brings them to the loop, which hands out at most KERNEL_TURN results and
 * completions a turn.
 *
 * Cancelling: a queued job is not run; a running one is undone by the thread when it returns; a finished
 * one goes back into the queue to be undone there, because undoing may wait in the kernel. In each case
 * the job itself returns to the loop, which frees it without calling done.
 */
#include "lns/env.h"
#include "lns/kernel/job.h"
#include "lns/kernel/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define KERNEL_TURN   128
#define KERNEL_DONE   4 /* results that a completion counts for: it sends, or logs */
#define GRACE_THREADS 16

TAILQ_HEAD(job_list, kernel_job);

static const struct lane_rule {
	const char *name; /* of its threads */
	unsigned int threads;
	bool netlink;
} lane_rules[KERNEL_LANES] = {
	[KERNEL_LANE_L2TP] = { "kernel", 1, true },
	[KERNEL_LANE_RTNL] = { "rtnl", 1, true },
	[KERNEL_LANE_GRACE] = { "grace", GRACE_THREADS, false },
	[KERNEL_LANE_CLOSE] = { "closer", GRACE_THREADS, false },
};

/* Only its descriptor, and nobody to tell. */
static const struct kernel_job_type close_type = {
	.size = sizeof(struct kernel_job),
	.lane = KERNEL_LANE_CLOSE,
};

struct lane {
	struct kernel *kernel;
	const struct lane_rule *rule;
	struct netlink netlink; /* the thread's */
	bool open;
	sem_t work; /* one for each job; a condition's signal may wait for a slow waiter */

	/* under the lock */
	struct job_list queue;
	unsigned int queued, idle, started;
	bool stop;
	pthread_t threads[GRACE_THREADS];
};

struct kernel {
	struct lane lanes[KERNEL_LANES];
	struct env_io *io;
	struct kernel_watch *watch;
	unsigned int pending; /* the loop's */

	pthread_mutex_t lock;
	struct job_list finished;
	uint64_t longest;
	int event; /* eventfd */
};

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static struct lane *lane_of(const struct kernel_job *job)
{
	return &job->kernel->lanes[job->type->lane];
}

static void event_raise(struct kernel *kernel)
{
	uint64_t one = 1;

	/* Fails only when the counter is full: then it is raised already. */
	if (write(kernel->event, &one, sizeof(one)) < 0)
		return;
}

static void event_lower(struct kernel *kernel)
{
	uint64_t count;

	if (read(kernel->event, &count, sizeof(count)) < 0)
		return;
}

static void job_undo(struct kernel_job *job, struct netlink *netlink)
{
	if (!job->err && job->type->undo)
		job->type->undo(job, netlink);
	job->err = -ECANCELED;
}

static void job_release(struct kernel_job *job)
{
	if (job->type->release)
		job->type->release(job);
}

static void job_free(struct kernel_job *job)
{
	if (job->type->clear)
		job->type->clear(job);
	job->kernel->pending--;
	free(job);
}

/*
 * Runs one job, already in state JOB_RUNNING, JOB_GRACE or JOB_UNDOING; called and returns with the lock
 * held.
 */
static void thread_step(struct lane *lane, struct kernel_job *job)
{
	struct kernel *kernel = lane->kernel;
	bool first = job->state == JOB_RUNNING, run = job->state != JOB_UNDOING && !job->cancelled;
	uint64_t start = now_us(), spent;

	pthread_mutex_unlock(&kernel->lock);
	if (run)
		job->err = first ? job->type->run(job, &lane->netlink) : job->type->grace(job);
	else if (first)
		job->err = -ECANCELED;
	else
		job_undo(job, &lane->netlink);
	if (first)
		job_release(job);
	pthread_mutex_lock(&kernel->lock);
	if (run && job->cancelled) {
		pthread_mutex_unlock(&kernel->lock);
		job_undo(job, &lane->netlink);
		pthread_mutex_lock(&kernel->lock);
	}
	spent = now_us() - start;
	if (spent > kernel->longest)
		kernel->longest = spent;
}

static void *thread_main(void *arg);

/* One more thread, with no signals: they are the loop's. With the lock held, or before anybody is there. */
static int lane_start(struct lane *lane)
{
	pthread_t *thread = &lane->threads[lane->started];
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(thread, NULL, thread_main, lane);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!err) {
		pthread_setname_np(*thread, lane->rule->name);
		lane->started++;
	}
	return -err;
}

/* Puts a job into the queue, for one more thread if all are busy and there may be more. */
static void lane_add(struct lane *lane, struct kernel_job *job)
{
	TAILQ_INSERT_TAIL(&lane->queue, job, entry);
	lane->queued++;
	if (lane->queued > lane->idle && lane->started < lane->rule->threads)
		lane_start(lane); /* or the others do it */
	sem_post(&lane->work);
}

/* Waits for a job and takes it out of the queue; NULL: this is the end. With the lock held. */
static struct kernel_job *lane_take(struct lane *lane)
{
	struct kernel_job *job;

	lane->idle++;
	pthread_mutex_unlock(&lane->kernel->lock);
	while (sem_wait(&lane->work) < 0)
		; /* EINTR: a debugger's */
	pthread_mutex_lock(&lane->kernel->lock);
	lane->idle--;
	job = TAILQ_FIRST(&lane->queue);
	if (lane->stop && (!job || job->type != &close_type))
		return NULL;
	TAILQ_REMOVE(&lane->queue, job, entry);
	lane->queued--;
	return job;
}

static void close_now(struct kernel_job *job)
{
	close(job->fd);
	free(job);
}

static void *thread_main(void *arg)
{
	struct lane *lane = arg;
	struct kernel *kernel = lane->kernel;
	struct kernel_job *job;

	pthread_mutex_lock(&kernel->lock);
	while ((job = lane_take(lane))) {
		if (job->type == &close_type) {
			pthread_mutex_unlock(&kernel->lock);
			close_now(job);
			pthread_mutex_lock(&kernel->lock);
			continue;
		}
		if (job->state == JOB_QUEUED)
			job->state = JOB_RUNNING;
		thread_step(lane, job);
		if (job->state == JOB_RUNNING && job->type->grace && !job->err) {
			job->state = JOB_GRACE;
			lane_add(&kernel->lanes[KERNEL_LANE_GRACE], job);
			continue;
		}
		job->state = JOB_FINISHED;
		if (TAILQ_EMPTY(&kernel->finished))
			event_raise(kernel);
		TAILQ_INSERT_TAIL(&kernel->finished, job, entry);
	}
	pthread_mutex_unlock(&kernel->lock);
	return NULL;
}

/* The next finished job for the loop; lowers the event when there is none. */
static struct kernel_job *finished_take(struct kernel *kernel)
{
	struct kernel_job *job;

	pthread_mutex_lock(&kernel->lock);
	job = TAILQ_FIRST(&kernel->finished);
	if (job)
		job->state = JOB_DELIVERING; /* stays in its place until all is handed out */
	else
		event_lower(kernel);
	pthread_mutex_unlock(&kernel->lock);
	return job;
}

static void finished_drop(struct kernel *kernel, struct kernel_job *job)
{
	pthread_mutex_lock(&kernel->lock);
	TAILQ_REMOVE(&kernel->finished, job, entry);
	pthread_mutex_unlock(&kernel->lock);
	job_free(job);
}

/* Hands out results, then done; returns how much of the turn is left, 0 when job has more. */
static unsigned int job_deliver(struct kernel_job *job, unsigned int turn)
{
	if (!job->cancelled && !job->err && job->type->deliver) {
		while (turn && !job->cancelled && job->type->deliver(job))
			turn--;
		if (!turn)
			return 0;
	}
	if (!job->cancelled && job->done)
		job->done(job->ctx, job->err, job->fd);
	finished_drop(job->kernel, job);
	return turn > KERNEL_DONE ? turn - KERNEL_DONE : 0;
}

static void on_event(void *ctx, int events)
{
	struct kernel *kernel = ctx;
	struct kernel_job *job;
	unsigned int turn = KERNEL_TURN;

	(void)events;
	while (turn && (job = finished_take(kernel)))
		turn = job_deliver(job, turn);
}

static int lane_open(struct lane *lane)
{
	int err = lane->rule->netlink ? netlink_open(&lane->netlink) : 0;

	lane->open = lane->rule->netlink && !err;
	return err;
}

/*
 * Ends the threads of the lanes from first to before end: running jobs are waited for, queued ones stay where
 * they are, but for descriptors: they are closed.
 */
static void lanes_stop(struct kernel *kernel, int first, int end)
{
	pthread_mutex_lock(&kernel->lock);
	for (int i = first; i < end; i++) {
		kernel->lanes[i].stop = true;
		for (unsigned int t = 0; t < kernel->lanes[i].rule->threads; t++)
			sem_post(&kernel->lanes[i].work);
	}
	pthread_mutex_unlock(&kernel->lock);
	for (int i = first; i < end; i++)
		for (unsigned int t = 0; t < kernel->lanes[i].started; t++)
			pthread_join(kernel->lanes[i].threads[t], NULL);
}

/* Everything but the jobs. */
static void kernel_dispose(struct kernel *kernel)
{
	lanes_stop(kernel, KERNEL_LANE_CLOSE, KERNEL_LANES); /* with what was undone meanwhile */
	env_io_free(kernel->io);
	kernel_watch_free(kernel->watch);
	for (int i = 0; i < KERNEL_LANES; i++) {
		if (kernel->lanes[i].open)
			netlink_close(&kernel->lanes[i].netlink);
		sem_destroy(&kernel->lanes[i].work);
	}
	if (kernel->event >= 0)
		close(kernel->event);
	pthread_mutex_destroy(&kernel->lock);
	free(kernel);
}

int kernel_new(struct env *env, const struct kernel_watch_ops *watch, void *ctx,
	struct kernel **ret_kernel)
{
	struct kernel *kernel = calloc(1, sizeof(*kernel));
	int err;

	if (!kernel)
		return -ENOMEM;
	TAILQ_INIT(&kernel->finished);
	pthread_mutex_init(&kernel->lock, NULL);
	for (int i = 0; i < KERNEL_LANES; i++) {
		kernel->lanes[i].kernel = kernel;
		kernel->lanes[i].rule = &lane_rules[i];
		TAILQ_INIT(&kernel->lanes[i].queue);
		sem_init(&kernel->lanes[i].work, 0, 0);
	}
	kernel->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = kernel->event < 0 ? -errno : 0;
	for (int i = 0; i < KERNEL_LANES && !err; i++)
		err = lane_open(&kernel->lanes[i]);
	if (!err && watch)
		err = kernel_watch_new(env, watch, ctx, &kernel->watch);
	if (err)
		goto fail;
	err = -ENOMEM;
	kernel->io = env_io_new(env, kernel->event, ENV_READ, on_event, kernel);
	if (!kernel->io)
		goto fail;
	err = 0;
	for (int i = 0; i < KERNEL_LANES && !err; i++)
		err = lane_start(&kernel->lanes[i]);
	if (err)
		goto fail;
	*ret_kernel = kernel;
	return 0;
fail:
	lanes_stop(kernel, 0, KERNEL_LANE_CLOSE);
	kernel_dispose(kernel);
	return err;
}

void kernel_free(struct kernel *kernel)
{
	struct kernel_job *job;

	if (!kernel)
		return;
	lanes_stop(kernel, 0, KERNEL_LANE_CLOSE);

	/* What nobody was told of is undone here: the threads, whose sockets these were, are gone. */
	for (int i = 0; i < KERNEL_LANE_CLOSE; i++) {
		struct lane *lane = &kernel->lanes[i];

		while ((job = TAILQ_FIRST(&lane->queue))) {
			TAILQ_REMOVE(&lane->queue, job, entry);
			if (job->state == JOB_UNDOING || job->state == JOB_GRACE)
				job_undo(job, &lane->netlink);
			else
				job_release(job);
			job_free(job);
		}
	}
	while ((job = TAILQ_FIRST(&kernel->finished))) {
		TAILQ_REMOVE(&kernel->finished, job, entry);
		job_undo(job, &lane_of(job)->netlink);
		job_free(job);
	}
	kernel_dispose(kernel);
}

/* From any thread. Short of memory, waiting is better than leaking. */
void kernel_close(struct kernel *kernel, int fd)
{
	struct kernel_job *job = kernel_job_new(kernel, &close_type, NULL, NULL);

	if (!job) {
		close(fd);
		return;
	}
	job->fd = fd;
	pthread_mutex_lock(&kernel->lock);
	lane_add(&kernel->lanes[KERNEL_LANE_CLOSE], job);
	pthread_mutex_unlock(&kernel->lock);
}

unsigned int kernel_pending(const struct kernel *kernel)
{
	return kernel->pending;
}

uint64_t kernel_longest(const struct kernel *kernel)
{
	struct kernel *mutable = (struct kernel *)kernel;
	uint64_t longest;

	pthread_mutex_lock(&mutable->lock);
	longest = kernel->longest;
	pthread_mutex_unlock(&mutable->lock);
	return longest;
}

struct kernel_job *kernel_job_new(
	struct kernel *kernel, const struct kernel_job_type *type, kernel_done_fn *done, void *ctx)
{
	struct kernel_job *job = calloc(1, type->size);

	if (!job)
		return NULL;
	job->type = type;
	job->kernel = kernel;
	job->done = done;
	job->ctx = ctx;
	job->fd = -1;
	return job;
}

void kernel_job_submit(struct kernel_job *job)
{
	struct kernel *kernel = job->kernel;

	kernel->pending++;
	pthread_mutex_lock(&kernel->lock);
	lane_add(lane_of(job), job);
	pthread_mutex_unlock(&kernel->lock);
}

void kernel_job_hold(int fd, int *ret_fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	*ret_fd = copy < 0 ? -errno : copy;
}

void kernel_cancel(struct kernel_job *job)
{
	struct kernel *kernel;

	if (!job)
		return;
	kernel = job->kernel;
	pthread_mutex_lock(&kernel->lock);
	job->cancelled = true;
	if (job->state == JOB_FINISHED && !job->err && job->type->undo) {
		job->state = JOB_UNDOING;
		TAILQ_REMOVE(&kernel->finished, job, entry);
		lane_add(lane_of(job), job);
	}
	pthread_mutex_unlock(&kernel->lock);
}
