// SPDX-License-Identifier: BSD-2-Clause
/*
 * spool_db: see spool_db.h. SQLite in WAL mode with synchronous=FULL: a committed transaction survives
 * the loss of power. One transaction takes everything that was queued while the last one was on its
 * way to the disk, so the cost of a flush is shared by as many records as there are.
 *
 * The queue and the list of finished puts are shared under the mutex; the database belongs to the
 * thread while that runs.
 */
#include "radius/spool_db.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

#define GROUP_MAX 4096 /* operations in a transaction */

struct spool_op {
	STAILQ_ENTRY(spool_op) entry;
	bool delete;
	int err;
	struct spool_db_row row;
	uint8_t attrs[];
};

STAILQ_HEAD(spool_ops, spool_op);

struct spool_db {
	sqlite3 *sqlite;
	sqlite3_stmt *insert, *delete;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t wakeup;
	struct spool_ops queue, finished;
	bool ending;
	int fd;
};

static const char schema[] = "PRAGMA journal_mode = WAL;"
			     "PRAGMA synchronous = FULL;"
			     "CREATE TABLE IF NOT EXISTS record ("
			     " id INTEGER PRIMARY KEY,"
			     " session INTEGER NOT NULL,"
			     " kind INTEGER NOT NULL,"
			     " event_time INTEGER NOT NULL,"
			     " attrs BLOB NOT NULL)";

static int errno_of(int sqlite)
{
	switch (sqlite & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
	case SQLITE_ROW:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_PERM:
	case SQLITE_AUTH:
	case SQLITE_CANTOPEN:
		return -EACCES;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EUCLEAN;
	default:
		return -EIO;
	}
}

/* ---- the thread ---- */

static int run_insert(struct spool_db *db, const struct spool_db_row *row)
{
	int err;

	sqlite3_bind_int64(db->insert, 1, (sqlite3_int64)row->id);
	sqlite3_bind_int64(db->insert, 2, (sqlite3_int64)row->session);
	sqlite3_bind_int64(db->insert, 3, row->kind);
	sqlite3_bind_int64(db->insert, 4, (sqlite3_int64)row->event_time);
	sqlite3_bind_blob(db->insert, 5, row->attrs, (int)row->len, SQLITE_STATIC);
	err = sqlite3_step(db->insert);
	sqlite3_reset(db->insert);
	sqlite3_clear_bindings(db->insert);
	return errno_of(err);
}

static int run_delete(struct spool_db *db, uint64_t id)
{
	int err;

	sqlite3_bind_int64(db->delete, 1, (sqlite3_int64)id);
	err = sqlite3_step(db->delete);
	sqlite3_reset(db->delete);
	return errno_of(err);
}

/* One transaction; all of the group succeeds or all of it fails. */
static int commit_group(struct spool_db *db, const struct spool_ops *group)
{
	struct spool_op *op;
	int err = errno_of(sqlite3_exec(db->sqlite, "BEGIN IMMEDIATE", NULL, NULL, NULL));

	if (err < 0)
		return err;
	STAILQ_FOREACH(op, group, entry) {
		err = op->delete ? run_delete(db, op->row.id) : run_insert(db, &op->row);
		if (err < 0)
			break;
	}
	if (!err)
		err = errno_of(sqlite3_exec(db->sqlite, "COMMIT", NULL, NULL, NULL));
	if (err < 0)
		sqlite3_exec(db->sqlite, "ROLLBACK", NULL, NULL, NULL);
	return err;
}

/* Waits for work; false when there is none and there will be none. */
static bool take_group(struct spool_db *db, struct spool_ops *group)
{
	struct spool_op *op;
	unsigned int count = 0;

	pthread_mutex_lock(&db->mutex);
	while (STAILQ_EMPTY(&db->queue) && !db->ending)
		pthread_cond_wait(&db->wakeup, &db->mutex);
	while (count++ < GROUP_MAX && (op = STAILQ_FIRST(&db->queue))) {
		STAILQ_REMOVE_HEAD(&db->queue, entry);
		STAILQ_INSERT_TAIL(group, op, entry);
	}
	pthread_mutex_unlock(&db->mutex);
	return !STAILQ_EMPTY(group);
}

static void finish_group(struct spool_db *db, struct spool_ops *group, int err)
{
	uint64_t one = 1;
	struct spool_op *op;

	pthread_mutex_lock(&db->mutex);
	while ((op = STAILQ_FIRST(group))) {
		STAILQ_REMOVE_HEAD(group, entry);
		op->err = err;
		STAILQ_INSERT_TAIL(&db->finished, op, entry);
	}
	pthread_mutex_unlock(&db->mutex);
	if (write(db->fd, &one, sizeof(one)) < 0)
		return; /* the counter is full: it is readable already */
}

static void *run_thread(void *arg)
{
	struct spool_db *db = arg;
	struct spool_ops group = STAILQ_HEAD_INITIALIZER(group);

	while (take_group(db, &group))
		finish_group(db, &group, commit_group(db, &group));
	return NULL;
}

/* ---- the loop's side ---- */

static int queue_op(struct spool_db *db, bool delete, const struct spool_db_row *row)
{
	struct spool_op *op = malloc(sizeof(*op) + row->len);

	if (!op)
		return -ENOMEM;
	op->delete = delete;
	op->err = 0;
	op->row = *row;
	if (row->len > 0)
		memcpy(op->attrs, row->attrs, row->len);
	op->row.attrs = op->attrs;
	pthread_mutex_lock(&db->mutex);
	STAILQ_INSERT_TAIL(&db->queue, op, entry);
	pthread_cond_signal(&db->wakeup);
	pthread_mutex_unlock(&db->mutex);
	return 0;
}

int spool_db_put(struct spool_db *db, const struct spool_db_row *row)
{
	return queue_op(db, false, row);
}

int spool_db_delete(struct spool_db *db, uint64_t id)
{
	return queue_op(db, true, &(struct spool_db_row){ .id = id });
}

int spool_db_fd(const struct spool_db *db)
{
	return db->fd;
}

void spool_db_reap(struct spool_db *db, void (*done)(void *ctx, uint64_t id, int err), void *ctx)
{
	struct spool_ops finished = STAILQ_HEAD_INITIALIZER(finished);
	struct spool_op *op;
	uint64_t count;

	if (read(db->fd, &count, sizeof(count)) < 0)
		return; /* nothing new */
	pthread_mutex_lock(&db->mutex);
	STAILQ_CONCAT(&finished, &db->finished);
	pthread_mutex_unlock(&db->mutex);
	while ((op = STAILQ_FIRST(&finished))) {
		STAILQ_REMOVE_HEAD(&finished, entry);
		if (op->delete &&op->err < 0)
			(void)spool_db_delete(db, op->row.id); /* until the disk is well again */
		else if (!op->delete)
			done(ctx, op->row.id, op->err);
		free(op);
	}
}

/* ---- open and close ---- */

static int open_sqlite(const char *path, struct spool_db *db)
{
	int err = errno_of(sqlite3_open_v2(path, &db->sqlite,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL));

	if (!err)
		err = errno_of(sqlite3_exec(db->sqlite, schema, NULL, NULL, NULL));
	if (!err)
		err = errno_of(sqlite3_prepare_v2(db->sqlite,
			"INSERT OR REPLACE INTO record (id, session, kind, event_time, attrs)"
			" VALUES (?, ?, ?, ?, ?)",
			-1, &db->insert, NULL));
	if (!err)
		err = errno_of(sqlite3_prepare_v2(
			db->sqlite, "DELETE FROM record WHERE id = ?", -1, &db->delete, NULL));
	return err;
}

static int load_rows(
	struct spool_db *db, void (*load)(void *ctx, const struct spool_db_row *row), void *ctx)
{
	sqlite3_stmt *select;
	int step, err;

	err = errno_of(sqlite3_prepare_v2(db->sqlite,
		"SELECT id, session, kind, event_time, attrs FROM record ORDER BY id", -1, &select,
		NULL));
	if (err < 0)
		return err;
	while ((step = sqlite3_step(select)) == SQLITE_ROW) {
		const struct spool_db_row row = {
			.id = (uint64_t)sqlite3_column_int64(select, 0),
			.session = (uint64_t)sqlite3_column_int64(select, 1),
			.kind = (unsigned int)sqlite3_column_int64(select, 2),
			.event_time = (uint64_t)sqlite3_column_int64(select, 3),
			.attrs = sqlite3_column_blob(select, 4),
			.len = (size_t)sqlite3_column_bytes(select, 4),
		};

		load(ctx, &row);
	}
	sqlite3_finalize(select);
	return errno_of(step);
}

static void close_sqlite(struct spool_db *db)
{
	sqlite3_finalize(db->insert);
	sqlite3_finalize(db->delete);
	sqlite3_close(db->sqlite);
	db->insert = db->delete = NULL;
	db->sqlite = NULL;
}

/* Moves the database and its journals out of the way. */
static int move_aside(const char *path, char *ret_name, size_t size)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	char from[4096], to[4096];

	snprintf(ret_name, size, "%s.damaged-%lld", path, (long long)time(NULL));
	for (size_t i = 0; i < 3; i++) {
		if (snprintf(from, sizeof(from), "%s%s", path, suffixes[i]) >= (int)sizeof(from) ||
			snprintf(to, sizeof(to), "%s%s", ret_name, suffixes[i]) >= (int)sizeof(to))
			return -ENAMETOOLONG;
		if (rename(from, to) < 0 && errno != ENOENT)
			return -errno;
	}
	return 0;
}

/* The thread takes no signals: they are the loop's. */
static int start_thread(struct spool_db *db)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&db->thread, NULL, run_thread, db);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -err;
}

int spool_db_open(const char *path, void (*load)(void *ctx, const struct spool_db_row *row),
	void *ctx, char *ret_damaged, size_t size, struct spool_db **ret_db)
{
	struct spool_db *db = calloc(1, sizeof(*db));
	int err;

	if (!db)
		return -ENOMEM;
	ret_damaged[0] = '\0';
	STAILQ_INIT(&db->queue);
	STAILQ_INIT(&db->finished);
	pthread_mutex_init(&db->mutex, NULL);
	pthread_cond_init(&db->wakeup, NULL);
	db->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = db->fd < 0 ? -errno : open_sqlite(path, db);
	if (!err)
		err = load_rows(db, load, ctx);
	if (err == -EUCLEAN) {
		close_sqlite(db);
		err = move_aside(path, ret_damaged, size);
		if (!err)
			err = open_sqlite(path, db);
	}
	if (!err)
		err = start_thread(db);
	if (!err) {
		*ret_db = db;
		return 0;
	}
	close_sqlite(db);
	if (db->fd >= 0)
		close(db->fd);
	free(db);
	return err;
}

void spool_db_close(struct spool_db *db)
{
	struct spool_op *op;

	if (!db)
		return;
	pthread_mutex_lock(&db->mutex);
	db->ending = true;
	pthread_cond_signal(&db->wakeup);
	pthread_mutex_unlock(&db->mutex);
	pthread_join(db->thread, NULL);
	while ((op = STAILQ_FIRST(&db->finished))) {
		STAILQ_REMOVE_HEAD(&db->finished, entry);
		free(op);
	}
	close_sqlite(db);
	close(db->fd);
	pthread_mutex_destroy(&db->mutex);
	pthread_cond_destroy(&db->wakeup);
	free(db);
}
