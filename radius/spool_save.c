// SPDX-License-Identifier: BSD-2-Clause
/*
 * spool_save: records to the disk and back.
 *
 * While the disk fails nothing is sent to the thread but a probe now and then; new records stay in
 * memory, what they replace stays on disk, and rows that should go wait in `undone`. When a probe
 * succeeds all of that is done, a batch a turn.
 *
 * At the start the rows of an earlier run come in batches from the highest id down, so each goes in
 * front of what is there; the attributes stay on disk. Nothing is sent before all of them are known.
 */
#include "radius/spool_internal.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_MAX      (8 << 20) /* octets of attributes that are on disk as well */
#define QUEUED_MAX     1024      /* jobs in the thread, of those that can wait */
#define PROBE_INTERVAL UINT64_C(5000000)
#define SCAN_TRIES     5

void spool_save_submit(struct radius_spool *spool, struct spool_job *job)
{
	spool->queued++;
	spool_db_submit(spool->db, job);
}

/* A write that is nobody's. */
static void submit_or_keep(struct radius_spool *spool, struct spool_job *job)
{
	if (spool->info.disk_error)
		STAILQ_INSERT_TAIL(&spool->undone, job, entry);
	else
		spool_save_submit(spool, job);
}

/* Out of memory, the row stays, and its record is sent again after the next start. */
static void write_row(struct radius_spool *spool, enum spool_job_kind kind, uint64_t id)
{
	struct spool_job *job = spool->db ? spool_job_new(kind, id) : NULL;

	if (job)
		submit_or_keep(spool, job);
}

/* ---- the disk's health ---- */

void spool_save_failed(struct radius_spool *spool, int err)
{
	bool is_new = spool->info.disk_error == 0;

	spool->info.disk_error = -err;
	if (!is_new)
		return;
	spool_say(spool, true,
		"records cannot be saved: %s; they are kept in memory and sent, but a crash would "
		"lose them: look at the state directory",
		strerror(-err));
	spool_tell(spool, RADIUS_DISK_FAILS, strerror(-err));
	spool->host.timer_start(spool->save_timer, PROBE_INTERVAL);
}

static void submit_probe(void *arg)
{
	struct radius_spool *spool = arg;
	struct spool_job *job;

	if (!spool->info.disk_error || spool->is_probing)
		return;
	job = spool_job_new(SPOOL_PROBE, 0);
	if (job) {
		spool->is_probing = true;
		spool_save_submit(spool, job);
	} else {
		spool->host.timer_start(spool->save_timer, PROBE_INTERVAL);
	}
}

static void probe_done(struct radius_spool *spool, struct spool_job *job)
{
	spool->is_probing = false;
	if (job->err) {
		spool->info.disk_error = -job->err;
		spool->host.timer_start(spool->save_timer, PROBE_INTERVAL);
	} else {
		spool->info.disk_error = 0;
		spool_say(spool, false, "records can be saved again");
		spool_tell(spool, RADIUS_DISK_WORKS, NULL);
		spool_soon(spool);
	}
	spool_job_free(job);
}

void spool_save_flush(struct radius_spool *spool)
{
	spool->host.timer_stop(spool->save_timer);
	submit_probe(spool);
}

/* ---- records in memory ---- */

static void job_drop(struct radius_spool *spool, struct spool_record *record)
{
	if (!record->job)
		return;
	spool->info.memory -= record->job->len;
	spool_job_free(record->job);
	record->job = NULL;
}

void spool_save_uncache(struct radius_spool *spool, struct spool_record *record)
{
	if (spool->db && record->copy == COPY_SAVED && spool->info.memory > CACHE_MAX)
		job_drop(spool, record);
}

static void unsaved_insert(struct radius_spool *spool, struct spool_record *record)
{
	record->copy = COPY_UNSAVED;
	TAILQ_INSERT_TAIL(&spool->unsaved[record->kind], record, in_unsaved);
	spool->info.unsaved++;
}

static void unsaved_remove(struct radius_spool *spool, struct spool_record *record)
{
	TAILQ_REMOVE(&spool->unsaved[record->kind], record, in_unsaved);
	spool->info.unsaved--;
}

/* Takes the record out of memory. Its row, if it has one, is the caller's. */
static void record_remove(struct radius_spool *spool, struct spool_record *record)
{
	struct spool_line *line = record->line;

	spool_delivery_cancel(spool, record);
	if (record->copy == COPY_SAVING) {
		spool->info.memory -= record->job->len;
		record->job->owner = NULL;
	} else {
		if (record->copy == COPY_UNSAVED)
			unsaved_remove(spool, record);
		job_drop(spool, record);
	}
	spool_record_free(spool, record);
	spool_line_look(spool, line);
}

/* The row that is on disk in the record's name, 0 = none. One in the thread counts as there. */
static uint64_t row_of(const struct spool_record *record)
{
	return record->copy == COPY_UNSAVED ? record->job->replaces : record->id;
}

/*
 * A Stop that never reached the disk leaves its session open there. Its own job closes it: there must be
 * memory for that, or the next start makes another Stop. NULL: nothing is to be closed.
 */
static struct spool_job *take_close(struct radius_spool *spool, struct spool_record *record)
{
	struct spool_job *job = record->job;

	if (record->copy != COPY_UNSAVED || record->kind != RADIUS_STOP)
		return NULL;
	record->job = NULL;
	spool->info.memory -= job->len;
	free(job->attrs);
	*job = (struct spool_job){ .kind = SPOOL_CLOSE, .row.session = record->line->session };
	return job;
}

void spool_record_end(struct radius_spool *spool, struct spool_record *record)
{
	uint64_t row = row_of(record);
	struct spool_job *closing = take_close(spool, record);

	record_remove(spool, record);
	if (row)
		write_row(spool, SPOOL_DELETE, row);
	if (closing && spool->db)
		submit_or_keep(spool, closing);
	else
		spool_job_free(closing);
}

static void set_aside_row(struct radius_spool *spool, uint64_t id)
{
	if (spool->info.unreadable++ == 0)
		spool_say(spool, true,
			"record %llu of the spool cannot be read; what cannot be read is kept in "
			"its table \"unreadable\"",
			(unsigned long long)id);
	write_row(spool, SPOOL_SET_ASIDE, id);
}

void spool_record_set_aside(struct radius_spool *spool, struct spool_record *record)
{
	uint64_t row = row_of(record);

	record_remove(spool, record);
	set_aside_row(spool, row);
}

void spool_record_supersede(
	struct radius_spool *spool, struct spool_record *record, struct spool_record *older)
{
	spool->info.superseded++;
	if (record->job->replaces) { /* it has the place of one already */
		spool_record_end(spool, older);
		return;
	}
	record->job->replaces = spool->db ? row_of(older) : 0;
	record_remove(spool, older);
}

/* ---- saving ---- */

void spool_save_await(struct radius_spool *spool, struct spool_job *job)
{
	LIST_INSERT_HEAD(
		&spool->waiters[(uintptr_t)job->ctx / 64 % SPOOL_WAITERS], job, in_waiters);
}

void spool_save_put(struct radius_spool *spool, struct spool_record *record)
{
	struct spool_job *job = record->job;

	record->copy = COPY_SAVING;
	spool->info.memory += job->len;
	if (job->durable)
		spool_save_await(spool, job);
	if (spool->db && !spool->info.disk_error) {
		spool_save_submit(spool, job);
		return;
	}
	job->err = -spool->info.disk_error;
	spool_sessions_missed(spool, job);
	STAILQ_INSERT_TAIL(&spool->instant, job, entry);
	spool_soon(spool);
}

void radius_spool_forget(struct radius_spool *spool, void *ctx)
{
	struct spool_job *job, *next;

	for (job = LIST_FIRST(&spool->waiters[(uintptr_t)ctx / 64 % SPOOL_WAITERS]); job;
		job = next) {
		next = LIST_NEXT(job, in_waiters);
		if (job->ctx != ctx)
			continue;
		LIST_REMOVE(job, in_waiters);
		job->durable = NULL;
	}
}

static void put_done(struct radius_spool *spool, struct spool_job *job)
{
	struct spool_record *record = job->owner;
	void (*durable)(void *ctx, int err) = job->durable;
	void *ctx = job->ctx;
	int err = job->err;

	if (durable)
		LIST_REMOVE(job, in_waiters);
	job->durable = NULL;
	if (err)
		spool_sessions_missed(spool, job);
	if (record && err) {
		unsaved_insert(spool, record);
	} else if (record) {
		job->replaces = 0;
		record->copy = COPY_SAVED;
		spool_save_uncache(spool, record);
	} else {
		if (err && job->replaces)
			write_row(spool, SPOOL_DELETE, job->replaces);
		spool_job_free(job);
	}
	if (err)
		spool_save_failed(spool, err);
	if (record)
		spool_line_look(spool, record->line);
	if (durable)
		durable(ctx, err);
}

static void write_done(struct radius_spool *spool, struct spool_job *job)
{
	if (!job->err) {
		spool_job_free(job);
		return;
	}
	STAILQ_INSERT_TAIL(&spool->undone, job, entry);
	spool_save_failed(spool, job->err);
}

/* The next thing to be done again, NULL = none: rows that go make room, and Stops matter most. */
static struct spool_job *next_undone(struct radius_spool *spool)
{
	static const enum radius_record_kind order[] = { RADIUS_STOP, RADIUS_START, RADIUS_ON,
		RADIUS_OFF, RADIUS_INTERIM };
	struct spool_job *job = STAILQ_FIRST(&spool->undone);

	if (job) {
		STAILQ_REMOVE_HEAD(&spool->undone, entry);
		return job;
	}
	for (unsigned int i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		struct spool_record *record = TAILQ_FIRST(&spool->unsaved[order[i]]);

		if (!record)
			continue;
		unsaved_remove(spool, record);
		record->copy = COPY_SAVING;
		spool_line_look(spool, record->line);
		return record->job;
	}
	return NULL;
}

bool spool_save_step(struct radius_spool *spool)
{
	struct spool_job *job;
	unsigned int steps;

	for (steps = 0; steps < SPOOL_BATCH && (job = STAILQ_FIRST(&spool->instant)); steps++) {
		STAILQ_REMOVE_HEAD(&spool->instant, entry);
		put_done(spool, job);
	}
	if (!STAILQ_EMPTY(&spool->instant))
		return true;
	for (steps = 0; steps < SPOOL_BATCH; steps++) {
		if (!spool->db || spool->info.disk_error || spool->queued >= QUEUED_MAX)
			return false;
		job = next_undone(spool);
		if (!job)
			return false;
		spool_save_submit(spool, job);
	}
	return true;
}

/* ---- reading ---- */

int spool_save_read(struct radius_spool *spool, struct spool_record *record)
{
	struct spool_job *job = spool_job_new(SPOOL_READ, record->id);

	if (!job)
		return -ENOMEM;
	job->owner = record;
	record->job = job;
	spool_save_submit(spool, job);
	return 0;
}

static void read_done(struct radius_spool *spool, struct spool_job *job)
{
	struct spool_record *record = job->owner;
	int err = job->err;

	if (record && !err) {
		spool->info.memory += job->len;
		spool_delivery_read(spool, record, 0);
		return;
	}
	spool_job_free(job);
	if (!record)
		return;
	record->job = NULL;
	spool_delivery_read(spool, record, err);
}

bool spool_row_is_sound(const struct spool_row *row)
{
	switch (row->kind) {
	case RADIUS_START:
	case RADIUS_STOP:
	case RADIUS_INTERIM:
		return row->session != 0;
	case RADIUS_ON:
	case RADIUS_OFF:
		return row->session == 0;
	default:
		return false;
	}
}

static bool has_interim(struct radius_spool *spool, uint64_t session)
{
	const struct spool_line *line = spool_line_find(spool, session);
	const struct spool_record *record;

	if (line)
		TAILQ_FOREACH(record, &line->records, in_line)
			if (record->kind == RADIUS_INTERIM)
				return true;
	return false;
}

static void load_row(struct radius_spool *spool, const struct spool_row *row)
{
	struct spool_record *record;

	if (!spool_row_is_sound(row)) {
		set_aside_row(spool, row->id);
		return;
	}
	if (row->kind == RADIUS_INTERIM && has_interim(spool, row->session)) {
		write_row(spool, SPOOL_DELETE, row->id);
		return;
	}
	record = spool_record_new(spool, row, true);
	if (!record)
		return; /* out of memory: it stays for the next start */
	record->copy = COPY_SAVED;
	spool->loaded++;
	spool_line_look(spool, record->line);
}

static void scan_done(struct radius_spool *spool, struct spool_job *job)
{
	if (job->err && ++spool->scan_failures < SCAN_TRIES) {
		spool_save_submit(spool, job);
		return;
	}
	for (unsigned int i = 0; i < job->count; i++)
		load_row(spool, &job->rows[i]);
	if (!job->err && job->count == SPOOL_SCAN_MAX) {
		job->row.id = job->rows[job->count - 1].id;
		spool_save_submit(spool, job);
		return;
	}
	spool->info.is_loading = false;
	if (job->err)
		spool_say(spool, true,
			"records of an earlier run cannot be read: %s; they stay in the database",
			strerror(-job->err));
	else if (spool->loaded > 0)
		spool_say(spool, false, "%u records of an earlier run are sent", spool->loaded);
	spool_job_free(job);
	spool_soon(spool);
}

/* ---- the thread's answers ---- */

static void job_done(struct radius_spool *spool, struct spool_job *job)
{
	switch (job->kind) {
	case SPOOL_PUT:
		put_done(spool, job);
		break;
	case SPOOL_DELETE:
	case SPOOL_SET_ASIDE:
	case SPOOL_CLOSE:
		write_done(spool, job);
		break;
	case SPOOL_CHECKPOINT:
		spool_sessions_written(spool, job);
		break;
	case SPOOL_PROBE:
		probe_done(spool, job);
		break;
	case SPOOL_READ:
		if (job->reading)
			spool_reading_done(job);
		else
			read_done(spool, job);
		break;
	case SPOOL_SCAN:
		scan_done(spool, job);
		break;
	}
}

static void say_damage(struct radius_spool *spool)
{
	char name[PATH_MAX];
	unsigned int salvaged;

	if (!spool_db_damaged(spool->db, name, sizeof(name), &salvaged))
		return;
	spool_say(spool, true,
		"the spool was damaged and moved to %.256s; %u records of it could be read and are "
		"sent",
		name, salvaged);
	spool_sessions_unsure(spool);
}

static void db_ready(void *arg, int events)
{
	struct radius_spool *spool = arg;
	struct spool_job *job;

	(void)events;
	say_damage(spool);
	for (unsigned int i = 0; i < SPOOL_BATCH && (job = spool_db_reap(spool->db)); i++) {
		spool->queued--;
		job_done(spool, job);
	}
	if (!STAILQ_EMPTY(&spool->undone) || spool->info.unsaved > 0)
		spool_soon(spool);
}

/* ---- start and end ---- */

/*
 * Stops of an earlier run's sessions that a full disk did not take go from memory, before whatever is
 * put. Out of memory, or on an error, their sessions stay open on disk for the next start.
 */
static void put_recovered(struct radius_spool *spool, struct spool_jobs *stops)
{
	struct spool_job *job;

	while ((job = STAILQ_FIRST(stops))) {
		struct spool_record *record = spool_record_new(spool, &job->row, false);

		STAILQ_REMOVE_HEAD(stops, entry);
		if (!record) {
			spool_job_free(job);
			continue;
		}
		spool->next_id = job->row.id + 1;
		spool->info.put++;
		job->owner = record;
		record->job = job;
		spool_save_put(spool, record);
	}
}

static void drop_recovered(struct spool_jobs *stops)
{
	struct spool_job *job;

	while ((job = STAILQ_FIRST(stops))) {
		STAILQ_REMOVE_HEAD(stops, entry);
		spool_job_free(job);
	}
}

/* Opens the database and has its rows read; what is to be sent first is put. 0 or -errno. */
static int open_db(struct radius_spool *spool, struct spool_recovery *recovery)
{
	struct radius_host *host = &spool->host;
	struct spool_job *scan;
	uint64_t max_id;
	int err = spool_db_open(
		recovery->config->path, spool_sessions_recover, recovery, &spool->db, &max_id);

	if (err)
		return err;
	say_damage(spool);
	spool->db_io = RADIUS_IO(host, spool_db_fd(spool->db), 1, db_ready, spool);
	if (!spool->db_io)
		return -ENOMEM;
	spool->next_id = max_id + 1;
	scan = spool_job_new(SPOOL_SCAN, spool->next_id);
	if (!scan)
		return -ENOMEM;
	spool->info.is_loading = true;
	spool_save_submit(spool, scan);
	if (recovery->err)
		spool_save_failed(spool, recovery->err);
	put_recovered(spool, &recovery->unsaved);
	return 0;
}

int spool_save_init(struct radius_spool *spool, const struct radius_spool_config *config)
{
	struct spool_recovery recovery = { .spool = spool, .config = config };
	struct radius_host *host = &spool->host;
	int err;

	STAILQ_INIT(&spool->instant);
	STAILQ_INIT(&spool->undone);
	STAILQ_INIT(&recovery.unsaved);
	for (unsigned int kind = 0; kind < SPOOL_KINDS; kind++)
		TAILQ_INIT(&spool->unsaved[kind]);
	spool->next_id = 1;
	spool->save_timer = RADIUS_TIMER(host, submit_probe, spool);
	if (!spool->save_timer)
		return -ENOMEM;
	if (!config->path)
		return 0;
	err = open_db(spool, &recovery);
	drop_recovered(&recovery.unsaved);
	return err;
}

/* What was not saved gets a last chance. */
static unsigned int save_rest(struct radius_spool *spool)
{
	unsigned int lost = 0;
	struct spool_job *job;

	while ((job = STAILQ_FIRST(&spool->instant))) {
		STAILQ_REMOVE_HEAD(&spool->instant, entry);
		spool_db_submit(spool->db, job);
	}
	while ((job = next_undone(spool)))
		spool_db_submit(spool->db, job);
	spool_db_end(spool->db);
	while ((job = spool_db_reap(spool->db))) {
		if (job->kind == SPOOL_PUT && job->owner)
			lost += job->err != 0;
		else
			spool_job_free(job);
	}
	return lost;
}

void spool_save_free(struct radius_spool *spool)
{
	struct spool_job *job;
	unsigned int lost;

	if (spool->db_io)
		spool->host.io_free(spool->db_io);
	if (spool->save_timer)
		spool->host.timer_free(spool->save_timer);
	if (spool->db) {
		lost = save_rest(spool);
		if (lost > 0)
			spool_say(spool, true, "%u records could not be saved and are lost", lost);
		spool_db_free(spool->db);
		return;
	}
	while ((job = STAILQ_FIRST(&spool->instant))) {
		STAILQ_REMOVE_HEAD(&spool->instant, entry);
		if (!job->owner)
			spool_job_free(job);
	}
}
