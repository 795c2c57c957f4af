// SPDX-License-Identifier: BSD-2-Clause
/*
 * spool_lines: the records that wait, and who of them may go.
 *
 * A line is what waits of one session, in order; only its head may go, and only one at a time. An On or
 * Off is a barrier: it goes when nothing older waits, and nothing newer goes before it, because an
 * Accounting-On closes all open sessions at the server. A record that the servers never acknowledge
 * although they answer others is refused: no barrier waits for it.
 */
#include "radius/spool_internal.h"

#include <errno.h>
#include <stdlib.h>

#define BUCKETS_MIN      1024
#define BUCKETS_MAX      65536
#define RECORDS_A_BUCKET 16
#define CURSOR_SHIFT     48 /* a cursor is bucket << CURSOR_SHIFT | id */
#define VICTIM_SEARCH    (2 * SPOOL_IN_FLIGHT)

static struct spool_bucket *bucket_of(const struct radius_spool *spool, uint64_t session)
{
	return &spool->buckets[session & (spool->bucket_count - 1)];
}

static struct spool_records *kind_of(struct radius_spool *spool, const struct spool_record *record)
{
	return &spool->kinds[record->is_refused][record->kind];
}

int spool_lines_init(struct radius_spool *spool)
{
	for (unsigned int kind = 0; kind < SPOOL_KINDS; kind++) {
		TAILQ_INIT(&spool->kinds[0][kind]);
		TAILQ_INIT(&spool->kinds[1][kind]);
	}
	for (unsigned int state = 0; state < LINE_STATES; state++)
		TAILQ_INIT(&spool->queues[state]);
	spool->bucket_count = BUCKETS_MIN;
	while (spool->bucket_count < BUCKETS_MAX &&
		spool->bucket_count < spool->max_records / RECORDS_A_BUCKET)
		spool->bucket_count *= 2;
	spool->buckets = calloc(spool->bucket_count, sizeof(*spool->buckets));
	return spool->buckets ? 0 : -ENOMEM;
}

void spool_lines_free(struct radius_spool *spool)
{
	for (unsigned int list = 0; list < 2 * SPOOL_KINDS; list++) {
		struct spool_records *records = &spool->kinds[list % 2][list / 2];
		struct spool_record *record;

		while ((record = TAILQ_FIRST(records))) {
			struct spool_line *line = record->line;

			spool_job_free(record->job);
			spool_record_free(spool, record);
			spool_line_look(spool, line);
		}
	}
	free(spool->buckets);
}

/* ---- lines ---- */

struct spool_line *spool_line_find(struct radius_spool *spool, uint64_t session)
{
	struct spool_line *line;

	LIST_FOREACH(line, bucket_of(spool, session), in_bucket)
		if (line->session == session)
			return line;
	return NULL;
}

static struct spool_line *line_get(struct radius_spool *spool, uint64_t session)
{
	struct spool_line *line = spool_line_find(spool, session);

	if (line)
		return line;
	line = calloc(1, sizeof(*line));
	if (!line)
		return NULL;
	line->session = session;
	TAILQ_INIT(&line->records);
	LIST_INSERT_HEAD(bucket_of(spool, session), line, in_bucket);
	return line;
}

static void line_move(
	struct radius_spool *spool, struct spool_line *line, enum spool_line_state state)
{
	if (line->state != LINE_NOWHERE)
		TAILQ_REMOVE(&spool->queues[line->state], line, in_queue);
	if (line->state == LINE_HELD)
		spool->held--;
	line->state = state;
	if (state != LINE_NOWHERE)
		TAILQ_INSERT_TAIL(&spool->queues[state], line, in_queue);
	if (state == LINE_HELD)
		spool->held++;
}

void spool_line_look(struct radius_spool *spool, struct spool_line *line)
{
	const struct spool_record *head = TAILQ_FIRST(&line->records);

	if (!head) {
		line_move(spool, line, LINE_NOWHERE);
		LIST_REMOVE(line, in_bucket);
		free(line);
	} else if (head->copy == COPY_SAVING || head->delivery) {
		line_move(spool, line, LINE_NOWHERE);
	} else if (line->state == LINE_NOWHERE) {
		line_move(spool, line, head->tries ? LINE_AGAIN : LINE_READY);
		spool_soon(spool);
	}
}

void spool_line_rest(struct radius_spool *spool, struct spool_line *line, uint64_t delay)
{
	line->rest_until = spool_now(spool) + delay;
	line_move(spool, line, LINE_RESTING);
	spool_soon(spool);
}

/* ---- records ---- */

struct spool_record *spool_record_new(
	struct radius_spool *spool, const struct spool_row *row, bool is_oldest)
{
	struct spool_record *record = calloc(1, sizeof(*record));
	struct spool_line *line = record ? line_get(spool, row->session) : NULL;

	if (!line) {
		free(record);
		return NULL;
	}
	record->line = line;
	record->id = row->id;
	record->event_time = row->event_time;
	record->kind = (unsigned int)row->kind & 15;
	if (is_oldest) {
		TAILQ_INSERT_HEAD(&line->records, record, in_line);
		TAILQ_INSERT_HEAD(kind_of(spool, record), record, in_kind);
	} else {
		TAILQ_INSERT_TAIL(&line->records, record, in_line);
		TAILQ_INSERT_TAIL(kind_of(spool, record), record, in_kind);
	}
	spool->info.waiting++;
	return record;
}

const struct spool_record *spool_lines_oldest(const struct radius_spool *spool)
{
	const struct spool_record *oldest = NULL;

	for (unsigned int kind = 0; kind < SPOOL_KINDS; kind++) {
		const struct spool_record *record = TAILQ_FIRST(&spool->kinds[0][kind]);

		if (record && (!oldest || record->id < oldest->id))
			oldest = record;
	}
	return oldest;
}

struct spool_record *spool_lines_barrier(const struct radius_spool *spool)
{
	struct spool_record *on = TAILQ_FIRST(&spool->kinds[0][RADIUS_ON]);
	struct spool_record *off = TAILQ_FIRST(&spool->kinds[0][RADIUS_OFF]);

	if (!on || !off)
		return on ? on : off;
	return on->id < off->id ? on : off;
}

static bool is_barrier(const struct spool_record *record)
{
	return record->kind == RADIUS_ON || record->kind == RADIUS_OFF;
}

/* A record is gone: a barrier that waited for it may go, or those that waited for the barrier. */
static void look_at_barrier(struct radius_spool *spool, bool barrier_is_gone)
{
	const struct spool_record *barrier = spool_lines_barrier(spool);

	if (barrier_is_gone) {
		spool->to_release = spool->held;
		spool_soon(spool);
	}
	if (barrier && barrier->line->state == LINE_HELD && barrier == spool_lines_oldest(spool)) {
		line_move(spool, barrier->line, LINE_READY);
		spool_soon(spool);
	}
}

void spool_record_free(struct radius_spool *spool, struct spool_record *record)
{
	bool was_barrier = is_barrier(record);

	TAILQ_REMOVE(kind_of(spool, record), record, in_kind);
	TAILQ_REMOVE(&record->line->records, record, in_line);
	spool->info.waiting--;
	if (record->is_refused)
		spool->info.refused--;
	free(record);
	look_at_barrier(spool, was_barrier);
	if (spool->info.waiting == 0)
		spool_soon(spool);
}

void spool_record_refuse(struct radius_spool *spool, struct spool_record *record)
{
	if (record->is_refused)
		return;
	TAILQ_REMOVE(kind_of(spool, record), record, in_kind);
	record->is_refused = 1;
	TAILQ_INSERT_TAIL(kind_of(spool, record), record, in_kind);
	spool->info.refused++;
	look_at_barrier(spool, false);
}

struct spool_record *spool_lines_victim(struct radius_spool *spool, enum radius_record_kind kind)
{
	for (int refused = 1; refused >= 0; refused--) {
		struct spool_record *record = TAILQ_FIRST(&spool->kinds[refused][kind]);

		for (unsigned int steps = 0; record && steps < VICTIM_SEARCH; steps++) {
			if (!record->delivery && record->copy != COPY_SAVING)
				return record;
			record = TAILQ_NEXT(record, in_kind);
		}
	}
	return NULL;
}

/* ---- listing ---- */

/* The record of a bucket with the lowest id above that, NULL = none. */
static const struct spool_record *next_in(const struct spool_bucket *bucket, uint64_t id)
{
	const struct spool_record *record, *next = NULL;
	const struct spool_line *line;

	LIST_FOREACH(line, bucket, in_bucket) {
		record = TAILQ_FIRST(&line->records);
		while (record && record->id <= id)
			record = TAILQ_NEXT(record, in_line);
		if (record && (!next || record->id < next->id))
			next = record;
	}
	return next;
}

struct radius_spool_entry spool_entry(
	const struct radius_spool *spool, const struct spool_record *record)
{
	return (struct radius_spool_entry){
		.id = record->id,
		.session = record->line->session,
		.event_time = record->event_time,
		.kind = record->kind,
		.tries = record->tries,
		.server = spool->servers[record->server],
		.is_saved = record->copy == COPY_SAVED,
		.is_sending = record->delivery != NULL,
		.is_refused = record->is_refused,
	};
}

const struct spool_record *spool_lines_after(const struct radius_spool *spool, uint64_t *cursor)
{
	uint64_t id = *cursor & ((UINT64_C(1) << CURSOR_SHIFT) - 1);

	for (size_t bucket = *cursor >> CURSOR_SHIFT; bucket < spool->bucket_count;
		bucket++, id = 0) {
		const struct spool_record *record = next_in(&spool->buckets[bucket], id);

		if (!record)
			continue;
		*cursor = (uint64_t)bucket << CURSOR_SHIFT | record->id;
		return record;
	}
	return NULL;
}

bool radius_spool_each(
	const struct radius_spool *spool, uint64_t *cursor, radius_spool_fn *fn, void *ctx)
{
	uint64_t start = 0, *at = cursor ? cursor : &start;
	const struct spool_record *record;

	while ((record = spool_lines_after(spool, at))) {
		struct radius_spool_entry entry = spool_entry(spool, record);

		if (!fn(ctx, &entry))
			return false;
	}
	return true;
}

/* ---- who is next ---- */

static bool may_go(const struct radius_spool *spool, const struct spool_record *record)
{
	const struct spool_record *barrier = spool_lines_barrier(spool);

	if (!barrier || record->id < barrier->id)
		return true;
	return record == barrier && barrier == spool_lines_oldest(spool);
}

/* Those that were in vain before get a part of the window, so that they do not hold up the others. */
static struct spool_line *first_line(struct radius_spool *spool)
{
	struct spool_line *again = TAILQ_FIRST(&spool->queues[LINE_AGAIN]);

	if (again && spool->again < (spool->window + 3) / 4)
		return again;
	return TAILQ_FIRST(&spool->queues[LINE_READY]);
}

struct spool_record *spool_lines_next(struct radius_spool *spool, unsigned int *steps)
{
	struct spool_line *line;

	while (*steps > 0 && (line = first_line(spool))) {
		struct spool_record *head = TAILQ_FIRST(&line->records);

		--*steps;
		if (may_go(spool, head)) {
			line_move(spool, line, LINE_NOWHERE);
			return head;
		}
		line_move(spool, line, LINE_HELD);
	}
	return NULL;
}

struct spool_record *spool_lines_probe(struct radius_spool *spool)
{
	struct spool_line *line = TAILQ_FIRST(&spool->queues[LINE_HELD]);

	if (!line)
		return NULL;
	line_move(spool, line, LINE_NOWHERE);
	return TAILQ_FIRST(&line->records);
}

/* The head of a line that leaves its rest or its hold is looked at like any other. */
static void line_release(struct radius_spool *spool, struct spool_line *line)
{
	line_move(spool, line, LINE_NOWHERE);
	spool_line_look(spool, line);
}

bool spool_lines_step(struct radius_spool *spool)
{
	uint64_t now = spool_now(spool);
	struct spool_line *line;
	unsigned int steps;

	for (steps = 0; steps < SPOOL_BATCH && spool->to_release > 0; steps++) {
		spool->to_release--;
		line = TAILQ_FIRST(&spool->queues[LINE_HELD]);
		if (line)
			line_release(spool, line);
	}
	if (spool->wake_before < now)
		spool->wake_before = now;
	for (steps = 0; steps < SPOOL_BATCH; steps++) {
		line = TAILQ_FIRST(&spool->queues[LINE_RESTING]);
		if (!line || line->rest_until > spool->wake_before)
			break;
		line_release(spool, line);
	}
	line = TAILQ_FIRST(&spool->queues[LINE_RESTING]);
	if (line && line->rest_until > spool->wake_before)
		spool->host.timer_start(spool->rest_timer, line->rest_until - now);
	return spool->to_release > 0 || (line && line->rest_until <= spool->wake_before);
}
