// SPDX-License-Identifier: BSD-2-Clause
/*
 * spool: see spool.h. A record is saved, then sent, then deleted, and goes back in line when no server
 * acknowledged it. Here: putting records, making room for them, and the turns; who may go is
 * spool_lines.c, the servers are spool_send.c, the disk is spool_save.c.
 */
#include "radius/spool_internal.h"

#include "radius/attr_codes.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS_DEFAULT 1000000
#define MEMORY_DEFAULT  (256 << 20)
#define STATUS_LEN      6

void spool_say(struct radius_spool *spool, bool is_error, const char *format, ...)
{
	char line[512] = "accounting: ";
	size_t used = strlen(line);
	va_list args;

	va_start(args, format);
	vsnprintf(line + used, sizeof(line) - used, format, args);
	va_end(args);
	spool->host.log(spool->host.ctx, is_error, line);
}

void spool_tell(struct radius_spool *spool, enum radius_event event, const char *why)
{
	if (spool->host.happened)
		spool->host.happened(spool->host.happened_ctx, event, NULL, why);
}

uint64_t spool_now(const struct radius_spool *spool)
{
	return spool->host.now(spool->host.ctx);
}

void spool_soon(struct radius_spool *spool)
{
	if (spool->is_soon)
		return;
	spool->is_soon = true;
	spool->host.timer_start(spool->soon_timer, 0);
}

/* ---- room ---- */

static void shed(struct radius_spool *spool, struct spool_record *victim)
{
	spool->info.shed++;
	if (!spool->is_shedding) {
		spool->is_shedding = true;
		spool_say(spool, true,
			"the spool is full, %u records wait; Interims are dropped first, then "
			"Starts, never Stops",
			spool->info.waiting);
		spool_tell(spool, RADIUS_SPOOL_FULL, "records are dropped");
	}
	spool_record_end(spool, victim);
}

/* One that is in memory only, so that dropping it makes room there. */
static struct spool_record *unsaved_victim(struct radius_spool *spool, enum radius_record_kind kind)
{
	struct spool_record *record = TAILQ_FIRST(&spool->unsaved[kind]);

	for (unsigned int steps = 0; record && record->delivery; steps++)
		record = steps < SPOOL_IN_FLIGHT ? TAILQ_NEXT(record, in_unsaved) : NULL;
	return record;
}

/* Two go when one comes, so that a spool that was loaded with too many gets smaller. */
static int make_room(struct radius_spool *spool, enum radius_record_kind kind)
{
	struct spool_record *victim;

	for (int i = 0; i < 2 && spool->info.waiting >= spool->max_records; i++) {
		victim = spool_lines_victim(spool, RADIUS_INTERIM);
		if (!victim)
			victim = spool_lines_victim(spool, RADIUS_START);
		if (victim)
			shed(spool, victim);
	}
	if (spool->info.memory < spool->max_memory)
		return 0;
	victim = unsaved_victim(spool, RADIUS_INTERIM);
	if (!victim)
		victim = unsaved_victim(spool, RADIUS_START);
	if (victim)
		shed(spool, victim);
	else if (kind == RADIUS_INTERIM || kind == RADIUS_START)
		return -ENOBUFS;
	return 0;
}

static void look_at_room(struct radius_spool *spool)
{
	if (!spool->is_shedding || spool->info.waiting > spool->max_records / 10 * 9 ||
		spool->info.memory > spool->max_memory / 10 * 9)
		return;
	spool->is_shedding = false;
	spool_say(spool, false, "the spool has room again; %llu records were dropped",
		(unsigned long long)spool->info.shed);
	spool_tell(spool, RADIUS_SPOOL_HAS_ROOM, NULL);
}

/* ---- putting ---- */

/* The attributes and Acct-Status-Type, as they are stored. */
static int encode(struct spool_job *job, const struct radius_attrs *attrs)
{
	const uint8_t status[STATUS_LEN] = { RADIUS_ACCT_STATUS_TYPE, STATUS_LEN, 0, 0, 0,
		(uint8_t)job->row.kind };
	uint8_t octets[SPOOL_ATTRS_MAX];
	int len = radius_attrs_encode(attrs, octets, sizeof(octets) - sizeof(status));

	if (len < 0)
		return len == -ENOSPC ? -EMSGSIZE : len;
	memcpy(octets + len, status, sizeof(status));
	job->len = (size_t)len + sizeof(status);
	job->attrs = malloc(job->len);
	if (!job->attrs)
		return -ENOMEM;
	memcpy(job->attrs, octets, job->len);
	return 0;
}

/* A newer Interim says everything that an unsent older one does. */
static void supersede(struct radius_spool *spool, struct spool_record *interim)
{
	struct spool_record *record, *older;

	for (record = TAILQ_PREV(interim, spool_records, in_line); record; record = older) {
		older = TAILQ_PREV(record, spool_records, in_line);
		if (record->kind == RADIUS_INTERIM && !record->delivery)
			spool_record_supersede(spool, interim, record);
	}
}

int radius_spool_put(struct radius_spool *spool, uint64_t session, enum radius_record_kind kind,
	const struct radius_attrs *attrs, uint64_t event_time, void (*durable)(void *ctx, int err),
	void *ctx)
{
	const struct spool_row row = { spool->next_id, session, event_time, kind };
	struct spool_record *record;
	struct spool_job *job;
	uint32_t status;
	int err;

	if (!spool_row_is_sound(&row) || radius_get_u32(attrs, RADIUS_ACCT_STATUS_TYPE, &status))
		return -EINVAL;
	job = spool_job_new(SPOOL_PUT, spool->next_id);
	if (!job)
		return -ENOMEM;
	job->row = row;
	err = encode(job, attrs);
	if (kind == RADIUS_START && spool->db)
		job->opens = job->len - STATUS_LEN;
	if (!err)
		err = make_room(spool, kind);
	record = err ? NULL : spool_record_new(spool, &job->row, false);
	if (!record) {
		spool_job_free(job);
		return err ? err : -ENOMEM;
	}
	spool->next_id++;
	spool->info.put++;
	record->job = job;
	record->copy = COPY_SAVING;
	job->owner = record;
	job->durable = durable;
	job->ctx = ctx;
	if (kind == RADIUS_INTERIM)
		supersede(spool, record);
	if (kind == RADIUS_STOP)
		spool_sessions_ended(spool, session);
	spool_save_put(spool, record);
	return 0;
}

/* ---- turns ---- */

static void look_if_drained(struct radius_spool *spool)
{
	void (*drained)(void *ctx) = spool->drained;

	if (!drained || spool->info.waiting > 0 || spool->info.is_loading)
		return;
	spool->drained = NULL;
	drained(spool->drained_ctx);
}

static void soon_fires(void *arg)
{
	struct radius_spool *spool = arg;
	bool is_more;

	spool->is_soon = false;
	is_more = spool_save_step(spool);
	is_more |= spool_lines_step(spool);
	is_more |= spool_send_step(spool);
	look_at_room(spool);
	if (is_more)
		spool_soon(spool);
	look_if_drained(spool);
}

void radius_spool_info(const struct radius_spool *spool, struct radius_spool_info *ret_info)
{
	const struct spool_record *oldest = spool_lines_oldest(spool);

	*ret_info = spool->info;
	ret_info->oldest = oldest ? oldest->event_time : 0;
}

void radius_spool_on_drained(struct radius_spool *spool, void (*drained)(void *ctx), void *ctx)
{
	spool->drained = drained;
	spool->drained_ctx = ctx;
	spool_soon(spool);
}

void radius_spool_flush(struct radius_spool *spool)
{
	spool_send_resume(spool);
	spool_save_flush(spool);
}

/* ---- start and end ---- */

int radius_spool_new(const struct radius_host *host, const struct radius_spool_config *config,
	struct radius_client *client, struct radius_spool **ret_spool)
{
	struct radius_spool *spool = calloc(1, sizeof(*spool));
	int err;

	if (!spool)
		return -ENOMEM;
	spool->host = *host;
	spool->client = client;
	spool->max_records = config->max_records ? config->max_records : RECORDS_DEFAULT;
	spool->max_memory = config->max_memory ? config->max_memory : MEMORY_DEFAULT;
	spool->soon_timer = RADIUS_TIMER(host, soon_fires, spool);
	err = spool_lines_init(spool);
	if (!err)
		err = spool_send_init(spool);
	if (!err)
		err = spool->soon_timer ? spool_save_init(spool, config) : -ENOMEM;
	if (err)
		radius_spool_free(spool);
	else
		*ret_spool = spool;
	return err;
}

void radius_spool_free(struct radius_spool *spool)
{
	if (!spool)
		return;
	spool->is_soon = true; /* nothing will come */
	spool_send_free(spool);
	spool_sessions_free(spool);
	spool_save_free(spool);
	spool_lines_free(spool);
	if (spool->soon_timer)
		spool->host.timer_free(spool->soon_timer);
	free(spool);
}
