/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spool_db: the table of records on disk, written by a thread of its own. Operations are queued and
 * committed in groups, in order; what became of a put comes back through a descriptor.
 */
#ifndef RADIUS_SPOOL_DB_H
#define RADIUS_SPOOL_DB_H

#include <stddef.h>
#include <stdint.h>

struct spool_db;

struct spool_db_row {
	uint64_t id; /* ascending; the caller's */
	uint64_t session;
	uint64_t event_time;
	unsigned int kind;
	const uint8_t *attrs;
	size_t len;
};

/*
 * Opens or creates the database at path, calls load for every row in order of ids, and starts the
 * thread. ret_damaged (size octets) names the file that a damaged database was moved to, "" otherwise.
 * 0 and *ret_db, or -errno. This one waits for the disk: it is for the start.
 */
int spool_db_open(const char *path, void (*load)(void *ctx, const struct spool_db_row *row),
	void *ctx, char *ret_damaged, size_t size, struct spool_db **ret_db);

/* Commits what is queued, ends the thread, closes. */
void spool_db_close(struct spool_db *db);

/* Queues an insertion (attrs are copied) or a deletion. 0 or -ENOMEM. */
int spool_db_put(struct spool_db *db, const struct spool_db_row *row);
int spool_db_delete(struct spool_db *db, uint64_t id);

/* Readable when puts were committed or failed; spool_db_reap then calls done once for each of them. */
int spool_db_fd(const struct spool_db *db);
void spool_db_reap(struct spool_db *db, void (*done)(void *ctx, uint64_t id, int err), void *ctx);

#endif
