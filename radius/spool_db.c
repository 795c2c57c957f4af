// SPDX-License-Identifier: BSD-2-Clause
/*
 * spool_db: see spool_db.h. One transaction takes what was queued while the last one was on its way to
 * the disk and for a moment after it, so the cost of a flush is shared by as many jobs as there are, and
 * one that comes alone does not wait.
 *
 * The two queues and the name of a damaged file are shared under the mutex, which is held for moments
 * only and across no system call of the thread; the table belongs to the thread while that runs. A
 * semaphore wakes it: a condition's signal may wait for a slow waiter.
 */
#include "radius/spool_db.h"

#include "radius/spool.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define GROUP_MAX   1024  /* jobs in a transaction */
#define GROUP_SMALL 32    /* fewer, and the next ones are waited for */
#define GROUP_PAUSE 10000 /* microseconds */

struct spool_db {
	struct spool_table *table;
	pthread_t thread;
	pthread_mutex_t mutex;
	sem_t work; /* raised when the queue was empty, and at the end */
	struct spool_jobs queue, done;
	bool is_ending, is_running;
	char damaged[PATH_MAX]; /* not yet told; "" = none */
	unsigned int salvaged;
	unsigned int group_size; /* the thread's: jobs that it took last */
	int fd;
};

struct spool_job *spool_job_new(enum spool_job_kind kind, uint64_t id)
{
	struct spool_job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->kind = kind;
	job->row.id = id;
	return job;
}

void spool_job_free(struct spool_job *job)
{
	if (!job)
		return;
	free(job->attrs);
	free(job->rows);
	free(job->checkpoints);
	free(job);
}

/* ---- the thread ---- */

static bool is_write(const struct spool_job *job)
{
	return job->kind != SPOOL_READ && job->kind != SPOOL_SCAN;
}

/* With a Start its session is open, with a Stop it is not. */
static int put_one(struct spool_table *table, const struct spool_job *job)
{
	const struct spool_row *row = &job->row;
	int err = job->replaces ? spool_table_delete(table, job->replaces) : 0;

	err = err ? err : spool_table_insert(table, row, job->attrs, job->len);
	if (!err && job->opens)
		err = spool_table_open_session(
			table, row->session, row->event_time, job->attrs, job->opens);
	if (!err && row->kind == RADIUS_STOP)
		err = spool_table_close_session(table, row->session);
	return err;
}

static int write_checkpoints(struct spool_table *table, const struct spool_job *job)
{
	int err = 0;

	for (unsigned int i = 0; !err && i < job->count; i++) {
		const struct spool_checkpoint *at = &job->checkpoints[i];
		const uint8_t *octets = job->attrs + at->at;

		if (!at->session)
			continue;
		if (at->fixed_len)
			err = spool_table_open_session(
				table, at->session, at->event_time, octets, at->fixed_len);
		if (!err)
			err = spool_table_checkpoint(table, at->session, at->event_time,
				octets + at->fixed_len, at->len);
	}
	return err;
}

static int write_one(struct spool_table *table, const struct spool_job *job)
{
	switch (job->kind) {
	case SPOOL_PUT:
		return put_one(table, job);
	case SPOOL_DELETE:
		return spool_table_delete(table, job->row.id);
	case SPOOL_SET_ASIDE:
		return spool_table_set_aside(table, job->row.id);
	case SPOOL_CLOSE:
		return spool_table_close_session(table, job->row.session);
	case SPOOL_CHECKPOINT:
		return write_checkpoints(table, job);
	case SPOOL_PROBE:
		return spool_table_probe(table);
	case SPOOL_READ:
	case SPOOL_SCAN:
		break;
	}
	return 0;
}

/* All that a group writes, in one transaction: it succeeds as a whole or fails as a whole. */
static int write_group(struct spool_table *table, const struct spool_jobs *group)
{
	const struct spool_job *job;
	int err = spool_table_begin(table);

	if (err)
		return err;
	for (job = STAILQ_FIRST(group); job && !err; job = STAILQ_NEXT(job, entry))
		if (is_write(job))
			err = write_one(table, job);
	if (!err)
		err = spool_table_commit(table);
	if (err)
		spool_table_rollback(table);
	return err;
}

static int read_one(struct spool_table *table, struct spool_job *job)
{
	int count;

	if (job->kind == SPOOL_READ)
		return spool_table_read(table, job->row.id, &job->attrs, &job->len);
	if (!job->rows)
		job->rows = calloc(SPOOL_SCAN_MAX, sizeof(*job->rows));
	if (!job->rows)
		return -ENOMEM;
	count = spool_table_scan(table, job->row.id, job->rows, SPOOL_SCAN_MAX);
	job->count = count < 0 ? 0 : (unsigned int)count;
	return count < 0 ? count : 0;
}

static void note_damage(struct spool_db *db)
{
	unsigned int salvaged;
	const char *damaged = spool_table_damaged(db->table, &salvaged);

	if (!damaged)
		return;
	pthread_mutex_lock(&db->mutex);
	snprintf(db->damaged, sizeof(db->damaged), "%s", damaged);
	db->salvaged = salvaged;
	pthread_mutex_unlock(&db->mutex);
}

/* A damaged file is replaced, and what could not be done with it is tried once more. */
static void do_group(struct spool_db *db, struct spool_jobs *group)
{
	struct spool_job *job = STAILQ_FIRST(group);
	int err = 0;

	while (job && !is_write(job))
		job = STAILQ_NEXT(job, entry);
	if (job)
		err = write_group(db->table, group);
	if (err == -EUCLEAN && spool_table_replace(db->table) == 0)
		err = write_group(db->table, group);
	if (err)
		spool_table_recover(db->table);
	for (job = STAILQ_FIRST(group); job; job = STAILQ_NEXT(job, entry)) {
		job->err = is_write(job) ? err : read_one(db->table, job);
		if (!is_write(job) && job->err == -EUCLEAN && spool_table_replace(db->table) == 0)
			job->err = read_one(db->table, job);
	}
	note_damage(db);
}

/* Takes what is queued, at most GROUP_MAX. False: there is nothing, and nothing will come. */
static bool take_queued(struct spool_db *db, struct spool_jobs *group)
{
	struct spool_job *job;
	bool goes_on;

	db->group_size = 0;
	pthread_mutex_lock(&db->mutex);
	while (db->group_size < GROUP_MAX && (job = STAILQ_FIRST(&db->queue))) {
		STAILQ_REMOVE_HEAD(&db->queue, entry);
		STAILQ_INSERT_TAIL(group, job, entry);
		db->group_size++;
	}
	goes_on = !STAILQ_EMPTY(group) || !db->is_ending;
	pthread_mutex_unlock(&db->mutex);
	return goes_on;
}

/* Waits for work; false when there is none and there will be none. */
static bool take_group(struct spool_db *db, struct spool_jobs *group)
{
	while (take_queued(db, group)) {
		if (!STAILQ_EMPTY(group))
			return true;
		while (sem_wait(&db->work) < 0)
			; /* EINTR: a debugger's */
	}
	return false;
}

/* Returns whether there is nothing else to do. */
static bool finish_group(struct spool_db *db, struct spool_jobs *group)
{
	const uint64_t one = 1;
	bool is_idle;

	pthread_mutex_lock(&db->mutex);
	STAILQ_CONCAT(&db->done, group);
	is_idle = STAILQ_EMPTY(&db->queue) && !db->is_ending;
	pthread_mutex_unlock(&db->mutex);
	if (write(db->fd, &one, sizeof(one)) < 0)
		is_idle = false; /* the counter is full: it is readable anyway */
	return is_idle;
}

static bool is_idle(struct spool_db *db)
{
	bool idle;

	pthread_mutex_lock(&db->mutex);
	idle = STAILQ_EMPTY(&db->queue) && !db->is_ending;
	pthread_mutex_unlock(&db->mutex);
	return idle;
}

static void *run_thread(void *arg)
{
	struct spool_db *db = arg;
	struct spool_jobs group = STAILQ_HEAD_INITIALIZER(group);

	while (take_group(db, &group)) {
		do_group(db, &group);
		if (finish_group(db, &group))
			while (is_idle(db) && spool_table_tidy(db->table) > 0)
				;
		if (db->group_size < GROUP_SMALL)
			usleep(GROUP_PAUSE);
	}
	return NULL;
}

/* ---- the loop's side ---- */

void spool_db_submit(struct spool_db *db, struct spool_job *job)
{
	bool was_empty;

	pthread_mutex_lock(&db->mutex);
	was_empty = STAILQ_EMPTY(&db->queue);
	STAILQ_INSERT_TAIL(&db->queue, job, entry);
	pthread_mutex_unlock(&db->mutex);
	if (was_empty)
		sem_post(&db->work);
}

int spool_db_fd(const struct spool_db *db)
{
	return db->fd;
}

struct spool_job *spool_db_reap(struct spool_db *db)
{
	struct spool_job *job;
	uint64_t count;

	pthread_mutex_lock(&db->mutex);
	job = STAILQ_FIRST(&db->done);
	if (job)
		STAILQ_REMOVE_HEAD(&db->done, entry);
	if (STAILQ_EMPTY(&db->done) && read(db->fd, &count, sizeof(count)) < 0)
		count = 0; /* it was not readable */
	pthread_mutex_unlock(&db->mutex);
	return job;
}

int spool_db_damaged(struct spool_db *db, char *out, size_t size, unsigned int *ret_salvaged)
{
	int is_new;

	pthread_mutex_lock(&db->mutex);
	is_new = db->damaged[0] != '\0';
	if (is_new) {
		snprintf(out, size, "%s", db->damaged);
		*ret_salvaged = db->salvaged;
		db->damaged[0] = '\0';
	}
	pthread_mutex_unlock(&db->mutex);
	return is_new;
}

/* ---- start and end ---- */

/* The thread takes no signals: they are the loop's. */
static int start_thread(struct spool_db *db)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&db->thread, NULL, run_thread, db);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!err)
		(void)pthread_setname_np(db->thread, "spool");
	db->is_running = !err;
	return -err;
}

int spool_db_open(const char *path, void (*prepare)(void *ctx, struct spool_table *table),
	void *ctx, struct spool_db **ret_db, uint64_t *ret_max_id)
{
	struct spool_db *db = calloc(1, sizeof(*db));
	int err;

	if (!db)
		return -ENOMEM;
	STAILQ_INIT(&db->queue);
	STAILQ_INIT(&db->done);
	pthread_mutex_init(&db->mutex, NULL);
	sem_init(&db->work, 0, 0);
	db->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = db->fd < 0 ? -errno : spool_table_open(path, &db->table);
	if (!err && prepare)
		prepare(ctx, db->table);
	if (!err)
		err = spool_table_max_id(db->table, ret_max_id);
	if (!err) {
		note_damage(db);
		err = start_thread(db);
	}
	if (err)
		spool_db_free(db);
	else
		*ret_db = db;
	return err;
}

void spool_db_end(struct spool_db *db)
{
	pthread_mutex_lock(&db->mutex);
	db->is_ending = true;
	pthread_mutex_unlock(&db->mutex);
	sem_post(&db->work);
	if (db->is_running)
		pthread_join(db->thread, NULL);
	db->is_running = false;
	spool_table_close(db->table);
	db->table = NULL;
}

void spool_db_free(struct spool_db *db)
{
	struct spool_job *job;

	if (!db)
		return;
	spool_table_close(db->table);
	while ((job = STAILQ_FIRST(&db->done))) {
		STAILQ_REMOVE_HEAD(&db->done, entry);
		spool_job_free(job);
	}
	if (db->fd >= 0)
		close(db->fd);
	pthread_mutex_destroy(&db->mutex);
	sem_destroy(&db->work);
	free(db);
}
