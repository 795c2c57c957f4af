/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spool_table: the rows of the spool in an SQLite file. Every function waits for the disk. One thread
 * at a time; the file is locked against other processes.
 */
#ifndef RADIUS_SPOOL_TABLE_H
#define RADIUS_SPOOL_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct spool_table;

struct spool_row {
	uint64_t id; /* ascending, from 1; the caller's */
	uint64_t session, event_time;
	uint64_t kind;
};

/*
 * Opens or creates the file at path, for its owner alone. What cannot be read is moved aside and
 * replaced by a new file that has all the rows that could still be read. 0 and *ret_table, or -errno:
 * -EBUSY when another process has it.
 */
int spool_table_open(const char *path, struct spool_table **ret_table);
void spool_table_close(struct spool_table *table);

/* The highest id there is, 0 = none. */
int spool_table_max_id(struct spool_table *table, uint64_t *ret_id);

/*
 * A transaction: all that is written between begin and a commit that returned 0 has reached the disk,
 * even if the power goes. spool_table_begin opens the file again when that had failed.
 */
int spool_table_begin(struct spool_table *table);
int spool_table_commit(struct spool_table *table);
void spool_table_rollback(struct spool_table *table);

int spool_table_insert(
	struct spool_table *table, const struct spool_row *row, const uint8_t *attrs, size_t len);
int spool_table_delete(struct spool_table *table, uint64_t id);
/* Moves a row to the table "unreadable", for people. */
int spool_table_set_aside(struct spool_table *table, uint64_t id);
/* Writes something and takes it back: whether writing is possible. */
int spool_table_probe(struct spool_table *table);

/* The attributes of a row; the caller frees them. -ENOENT: no such row. */
int spool_table_read(struct spool_table *table, uint64_t id, uint8_t **ret_attrs, size_t *ret_len);
/* The rows with ids below, from the highest down, at most max; their number or -errno. */
int spool_table_scan(
	struct spool_table *table, uint64_t below, struct spool_row *rows, unsigned int max);

/*
 * Open sessions: the attributes that every record of a session has, and its checkpoint, which is what
 * else its Stop would say. Opening again changes the former and empties the latter; a checkpoint of a
 * session that is not open is ignored.
 */
int spool_table_open_session(struct spool_table *table, uint64_t session, uint64_t event_time,
	const uint8_t *attrs, size_t len);
int spool_table_checkpoint(struct spool_table *table, uint64_t session, uint64_t event_time,
	const uint8_t *attrs, size_t len);
int spool_table_close_session(struct spool_table *table, uint64_t session);
/* Those that are open, in ascending order, behind after, at most max; their number or -errno. */
int spool_table_sessions(
	struct spool_table *table, uint64_t after, uint64_t *sessions, unsigned int max);
/*
 * Copies the attributes of an open session into octets, those of the checkpoint (*ret_len -
 * *ret_fixed_len octets, none before the first) behind the fixed ones. 0, -ENOENT, -EMSGSIZE or -errno.
 */
int spool_table_read_session(struct spool_table *table, uint64_t session, uint64_t *ret_event_time,
	uint8_t *octets, size_t size, size_t *ret_fixed_len, size_t *ret_len);

/* After an error: moves the journal into the file, which makes room when the disk is full. */
void spool_table_recover(struct spool_table *table);
/* After -EUCLEAN: moves the file aside and goes on with what can be read of it. */
int spool_table_replace(struct spool_table *table);
/* Gives a little of the unused space back to the file system. 1: there is more; 0: no. */
int spool_table_tidy(struct spool_table *table);

/*
 * The file that was moved aside since this was last asked, NULL = none, and how many rows were saved.
 * Borrowed until the next call.
 */
const char *spool_table_damaged(struct spool_table *table, unsigned int *ret_salvaged);

#endif
