// SPDX-License-Identifier: BSD-2-Clause
/*
 * spool_table: see spool_table.h. SQLite in WAL mode with synchronous=FULL: a committed transaction
 * survives the loss of power. Locked exclusively, which also saves the shared memory file that WAL
 * would otherwise need, and so leaves nothing mapped that a full disk could take away.
 */
#include "radius/spool_table.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BUSY_WAIT_MS 2000 /* for the locks of a process that is just ending */
#define REPLACE_REST 60   /* seconds: a disk that damages every file is not filled with them */
#define TIDY_ABOVE   1024 /* unused pages that are kept for what comes */
#define TIDY_STEP    "256"

enum statement {
	STATEMENT_INSERT,
	STATEMENT_DELETE,
	STATEMENT_SET_ASIDE,
	STATEMENT_READ,
	STATEMENT_SCAN,
	STATEMENT_MAX_ID,
	STATEMENT_UNUSED,
	STATEMENT_OPEN,
	STATEMENT_FIRST_CHECKPOINT,
	STATEMENT_CHECKPOINT,
	STATEMENT_CLOSE,
	STATEMENT_LAST_CHECKPOINT,
	STATEMENT_SESSIONS,
	STATEMENT_READ_SESSION,
	STATEMENT_COPY_SESSION,
	STATEMENT_COPY_CHECKPOINT,
	STATEMENTS
};

struct spool_table {
	sqlite3 *sqlite; /* NULL: it could not be opened, begin tries again */
	sqlite3_stmt *statements[STATEMENTS];
	char path[PATH_MAX], damaged[PATH_MAX];
	bool salvage_due, damage_unreported;
	unsigned int salvaged;
	time_t replaced; /* CLOCK_MONOTONIC, 0 = never */
};

static const char *const sql[STATEMENTS] = {
	[STATEMENT_INSERT] = "INSERT OR REPLACE INTO record (id, session, kind, event_time, attrs)"
			     " VALUES (?, ?, ?, ?, ?)",
	[STATEMENT_DELETE] = "DELETE FROM record WHERE id = ?",
	[STATEMENT_SET_ASIDE] = "INSERT INTO unreadable SELECT * FROM record WHERE id = ?",
	[STATEMENT_READ] = "SELECT attrs FROM record WHERE id = ?",
	[STATEMENT_SCAN] = "SELECT id, session, kind, event_time FROM record WHERE id < ?"
			   " ORDER BY id DESC LIMIT ?",
	[STATEMENT_MAX_ID] = "SELECT max(id) FROM record",
	[STATEMENT_UNUSED] = "PRAGMA freelist_count",
	[STATEMENT_OPEN] = "INSERT OR REPLACE INTO session (id, attrs) VALUES (?, ?)",
	[STATEMENT_FIRST_CHECKPOINT] =
		"INSERT OR REPLACE INTO checkpoint (id, event_time, attrs) VALUES (?, ?, ?)",
	[STATEMENT_CHECKPOINT] = "UPDATE checkpoint SET event_time = ?2, attrs = ?3 WHERE id = ?1",
	[STATEMENT_CLOSE] = "DELETE FROM session WHERE id = ?",
	[STATEMENT_LAST_CHECKPOINT] = "DELETE FROM checkpoint WHERE id = ?",
	[STATEMENT_SESSIONS] = "SELECT id FROM session WHERE id > ? ORDER BY id LIMIT ?",
	[STATEMENT_READ_SESSION] = "SELECT event_time, session.attrs, checkpoint.attrs"
				   " FROM session LEFT JOIN checkpoint USING (id) WHERE id = ?",
	[STATEMENT_COPY_SESSION] = "INSERT OR IGNORE INTO session (id, attrs) VALUES (?, ?)",
	[STATEMENT_COPY_CHECKPOINT] =
		"INSERT OR IGNORE INTO checkpoint (id, event_time, attrs) VALUES (?, ?, ?)",
};

#define COLUMNS                                                                                    \
	" session INTEGER NOT NULL, kind INTEGER NOT NULL, event_time INTEGER NOT NULL,"           \
	" attrs BLOB NOT NULL)"

static const char setup[] = "PRAGMA journal_mode = WAL;"
			    "PRAGMA synchronous = FULL;"
			    "PRAGMA journal_size_limit = 16777216;"
			    "CREATE TABLE IF NOT EXISTS record (id INTEGER PRIMARY KEY," COLUMNS
			    ";CREATE TABLE IF NOT EXISTS unreadable (id INTEGER," COLUMNS
			    ";CREATE TABLE IF NOT EXISTS session (id INTEGER PRIMARY KEY,"
			    " attrs BLOB NOT NULL);"
			    "CREATE TABLE IF NOT EXISTS checkpoint (id INTEGER PRIMARY KEY,"
			    " event_time INTEGER NOT NULL, attrs BLOB NOT NULL)";

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

static int exec(sqlite3 *sqlite, const char *text)
{
	return errno_of(sqlite3_exec(sqlite, text, NULL, NULL, NULL));
}

/* ---- statements ---- */

static void finish(sqlite3_stmt *statement)
{
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
}

static int run_with_id(struct spool_table *table, enum statement which, uint64_t id)
{
	sqlite3_stmt *statement = table->statements[which];
	int err;

	sqlite3_bind_int64(statement, 1, (sqlite3_int64)id);
	err = errno_of(sqlite3_step(statement));
	finish(statement);
	return err;
}

/* The one number that a statement without parameters gives. */
static int get_number(struct spool_table *table, enum statement which, uint64_t *ret_number)
{
	sqlite3_stmt *statement = table->statements[which];
	int step = sqlite3_step(statement);

	if (step == SQLITE_ROW)
		*ret_number = (uint64_t)sqlite3_column_int64(statement, 0);
	finish(statement);
	return errno_of(step);
}

int spool_table_max_id(struct spool_table *table, uint64_t *ret_id)
{
	return get_number(table, STATEMENT_MAX_ID, ret_id);
}

static int insert(
	sqlite3_stmt *statement, const struct spool_row *row, const uint8_t *attrs, size_t len)
{
	int err;

	sqlite3_bind_int64(statement, 1, (sqlite3_int64)row->id);
	sqlite3_bind_int64(statement, 2, (sqlite3_int64)row->session);
	sqlite3_bind_int64(statement, 3, (sqlite3_int64)row->kind);
	sqlite3_bind_int64(statement, 4, (sqlite3_int64)row->event_time);
	sqlite3_bind_blob(statement, 5, attrs ? (const void *)attrs : "", (int)len, SQLITE_STATIC);
	err = errno_of(sqlite3_step(statement));
	finish(statement);
	return err;
}

int spool_table_insert(
	struct spool_table *table, const struct spool_row *row, const uint8_t *attrs, size_t len)
{
	return insert(table->statements[STATEMENT_INSERT], row, attrs, len);
}

int spool_table_delete(struct spool_table *table, uint64_t id)
{
	return run_with_id(table, STATEMENT_DELETE, id);
}

int spool_table_set_aside(struct spool_table *table, uint64_t id)
{
	int err = run_with_id(table, STATEMENT_SET_ASIDE, id);

	return err ? err : spool_table_delete(table, id);
}

int spool_table_probe(struct spool_table *table)
{
	static const uint8_t filler[512];
	int err = spool_table_insert(table, &(struct spool_row){ 0 }, filler, sizeof(filler));

	return err ? err : spool_table_delete(table, 0);
}

int spool_table_read(struct spool_table *table, uint64_t id, uint8_t **ret_attrs, size_t *ret_len)
{
	sqlite3_stmt *statement = table->statements[STATEMENT_READ];
	uint8_t *attrs = NULL;
	size_t len = 0;
	int step, err;

	if (!table->sqlite)
		return -EIO;
	sqlite3_bind_int64(statement, 1, (sqlite3_int64)id);
	step = sqlite3_step(statement);
	err = step == SQLITE_DONE ? -ENOENT : errno_of(step);
	if (!err) {
		const void *blob = sqlite3_column_blob(statement, 0);

		len = (size_t)sqlite3_column_bytes(statement, 0);
		attrs = malloc(len ? len : 1);
		err = attrs ? 0 : -ENOMEM;
		if (attrs && len)
			memcpy(attrs, blob, len);
	}
	finish(statement);
	if (err)
		return err;
	*ret_attrs = attrs;
	*ret_len = len;
	return 0;
}

static struct spool_row row_of(sqlite3_stmt *statement)
{
	return (struct spool_row){
		.id = (uint64_t)sqlite3_column_int64(statement, 0),
		.session = (uint64_t)sqlite3_column_int64(statement, 1),
		.kind = (uint64_t)sqlite3_column_int64(statement, 2),
		.event_time = (uint64_t)sqlite3_column_int64(statement, 3),
	};
}

int spool_table_scan(
	struct spool_table *table, uint64_t below, struct spool_row *rows, unsigned int max)
{
	sqlite3_stmt *statement = table->statements[STATEMENT_SCAN];
	int step = SQLITE_DONE, count = 0;

	if (!table->sqlite)
		return -EIO;
	sqlite3_bind_int64(statement, 1, (sqlite3_int64)below);
	sqlite3_bind_int64(statement, 2, max);
	while (count < (int)max && (step = sqlite3_step(statement)) == SQLITE_ROW)
		rows[count++] = row_of(statement);
	finish(statement);
	return errno_of(step) < 0 ? errno_of(step) : count;
}

/* ---- open sessions ---- */

static int finish_step(sqlite3_stmt *statement)
{
	int err = errno_of(sqlite3_step(statement));

	finish(statement);
	return err;
}

static int write_checkpoint(struct spool_table *table, enum statement which, uint64_t session,
	uint64_t event_time, const uint8_t *attrs, size_t len)
{
	sqlite3_stmt *statement = table->statements[which];

	sqlite3_bind_int64(statement, 1, (sqlite3_int64)session);
	sqlite3_bind_int64(statement, 2, (sqlite3_int64)event_time);
	sqlite3_bind_blob(statement, 3, attrs ? (const void *)attrs : "", (int)len, SQLITE_STATIC);
	return finish_step(statement);
}

int spool_table_open_session(struct spool_table *table, uint64_t session, uint64_t event_time,
	const uint8_t *attrs, size_t len)
{
	sqlite3_stmt *statement = table->statements[STATEMENT_OPEN];
	int err;

	sqlite3_bind_int64(statement, 1, (sqlite3_int64)session);
	sqlite3_bind_blob(statement, 2, attrs ? (const void *)attrs : "", (int)len, SQLITE_STATIC);
	err = finish_step(statement);
	return err ? err
		   : write_checkpoint(
			     table, STATEMENT_FIRST_CHECKPOINT, session, event_time, NULL, 0);
}

int spool_table_checkpoint(struct spool_table *table, uint64_t session, uint64_t event_time,
	const uint8_t *attrs, size_t len)
{
	return write_checkpoint(table, STATEMENT_CHECKPOINT, session, event_time, attrs, len);
}

int spool_table_close_session(struct spool_table *table, uint64_t session)
{
	int err = run_with_id(table, STATEMENT_CLOSE, session);

	return err ? err : run_with_id(table, STATEMENT_LAST_CHECKPOINT, session);
}

int spool_table_sessions(
	struct spool_table *table, uint64_t after, uint64_t *sessions, unsigned int max)
{
	sqlite3_stmt *statement = table->statements[STATEMENT_SESSIONS];
	int step = SQLITE_DONE, count = 0;

	sqlite3_bind_int64(statement, 1, (sqlite3_int64)after);
	sqlite3_bind_int64(statement, 2, max);
	while (count < (int)max && (step = sqlite3_step(statement)) == SQLITE_ROW)
		sessions[count++] = (uint64_t)sqlite3_column_int64(statement, 0);
	finish(statement);
	return errno_of(step) < 0 ? errno_of(step) : count;
}

/* Copies a blob of a row behind what is in octets: 0 or -EMSGSIZE. */
static int append_blob(
	sqlite3_stmt *row, int column, uint8_t *octets, size_t size, size_t *in_out_len)
{
	const void *blob = sqlite3_column_blob(row, column);
	size_t len = (size_t)sqlite3_column_bytes(row, column);

	if (len > size - *in_out_len)
		return -EMSGSIZE;
	if (len)
		memcpy(octets + *in_out_len, blob, len);
	*in_out_len += len;
	return 0;
}

int spool_table_read_session(struct spool_table *table, uint64_t session, uint64_t *ret_event_time,
	uint8_t *octets, size_t size, size_t *ret_fixed_len, size_t *ret_len)
{
	sqlite3_stmt *statement = table->statements[STATEMENT_READ_SESSION];
	size_t fixed_len = 0, len;
	int step, err;

	sqlite3_bind_int64(statement, 1, (sqlite3_int64)session);
	step = sqlite3_step(statement);
	err = step == SQLITE_DONE ? -ENOENT : errno_of(step);
	err = err ? err : append_blob(statement, 1, octets, size, &fixed_len);
	len = fixed_len;
	err = err ? err : append_blob(statement, 2, octets, size, &len);
	if (!err) {
		*ret_event_time = (uint64_t)sqlite3_column_int64(statement, 0);
		*ret_fixed_len = fixed_len;
		*ret_len = len;
	}
	finish(statement);
	return err;
}

/* ---- opening ---- */

/* Makes the file, or takes from others what they may do with it; the journal gets the same mode. */
static int prepare_file(const char *path)
{
	int err = 0, fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || ((st.st_mode & 07077) && fchmod(fd, 0600) < 0))
		err = -errno;
	else if (!S_ISREG(st.st_mode))
		err = -EINVAL;
	close(fd);
	return err;
}

static void close_sqlite(struct spool_table *table)
{
	for (unsigned int i = 0; i < STATEMENTS; i++) {
		sqlite3_finalize(table->statements[i]);
		table->statements[i] = NULL;
	}
	sqlite3_close(table->sqlite);
	table->sqlite = NULL;
}

/* An empty file gets what it must have from the beginning; set once more, it would need room on the disk. */
static int begin_file(sqlite3 *sqlite)
{
	sqlite3_stmt *statement;
	bool is_empty = false;
	int err = exec(sqlite, "PRAGMA locking_mode = EXCLUSIVE");

	if (!err)
		err = errno_of(
			sqlite3_prepare_v2(sqlite, "PRAGMA page_count", -1, &statement, NULL));
	if (err)
		return err;
	if (sqlite3_step(statement) == SQLITE_ROW)
		is_empty = sqlite3_column_int64(statement, 0) == 0;
	err = errno_of(sqlite3_finalize(statement));
	return err || !is_empty ? err : exec(sqlite, "PRAGMA auto_vacuum = INCREMENTAL");
}

static int open_sqlite(struct spool_table *table)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
	int err = prepare_file(table->path);

	if (!err)
		err = errno_of(sqlite3_open_v2(table->path, &table->sqlite, flags, NULL));
	if (!err) {
		sqlite3_busy_timeout(table->sqlite, BUSY_WAIT_MS);
		err = begin_file(table->sqlite);
		err = err ? err : exec(table->sqlite, setup);
	}
	for (unsigned int i = 0; !err && i < STATEMENTS; i++)
		err = errno_of(sqlite3_prepare_v3(table->sqlite, sql[i], -1,
			SQLITE_PREPARE_PERSISTENT, &table->statements[i], NULL));
	if (err)
		close_sqlite(table);
	return err;
}

/* ---- damage ---- */

/* Renames the file and its journal, to a name that nothing has yet. */
static int move_aside(struct spool_table *table)
{
	static const char *const suffixes[] = { "", "-wal" };
	long long now = (long long)time(NULL);
	char from[PATH_MAX], to[PATH_MAX];

	do {
		if (snprintf(table->damaged, sizeof(table->damaged), "%s.damaged-%lld", table->path,
			    now++) >= (int)sizeof(table->damaged))
			return -ENAMETOOLONG;
	} while (access(table->damaged, F_OK) == 0);
	for (unsigned int i = 0; i < 2; i++) {
		if (snprintf(from, sizeof(from), "%s%s", table->path, suffixes[i]) >=
				(int)sizeof(from) ||
			snprintf(to, sizeof(to), "%s%s", table->damaged, suffixes[i]) >=
				(int)sizeof(to))
			return -ENAMETOOLONG;
		if (rename(from, to) < 0 && errno != ENOENT)
			return -errno;
	}
	return 0;
}

/* What is copied from a damaged file; the first column is the key. */
static const struct salvaged {
	const char *select;
	enum statement insert;
	int columns;
} salvaged[] = {
	{ "SELECT id, session, kind, event_time, attrs FROM record WHERE id > 0 ORDER BY id ",
		STATEMENT_INSERT, 5 },
	{ "SELECT id, attrs FROM session WHERE id > 0 ORDER BY id ", STATEMENT_COPY_SESSION, 2 },
	{ "SELECT id, event_time, attrs FROM checkpoint WHERE id > 0 ORDER BY id ",
		STATEMENT_COPY_CHECKPOINT, 3 },
};

/*
 * Copies rows of the damaged file in one direction until one cannot be read or, downwards, those that
 * came before are reached. The damage itself is no error; not being able to write is.
 */
static int salvage_rows(struct spool_table *table, sqlite3 *from, const struct salvaged *what,
	const char *order, uint64_t *last_id)
{
	sqlite3_stmt *rows, *insert = table->statements[what->insert];
	uint64_t stop_at = *last_id;
	char select[128];
	int err = 0;

	snprintf(select, sizeof(select), "%s%s", what->select, order);
	if (sqlite3_prepare_v2(from, select, -1, &rows, NULL) != SQLITE_OK)
		return 0;
	while (!err && sqlite3_step(rows) == SQLITE_ROW) {
		uint64_t id = (uint64_t)sqlite3_column_int64(rows, 0);

		if (stop_at && id <= stop_at)
			break;
		for (int i = 0; i < what->columns; i++)
			sqlite3_bind_value(insert, i + 1, sqlite3_column_value(rows, i));
		err = finish_step(insert);
		if (!err && what->insert == STATEMENT_INSERT)
			table->salvaged++;
		*last_id = id;
	}
	sqlite3_finalize(rows);
	return err;
}

static int salvage_table(struct spool_table *table, sqlite3 *from, const struct salvaged *what)
{
	uint64_t last_id = 0;
	int err = salvage_rows(table, from, what, "ASC", &last_id);

	return err ? err : salvage_rows(table, from, what, "DESC", &last_id);
}

/* What can be read from either end of the damaged file; it is left as it is. */
static int salvage(struct spool_table *table)
{
	sqlite3 *from = NULL;
	int err;

	table->salvaged = 0;
	err = exec(table->sqlite, "BEGIN");
	if (sqlite3_open_v2(table->damaged, &from, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
		    NULL) == SQLITE_OK) {
		sqlite3_db_config(from, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
		(void)exec(from, "PRAGMA locking_mode = EXCLUSIVE");
		for (size_t i = 0; !err && i < sizeof(salvaged) / sizeof(salvaged[0]); i++)
			err = salvage_table(table, from, &salvaged[i]);
	}
	sqlite3_close(from);
	err = err ? err : exec(table->sqlite, "COMMIT");
	if (err)
		(void)exec(table->sqlite, "ROLLBACK");
	return err;
}

/* Opens the file and, after damage, fills it. */
static int reopen(struct spool_table *table)
{
	int err = open_sqlite(table);

	if (!err && table->salvage_due) {
		err = salvage(table);
		if (err)
			close_sqlite(table);
		else
			table->salvage_due = false;
	}
	return err;
}

int spool_table_replace(struct spool_table *table)
{
	struct timespec now;
	int err;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (table->replaced && now.tv_sec - table->replaced < REPLACE_REST)
		return -EUCLEAN;
	table->replaced = now.tv_sec;
	close_sqlite(table);
	err = move_aside(table);
	if (err)
		return err;
	table->salvage_due = table->damage_unreported = true;
	return reopen(table);
}

const char *spool_table_damaged(struct spool_table *table, unsigned int *ret_salvaged)
{
	if (!table->damage_unreported || table->salvage_due)
		return NULL;
	table->damage_unreported = false;
	*ret_salvaged = table->salvaged;
	return table->damaged;
}

int spool_table_open(const char *path, struct spool_table **ret_table)
{
	struct spool_table *table = calloc(1, sizeof(*table));
	uint64_t id;
	int err = 0;

	if (!table)
		return -ENOMEM;
	if (snprintf(table->path, sizeof(table->path), "%s", path) >= (int)sizeof(table->path))
		err = -ENAMETOOLONG;
	if (!err)
		err = open_sqlite(table);
	if (!err)
		err = spool_table_max_id(table, &id);
	if (err == -EUCLEAN)
		err = spool_table_replace(table);
	if (err)
		spool_table_close(table);
	else
		*ret_table = table;
	return err;
}

void spool_table_close(struct spool_table *table)
{
	if (!table)
		return;
	close_sqlite(table);
	free(table);
}

/* ---- transactions ---- */

int spool_table_begin(struct spool_table *table)
{
	int err = table->sqlite ? 0 : reopen(table);

	return err ? err : exec(table->sqlite, "BEGIN");
}

int spool_table_commit(struct spool_table *table)
{
	return exec(table->sqlite, "COMMIT");
}

void spool_table_rollback(struct spool_table *table)
{
	if (table->sqlite && !sqlite3_get_autocommit(table->sqlite))
		(void)exec(table->sqlite, "ROLLBACK");
}

void spool_table_recover(struct spool_table *table)
{
	if (table->sqlite)
		sqlite3_wal_checkpoint_v2(
			table->sqlite, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}

int spool_table_tidy(struct spool_table *table)
{
	uint64_t unused = 0;

	if (!table->sqlite || get_number(table, STATEMENT_UNUSED, &unused) < 0 ||
		unused <= TIDY_ABOVE)
		return 0;
	return exec(table->sqlite, "PRAGMA incremental_vacuum(" TIDY_STEP ")") == 0;
}
