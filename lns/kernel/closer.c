/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * closer: a few threads that do nothing but close.
 *
 * The last close of a PPPoL2TP socket waits for a grace period of RCU, 17 ms on Linux 6.1, however idle
 * the machine is. One after another, 1,000 abandoned calls would hold the kernel thread for 17 s; closed
 * by several threads at once they share the grace periods. Threads start when there is more to close
 * than threads are idle, and stay.
 */
#include "lns/kernel/closer.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <unistd.h>

#define CLOSER_THREADS 16

struct closing {
	STAILQ_ENTRY(closing) entry;
	int fd;
};

struct kernel_closer {
	pthread_mutex_t lock;
	sem_t work; /* one for each descriptor; a condition's signal may wait for a slow waiter */
	STAILQ_HEAD(closing_list, closing) queue;
	unsigned int queued, idle, started;
	bool stop;
	pthread_t threads[CLOSER_THREADS];
};

static void *closer_main(void *arg)
{
	struct kernel_closer *closer = arg;
	struct closing *closing;

	pthread_mutex_lock(&closer->lock);
	for (;;) {
		closer->idle++;
		pthread_mutex_unlock(&closer->lock);
		while (sem_wait(&closer->work) < 0)
			; /* EINTR: a debugger's */
		pthread_mutex_lock(&closer->lock);
		closer->idle--;
		closing = STAILQ_FIRST(&closer->queue);
		if (!closing)
			break;
		STAILQ_REMOVE_HEAD(&closer->queue, entry);
		closer->queued--;
		pthread_mutex_unlock(&closer->lock);
		close(closing->fd);
		free(closing);
		pthread_mutex_lock(&closer->lock);
	}
	pthread_mutex_unlock(&closer->lock);
	return NULL;
}

/* One more thread, with no signals: they are the loop's. With the lock held. */
static void thread_start(struct kernel_closer *closer)
{
	pthread_t *thread = &closer->threads[closer->started];
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (!pthread_create(thread, NULL, closer_main, closer)) {
		pthread_setname_np(*thread, "closer");
		closer->started++;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

int kernel_closer_new(struct kernel_closer **ret_closer)
{
	struct kernel_closer *closer = calloc(1, sizeof(*closer));

	if (!closer)
		return -ENOMEM;
	STAILQ_INIT(&closer->queue);
	pthread_mutex_init(&closer->lock, NULL);
	sem_init(&closer->work, 0, 0);
	*ret_closer = closer;
	return 0;
}

void kernel_closer_free(struct kernel_closer *closer)
{
	unsigned int i;

	if (!closer)
		return;
	pthread_mutex_lock(&closer->lock);
	closer->stop = true;
	for (i = 0; i < closer->started; i++)
		sem_post(&closer->work);
	pthread_mutex_unlock(&closer->lock);
	for (i = 0; i < closer->started; i++)
		pthread_join(closer->threads[i], NULL);
	sem_destroy(&closer->work);
	pthread_mutex_destroy(&closer->lock);
	free(closer);
}

void kernel_closer_add(struct kernel_closer *closer, int fd)
{
	struct closing *closing = malloc(sizeof(*closing));

	if (closing) {
		closing->fd = fd;
		pthread_mutex_lock(&closer->lock);
		if (closer->queued >= closer->idle && closer->started < CLOSER_THREADS)
			thread_start(closer);
		if (closer->started) {
			STAILQ_INSERT_TAIL(&closer->queue, closing, entry);
			closer->queued++;
			sem_post(&closer->work);
			closing = NULL;
			fd = -1;
		}
		pthread_mutex_unlock(&closer->lock);
	}
	/* Short of memory or threads: waiting is better than leaking. */
	if (fd >= 0)
		close(fd);
	free(closing);
}
