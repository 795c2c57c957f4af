/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spool_db: a thread that does the spool's jobs on disk. Jobs are done in order and committed in
 * groups; each one comes back exactly once, through spool_db_reap.
 */
#ifndef RADIUS_SPOOL_DB_H
#define RADIUS_SPOOL_DB_H

#include "radius/spool_table.h"

#include <sys/queue.h>

struct spool_db;

enum spool_job_kind {
	SPOOL_PUT,        /* inserts row with attrs, and deletes the row replaces (0 = none) */
	SPOOL_DELETE,     /* deletes row.id */
	SPOOL_SET_ASIDE,  /* moves row.id to where people find it */
	SPOOL_CLOSE,      /* row.session is not open any more */
	SPOOL_CHECKPOINT, /* writes count checkpoints, whose octets are in attrs */
	SPOOL_PROBE,      /* whether writing is possible */
	SPOOL_READ,       /* gets attrs of row.id */
	SPOOL_SCAN,       /* gets up to SPOOL_SCAN_MAX rows below row.id, from the highest down */
};

#define SPOOL_SCAN_MAX 256

/* Of an open session; session 0: of none. The octets at `at`: fixed_len (0: as they are), then len. */
struct spool_checkpoint {
	uint64_t session, event_time;
	size_t at;
	uint16_t fixed_len, len;
};

/* While it is queued, a job is the thread's, except for what is the loop's. */
struct spool_job {
	STAILQ_ENTRY(spool_job) entry;
	enum spool_job_kind kind;
	int err; /* what became of it: 0 or -errno */
	struct spool_row row;
	uint64_t replaces;
	size_t opens;   /* a Start opens its session with so many octets of attrs; 0: it does not */
	uint8_t *attrs; /* the job's own */
	size_t len;
	struct spool_row *rows;               /* of a scan, the job's own */
	struct spool_checkpoint *checkpoints; /* the job's own */
	unsigned int count;

	/* the loop's */
	void *owner;
	struct spool_reading *reading; /* of a read that is nobody's delivery */
	void (*durable)(void *ctx, int err);
	void *ctx;
	LIST_ENTRY(spool_job) in_waiters; /* while durable is set */
};
STAILQ_HEAD(spool_jobs, spool_job);

struct spool_job *spool_job_new(enum spool_job_kind kind, uint64_t id);
void spool_job_free(struct spool_job *job);

/*
 * Opens the table, lets prepare (NULL: nobody) do what must be done first, and starts the thread. This
 * waits for the disk: it is for the start.
 */
int spool_db_open(const char *path, void (*prepare)(void *ctx, struct spool_table *table),
	void *ctx, struct spool_db **ret_db, uint64_t *ret_max_id);
/* Does what is queued, ends the thread and closes the table; the jobs can still be reaped. */
void spool_db_end(struct spool_db *db);
/* After spool_db_end. Frees the jobs that nobody reaped. */
void spool_db_free(struct spool_db *db);

void spool_db_submit(struct spool_db *db, struct spool_job *job);

/* Readable while jobs are done. spool_db_reap takes one of them, NULL = none. */
int spool_db_fd(const struct spool_db *db);
struct spool_job *spool_db_reap(struct spool_db *db);

/*
 * Whether a damaged file was moved aside since this was last asked: copies its name, and how many rows
 * were saved from it.
 */
int spool_db_damaged(struct spool_db *db, char *out, size_t size, unsigned int *ret_salvaged);

#endif
