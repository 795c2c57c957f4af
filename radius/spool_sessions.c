// SPDX-License-Identifier: BSD-2-Clause
/*
 * spool_sessions: which sessions are open, on disk, so that none is left open at the servers when
 * everything is lost at once.
 *
 * A Start opens its session's row and a Stop deletes it, each in the transaction that writes the record
 * (spool_db.c). Checkpoints only change rows that are there, so one that is late harms nothing. While the
 * disk fails, rows are not opened, and later nobody has the attributes of those Starts any more: each
 * such miss makes the next round of checkpoints write its sessions as a whole.
 */
#include "radius/spool_internal.h"

#include "radius/attr_codes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_MAX    1024 /* checkpoints */
#define BATCH_OCTETS 128  /* of each, to begin with */
#define PAGE         256  /* rows that are looked at together */

/* ---- checkpoints ---- */

static struct spool_job *batch_get(struct radius_spool *spool)
{
	struct spool_job *job = spool->batch;

	if (job)
		return job;
	job = spool_job_new(SPOOL_CHECKPOINT, 0);
	if (!job)
		return NULL;
	spool->batch_room = (size_t)BATCH_MAX * BATCH_OCTETS;
	job->attrs = malloc(spool->batch_room);
	job->checkpoints = calloc(BATCH_MAX, sizeof(*job->checkpoints));
	if (!job->attrs || !job->checkpoints) {
		spool_job_free(job);
		return NULL;
	}
	spool->batch = job;
	return job;
}

static int batch_make_room(struct radius_spool *spool)
{
	struct spool_job *job = spool->batch;
	uint8_t *octets;

	if (spool->batch_room - job->len >= SPOOL_ATTRS_MAX)
		return 0;
	octets = realloc(job->attrs, 2 * spool->batch_room);
	if (!octets)
		return -ENOMEM;
	job->attrs = octets;
	spool->batch_room *= 2;
	return 0;
}

static void batch_submit(struct radius_spool *spool)
{
	struct spool_job *job = spool->batch;

	spool->batch = NULL;
	if (job)
		spool_save_submit(spool, job);
}

/* Whether rows may be missing that this round is to write anew. */
static bool is_making_up(const struct radius_spool *spool)
{
	return spool->round != spool->made_up;
}

static int batch_add(struct radius_spool *spool, const struct radius_checkpoint *checkpoint)
{
	struct spool_job *job = spool->batch;
	struct spool_checkpoint *at = &job->checkpoints[job->count];
	uint8_t *octets = job->attrs + job->len;
	size_t fixed_len = 0;
	int len;

	if (checkpoint->fixed_len > SPOOL_ATTRS_MAX)
		return -EMSGSIZE;
	if (checkpoint->is_changed || is_making_up(spool))
		fixed_len = checkpoint->fixed_len;
	len = radius_attrs_encode(
		checkpoint->attrs, octets + fixed_len, SPOOL_ATTRS_MAX - checkpoint->fixed_len);
	if (len < 0)
		return len == -ENOSPC ? -EMSGSIZE : len;
	if (fixed_len)
		memcpy(octets, checkpoint->fixed, fixed_len);
	*at = (struct spool_checkpoint){ checkpoint->session, checkpoint->event_time, job->len,
		(uint16_t)fixed_len, (uint16_t)len };
	job->len += fixed_len + (size_t)len;
	job->count++;
	return 0;
}

int radius_spool_checkpoint(struct radius_spool *spool, const struct radius_checkpoint *checkpoint)
{
	int err;

	if (!checkpoint->session)
		return -EINVAL;
	if (!spool->db)
		return 0;
	if (spool->info.disk_error) {
		spool->is_partial = true;
		return 0;
	}
	if (!spool->in_round) {
		spool->in_round = true;
		spool->round = spool->misses;
	}
	if (!batch_get(spool))
		return -ENOMEM;
	err = batch_make_room(spool);
	err = err ? err : batch_add(spool, checkpoint);
	if (!err && spool->batch->count == BATCH_MAX)
		batch_submit(spool);
	return err;
}

/* The last job of the round: jobs are done in order, so an empty one tells of those before it, too. */
static int last_of_round(struct radius_spool *spool, struct spool_job **ret_job)
{
	if (!spool->batch) {
		if (!spool->db || spool->info.disk_error)
			return spool->db ? -spool->info.disk_error : -ENODEV;
		spool->batch = spool_job_new(SPOOL_CHECKPOINT, 0);
	}
	*ret_job = spool->batch;
	return spool->batch ? 0 : -ENOMEM;
}

int radius_spool_commit(struct radius_spool *spool, void (*durable)(void *ctx, int err), void *ctx)
{
	struct spool_job *last;
	int err = last_of_round(spool, &last);

	if (!err && durable) {
		last->durable = durable;
		last->ctx = ctx;
		spool_save_await(spool, last);
	}
	batch_submit(spool);
	if (spool->in_round && !spool->is_partial)
		spool->made_up = spool->round;
	spool->in_round = spool->is_partial = false;
	return err;
}

void spool_sessions_written(struct radius_spool *spool, struct spool_job *job)
{
	void (*durable)(void *ctx, int err) = job->durable;
	bool had_fixed = false;
	void *ctx = job->ctx;
	int err = job->err;

	for (unsigned int i = 0; i < job->count; i++)
		had_fixed |= job->checkpoints[i].fixed_len != 0;
	if (err) {
		spool_save_failed(spool, err);
		if (had_fixed)
			spool_sessions_unsure(spool);
	} else {
		spool->info.checkpoints += job->count;
	}
	if (durable)
		LIST_REMOVE(job, in_waiters);
	spool_job_free(job);
	if (durable)
		durable(ctx, err);
}

void spool_sessions_ended(struct radius_spool *spool, uint64_t session)
{
	struct spool_job *job = spool->batch;

	for (unsigned int i = 0; job && i < job->count; i++)
		if (job->checkpoints[i].session == session)
			job->checkpoints[i].session = 0;
}

void spool_sessions_missed(struct radius_spool *spool, struct spool_job *put)
{
	if (put->opens)
		spool_sessions_unsure(spool);
	put->opens = 0;
}

void spool_sessions_unsure(struct radius_spool *spool)
{
	spool->misses++;
}

void spool_sessions_free(struct radius_spool *spool)
{
	spool_job_free(spool->batch);
	spool->batch = NULL;
}

/* ---- after the loss of everything ---- */

static void put_u32(uint8_t *octets, size_t *in_out_len, uint8_t type, uint32_t value)
{
	const uint8_t attr[] = { type, 6, (uint8_t)(value >> 24), (uint8_t)(value >> 16),
		(uint8_t)(value >> 8), (uint8_t)value };

	memcpy(octets + *in_out_len, attr, sizeof(attr));
	*in_out_len += sizeof(attr);
}

/* Before its first checkpoint nothing had passed, and no time. */
static void put_nothing(uint8_t *octets, size_t *in_out_len)
{
	put_u32(octets, in_out_len, RADIUS_ACCT_SESSION_TIME, 0);
	put_u32(octets, in_out_len, RADIUS_ACCT_INPUT_OCTETS, 0);
	put_u32(octets, in_out_len, RADIUS_ACCT_OUTPUT_OCTETS, 0);
}

struct lost_stop {
	struct spool_row row;
	uint8_t octets[SPOOL_ATTRS_MAX];
	size_t len;
};

/* What is done with the Stop of a session that was lost: 0 or -errno. */
typedef int take_stop_fn(
	struct spool_table *table, struct spool_recovery *recovery, const struct lost_stop *stop);

static int make_stop(struct spool_table *table, const struct spool_recovery *recovery,
	uint64_t session, uint64_t id, struct lost_stop *stop)
{
	uint32_t cause = recovery->config->lost_cause;
	struct spool_row *row = &stop->row;
	size_t fixed_len;
	int err;

	*row = (struct spool_row){ .id = id, .session = session, .kind = RADIUS_STOP };
	err = spool_table_read_session(table, session, &row->event_time, stop->octets,
		sizeof(stop->octets) - 5 * 6, &fixed_len, &stop->len);
	if (err)
		return err;
	if (!row->event_time) { /* lost with a damaged file */
		const struct radius_host *host = &recovery->spool->host;

		row->event_time = host->wallclock(host->ctx);
	}
	if (stop->len == fixed_len)
		put_nothing(stop->octets, &stop->len);
	put_u32(stop->octets, &stop->len, RADIUS_ACCT_TERMINATE_CAUSE,
		cause ? cause : RADIUS_CAUSE_NAS_REBOOT);
	put_u32(stop->octets, &stop->len, RADIUS_ACCT_STATUS_TYPE, RADIUS_STOP);
	return 0;
}

/* The record, and the end of the session's row. */
static int save_stop(
	struct spool_table *table, struct spool_recovery *recovery, const struct lost_stop *stop)
{
	int err = spool_table_insert(table, &stop->row, stop->octets, stop->len);

	(void)recovery;
	return err ? err : spool_table_close_session(table, stop->row.session);
}

/* In memory, for spool_save_init. */
static int keep_stop(
	struct spool_table *table, struct spool_recovery *recovery, const struct lost_stop *stop)
{
	struct spool_job *job = spool_job_new(SPOOL_PUT, stop->row.id);

	(void)table;
	if (!job)
		return -ENOMEM;
	job->row = stop->row;
	job->attrs = malloc(stop->len);
	if (!job->attrs) {
		spool_job_free(job);
		return -ENOMEM;
	}
	memcpy(job->attrs, stop->octets, stop->len);
	job->len = stop->len;
	STAILQ_INSERT_TAIL(&recovery->unsaved, job, entry);
	return 0;
}

/* The number of sessions that were lost, or -errno. */
static int end_lost(struct spool_table *table, struct spool_recovery *recovery, take_stop_fn *take)
{
	const struct radius_spool_config *config = recovery->config;
	uint64_t sessions[PAGE], after = 0, id;
	int lost = 0, count, err = spool_table_max_id(table, &id);
	struct lost_stop stop;

	while (!err && (count = spool_table_sessions(table, after, sessions, PAGE)) != 0) {
		err = count < 0 ? count : 0;
		for (int i = 0; !err && i < count; i++) {
			after = sessions[i];
			if (config->is_alive && config->is_alive(config->ctx, after))
				continue;
			err = make_stop(table, recovery, after, ++id, &stop);
			err = err ? err : take(table, recovery, &stop);
			lost++;
		}
	}
	return err ? err : lost;
}

/* All of them in one transaction: their number or -errno. */
static int recover(struct spool_table *table, struct spool_recovery *recovery, take_stop_fn *take)
{
	int err = spool_table_begin(table), lost = 0;

	if (!err) {
		lost = end_lost(table, recovery, take);
		err = lost < 0 ? lost : spool_table_commit(table);
	}
	if (err)
		spool_table_rollback(table);
	return err ? err : lost;
}

void spool_sessions_recover(void *ctx, struct spool_table *table)
{
	struct spool_recovery *recovery = ctx;
	int lost = recover(table, recovery, save_stop);

	if (lost == -EUCLEAN && spool_table_replace(table) == 0) {
		lost = recover(table, recovery, save_stop);
	} else if (lost < 0) { /* full, perhaps */
		spool_table_recover(table);
		lost = recover(table, recovery, save_stop);
	}
	if (lost < 0) { /* an Accounting-On closes them at the servers: their Stops cannot wait */
		recovery->err = lost;
		lost = recover(table, recovery, keep_stop);
	}
	if (lost < 0)
		spool_say(recovery->spool, true,
			"the Stops of sessions that an earlier run left open cannot be made: %s; the "
			"next start tries again",
			strerror(-lost));
	else if (lost > 0)
		spool_say(recovery->spool, false,
			"%d sessions were open when an earlier run was lost; they end with their "
			"last checkpoint",
			lost);
}
