// SPDX-License-Identifier: BSD-2-Clause
/*
 * spool_read: records that wait, with their attributes, for people. A part is of one turn: what is in
 * memory is copied, the rest comes from the disk, behind whatever the thread has to do before.
 */
#include "radius/spool_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PART 64 /* records */

struct spool_reading {
	struct radius_spool_read *read;
	struct radius_spool_entry entry;
	struct spool_job *job; /* in the thread, NULL = none */
	uint8_t *octets;       /* NULL: it could not be read */
	size_t len;
};

struct radius_spool_read {
	struct radius_spool *spool;
	void (*ready)(void *ctx);
	void *ctx;
	void *timer;     /* for parts that need no disk */
	uint64_t cursor; /* of radius_spool_each */
	bool is_all;
	struct spool_reading part[PART];
	unsigned int count, next, pending;
	struct radius_attrs *attrs; /* of the last one that was given out */
};

static void tell(void *arg)
{
	struct radius_spool_read *read = arg;

	read->ready(read->ctx);
}

int radius_spool_read_new(struct radius_spool *spool, void (*ready)(void *ctx), void *ctx,
	struct radius_spool_read **ret_read)
{
	struct radius_spool_read *read = calloc(1, sizeof(*read));

	if (read)
		read->timer = RADIUS_TIMER(&spool->host, tell, read);
	if (!read || !read->timer) {
		free(read);
		return -ENOMEM;
	}
	read->spool = spool;
	read->ready = ready;
	read->ctx = ctx;
	*ret_read = read;
	return 0;
}

static void forget_part(struct radius_spool_read *read)
{
	for (unsigned int i = 0; i < read->count; i++) {
		if (read->part[i].job)
			read->part[i].job->reading = NULL; /* it comes back to nobody */
		free(read->part[i].octets);
	}
	memset(read->part, 0, sizeof(read->part));
	read->count = read->next = read->pending = 0;
	radius_attrs_free(read->attrs);
	read->attrs = NULL;
}

void radius_spool_read_free(struct radius_spool_read *read)
{
	if (!read)
		return;
	forget_part(read);
	read->spool->host.timer_free(read->timer);
	free(read);
}

void spool_reading_done(struct spool_job *job)
{
	struct spool_reading *reading = job->reading;
	struct radius_spool_read *read = reading->read;

	reading->job = NULL;
	if (!job->err) {
		reading->octets = job->attrs;
		reading->len = job->len;
		job->attrs = NULL;
	}
	spool_job_free(job);
	if (--read->pending == 0)
		read->ready(read->ctx);
}

/* Not while the thread is reading them. */
static bool is_in_memory(const struct spool_record *record)
{
	return record->job && !(record->delivery && !record->delivery->request);
}

static void begin(struct spool_reading *reading, const struct spool_record *record)
{
	struct radius_spool_read *read = reading->read;

	if (is_in_memory(record)) {
		reading->octets = malloc(record->job->len);
		if (!reading->octets)
			return;
		memcpy(reading->octets, record->job->attrs, record->job->len);
		reading->len = record->job->len;
		return;
	}
	reading->job = spool_job_new(SPOOL_READ, record->id);
	if (!reading->job)
		return;
	reading->job->reading = reading;
	read->pending++;
	spool_save_submit(read->spool, reading->job);
}

void radius_spool_read_part(struct radius_spool_read *read)
{
	const struct spool_record *record = NULL;

	forget_part(read);
	while (read->count < PART && (record = spool_lines_after(read->spool, &read->cursor))) {
		struct spool_reading *reading = &read->part[read->count++];

		reading->read = read;
		reading->entry = spool_entry(read->spool, record);
		begin(reading, record);
	}
	read->is_all = !record;
	if (read->pending == 0)
		read->spool->host.timer_start(read->timer, 0);
}

const struct radius_spool_entry *radius_spool_read_next(
	struct radius_spool_read *read, const struct radius_attrs **ret_attrs)
{
	radius_attrs_free(read->attrs);
	read->attrs = NULL;
	while (read->next < read->count && read->pending == 0) {
		struct spool_reading *reading = &read->part[read->next++];

		if (!reading->octets || spool_decode(reading->entry.kind, reading->octets,
						reading->len, &read->attrs))
			continue;
		*ret_attrs = read->attrs;
		return &reading->entry;
	}
	return NULL;
}

bool radius_spool_read_is_all(const struct radius_spool_read *read)
{
	return read->is_all && read->next == read->count && read->pending == 0;
}
