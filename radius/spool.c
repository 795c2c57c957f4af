// SPDX-License-Identifier: BSD-2-Clause
/*
 * spool: see spool.h. A record is saved, then sent, then deleted; it goes back in line when no server
 * acknowledged it. Owns records and groups; a group is the line of one session, and exists while it has
 * records.
 *
 * Records of the NAS itself (On, Off) are barriers: they wait for everything older, and everything
 * newer waits for them, because an Accounting-On closes all open sessions at the server.
 */
#include "radius/spool.h"

#include "radius/attr_codes.h"
#include "radius/spool_db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define GROUP_BUCKETS   16384
#define IN_FLIGHT_MAX   256
#define RETRY_MIN       1000000 /* microseconds */
#define RETRY_MAX       60000000
#define BARRIER_TRIES   5 /* rounds for an On or Off that nobody acknowledges while servers live */
#define SAVE_RETRY      5000000
#define DEFAULT_RECORDS 1000000

enum record_state { RECORD_SAVING, RECORD_WAITING, RECORD_SENDING };

struct spool_group;

struct spool_record {
	TAILQ_ENTRY(spool_record) in_all, in_group, in_kind, in_saving;
	struct radius_spool *spool;
	struct spool_group *group;
	uint64_t id, event_time;
	enum radius_record_kind kind;
	enum record_state state;
	bool saved;
	unsigned int tries;
	struct radius_attrs *attrs;
	struct radius_request *request;
	void (*durable)(void *ctx, int err);
	void *ctx;
};

TAILQ_HEAD(spool_records, spool_record);

struct spool_group {
	LIST_ENTRY(spool_group) in_bucket;
	TAILQ_ENTRY(spool_group) in_runnable;
	bool runnable;
	uint64_t session;
	struct spool_records records;
};

struct radius_spool {
	struct radius_host host;
	struct radius_client *client;
	struct spool_db *db; /* NULL: memory only */
	void *db_io;
	struct spool_records all; /* by id */
	struct spool_records by_kind[RADIUS_OFF + 1];
	struct spool_records saving;
	LIST_HEAD(, spool_group) groups[GROUP_BUCKETS];
	TAILQ_HEAD(, spool_group) runnable;
	uint64_t next_id;
	unsigned int count, max, in_flight;
	struct radius_spool_info info;
	void *retry_timer; /* runs: sending pauses */
	bool paused;
	uint64_t retry_delay;
	void *save_timer; /* runs: a disk that failed gets another try */
	void *soon_timer; /* callbacks and sending that must not happen inside a call */
	void (*drained)(void *ctx);
	void *drained_ctx;
};

static void pump(struct radius_spool *spool);

static void say(struct radius_spool *spool, bool is_error, const char *text)
{
	spool->host.log(spool->host.ctx, is_error, text);
}

static void soon(struct radius_spool *spool)
{
	spool->host.timer_start(spool->soon_timer, 0);
}

/* ---- groups and records ---- */

static struct spool_group *group_find(struct radius_spool *spool, uint64_t session)
{
	struct spool_group *group;

	LIST_FOREACH(group, &spool->groups[session % GROUP_BUCKETS], in_bucket)
		if (group->session == session)
			return group;
	return NULL;
}

static struct spool_group *group_of(struct radius_spool *spool, uint64_t session)
{
	struct spool_group *group = group_find(spool, session);

	if (group)
		return group;
	group = calloc(1, sizeof(*group));
	if (!group)
		return NULL;
	group->session = session;
	TAILQ_INIT(&group->records);
	LIST_INSERT_HEAD(&spool->groups[session % GROUP_BUCKETS], group, in_bucket);
	return group;
}

static void set_runnable(struct radius_spool *spool, struct spool_group *group, bool runnable)
{
	if (group->runnable == runnable)
		return;
	group->runnable = runnable;
	if (runnable)
		TAILQ_INSERT_TAIL(&spool->runnable, group, in_runnable);
	else
		TAILQ_REMOVE(&spool->runnable, group, in_runnable);
}

/* The head of a line decides whether the line can move. */
static void look_at(struct radius_spool *spool, struct spool_group *group)
{
	struct spool_record *head = TAILQ_FIRST(&group->records);

	set_runnable(spool, group, head && head->state == RECORD_WAITING);
	if (head)
		return;
	LIST_REMOVE(group, in_bucket);
	free(group);
}

static void record_unlink(struct spool_record *record)
{
	struct radius_spool *spool = record->spool;

	TAILQ_REMOVE(&spool->all, record, in_all);
	TAILQ_REMOVE(&spool->by_kind[record->kind], record, in_kind);
	TAILQ_REMOVE(&record->group->records, record, in_group);
	if (record->state == RECORD_SAVING)
		TAILQ_REMOVE(&spool->saving, record, in_saving);
	else if (spool->db && !record->saved)
		spool->info.unsaved--;
	spool->count--;
	if (record->request) {
		radius_cancel(record->request);
		spool->in_flight--;
	}
	radius_attrs_free(record->attrs);
}

/* Ends a record that was sent, replaced or shed. */
static void record_end(struct spool_record *record)
{
	struct radius_spool *spool = record->spool;
	struct spool_group *group = record->group;

	record_unlink(record);
	if (spool->db && record->saved)
		(void)spool_db_delete(spool->db, record->id);
	free(record);
	look_at(spool, group);
	if (spool->count == 0 && spool->drained)
		soon(spool);
}

static struct spool_record *record_new(struct radius_spool *spool, uint64_t id, uint64_t session,
	enum radius_record_kind kind, uint64_t event_time, struct radius_attrs *attrs)
{
	struct spool_record *record = calloc(1, sizeof(*record));
	struct spool_group *group = record ? group_of(spool, session) : NULL;

	if (!group) {
		free(record);
		return NULL;
	}
	record->spool = spool;
	record->group = group;
	record->id = id;
	record->kind = kind;
	record->event_time = event_time;
	record->attrs = attrs;
	TAILQ_INSERT_TAIL(&spool->all, record, in_all);
	TAILQ_INSERT_TAIL(&spool->by_kind[kind], record, in_kind);
	TAILQ_INSERT_TAIL(&group->records, record, in_group);
	spool->count++;
	return record;
}

/* ---- sending ---- */

static const struct spool_record *barrier_of(const struct radius_spool *spool)
{
	const struct spool_record *on = TAILQ_FIRST(&spool->by_kind[RADIUS_ON]);
	const struct spool_record *off = TAILQ_FIRST(&spool->by_kind[RADIUS_OFF]);

	if (!on || !off)
		return on ? on : off;
	return on->id < off->id ? on : off;
}

static bool may_go(const struct radius_spool *spool, const struct spool_record *record)
{
	const struct spool_record *barrier = barrier_of(spool);

	if (!barrier)
		return true;
	if (record == barrier)
		return record == TAILQ_FIRST(&spool->all);
	return record->id < barrier->id;
}

/* Nobody acknowledges: leave the servers alone for a while, longer each time. */
static void pause_sending(struct radius_spool *spool)
{
	if (spool->paused)
		return;
	spool->paused = true;
	spool->host.timer_start(spool->retry_timer, spool->retry_delay);
	spool->retry_delay *= 2;
	if (spool->retry_delay > RETRY_MAX)
		spool->retry_delay = RETRY_MAX;
}

static void sent(void *ctx, enum radius_outcome outcome, unsigned int code,
	const struct radius_attrs *reply, const char *server)
{
	struct spool_record *record = ctx;
	struct radius_spool *spool = record->spool;
	char line[256];

	(void)reply;
	record->request = NULL;
	spool->in_flight--;
	record->state = RECORD_WAITING;
	if (outcome == RADIUS_ANSWERED && code == RADIUS_ACCOUNTING_RESPONSE) {
		spool->retry_delay = RETRY_MIN;
		spool->info.sent++;
		record_end(record);
		pump(spool);
		return;
	}
	spool->info.failed++;
	record->tries++;
	if (spool->info.failed == 1 || spool->retry_delay == RETRY_MIN) {
		snprintf(line, sizeof(line),
			"accounting: no valid acknowledgement%s%s (%s); %u records are kept and "
			"sent again",
			server && *server ? " from " : "", server ? server : "",
			outcome == RADIUS_FORGED ? "does the shared secret agree on both sides?"
						 : "does the server run?",
			spool->count);
		say(spool, true, line);
	}
	if (record->group->session == 0 && record->tries >= BARRIER_TRIES) {
		say(spool, true,
			"accounting: the servers do not acknowledge Accounting-On or -Off; going "
			"on without");
		record_end(record);
		pump(spool);
		return;
	}
	set_runnable(spool, record->group, true);
	pause_sending(spool);
}

static bool send_record(struct radius_spool *spool, struct spool_record *record)
{
	record->request = radius_send(spool->client, RADIUS_ACCOUNTING_REQUEST, record->attrs,
		record->event_time, sent, record);
	if (!record->request)
		return false;
	record->state = RECORD_SENDING;
	spool->in_flight++;
	set_runnable(spool, record->group, false);
	return true;
}

static void pump(struct radius_spool *spool)
{
	struct spool_group *group, *next;

	if (!spool->client || spool->paused)
		return;
	for (group = TAILQ_FIRST(&spool->runnable); group && spool->in_flight < IN_FLIGHT_MAX;
		group = next) {
		struct spool_record *head = TAILQ_FIRST(&group->records);

		next = TAILQ_NEXT(group, in_runnable);
		if (!may_go(spool, head))
			continue;
		if (!send_record(spool, head)) {
			pause_sending(spool);
			return;
		}
	}
}

static void retry(void *arg)
{
	struct radius_spool *spool = arg;

	spool->paused = false;
	pump(spool);
}

/* ---- saving ---- */

static int save(struct spool_record *record)
{
	struct spool_db_row row = {
		.id = record->id,
		.session = record->group->session,
		.kind = record->kind,
		.event_time = record->event_time,
	};
	uint8_t buf[4096];
	int len = radius_attrs_encode(record->attrs, buf, sizeof(buf));

	if (len < 0)
		return len;
	row.attrs = buf;
	row.len = (size_t)len;
	return spool_db_put(record->spool->db, &row);
}

static void saved(struct spool_record *record, int err)
{
	struct radius_spool *spool = record->spool;
	void (*durable)(void *ctx, int err) = record->durable;
	void *ctx = record->ctx;

	TAILQ_REMOVE(&spool->saving, record, in_saving);
	record->state = RECORD_WAITING;
	record->saved = err == 0;
	record->durable = NULL;
	if (err < 0)
		spool->info.unsaved++;
	look_at(spool, record->group);
	if (durable)
		durable(ctx, err);
}

static void note_disk(struct radius_spool *spool, int err)
{
	char line[160];

	if (spool->info.disk_error == -err)
		return;
	spool->info.disk_error = -err;
	if (err < 0)
		snprintf(line, sizeof(line),
			"accounting: records cannot be saved: %s; they are kept in memory and sent, "
			"but a crash would lose them: look at the state directory",
			strerror(-err));
	else
		snprintf(line, sizeof(line), "accounting: records are saved again");
	say(spool, err < 0, line);
	if (err < 0)
		spool->host.timer_start(spool->save_timer, SAVE_RETRY);
}

/* Records are saved in order, so the one that is done is near the front of those in saving. */
static void db_done(void *ctx, uint64_t id, int err)
{
	struct radius_spool *spool = ctx;
	struct spool_record *record;

	note_disk(spool, err);
	TAILQ_FOREACH(record, &spool->saving, in_saving)
		if (record->id == id)
			break;
	if (record)
		saved(record, err);
	else if (!err)
		(void)spool_db_delete(spool->db, id); /* ended meanwhile */
}

static void db_ready(void *arg, int events)
{
	struct radius_spool *spool = arg;

	(void)events;
	spool_db_reap(spool->db, db_done, spool);
	soon(spool);
}

/* The disk had failed: everything that waits in memory alone is tried again. */
static void save_again(void *arg)
{
	struct radius_spool *spool = arg;
	struct spool_record *record;

	TAILQ_FOREACH(record, &spool->all, in_all) {
		if (record->saved || record->state != RECORD_WAITING || save(record) < 0)
			continue;
		record->state = RECORD_SAVING;
		TAILQ_INSERT_TAIL(&spool->saving, record, in_saving);
		spool->info.unsaved--;
		set_runnable(spool, record->group, false);
	}
	if (spool->info.disk_error)
		spool->host.timer_start(spool->save_timer, SAVE_RETRY);
}

static void soon_fires(void *arg)
{
	struct radius_spool *spool = arg;
	void (*drained)(void *ctx) = spool->drained;
	struct spool_record *record;

	if (!spool->db)
		while ((record = TAILQ_FIRST(&spool->saving)))
			saved(record, 0);
	pump(spool);
	if (spool->count == 0 && drained) {
		spool->drained = NULL;
		drained(spool->drained_ctx);
	}
}

/* ---- room ---- */

static struct spool_record *oldest_idle(struct spool_records *records)
{
	struct spool_record *record;

	TAILQ_FOREACH(record, records, in_kind)
		if (record->state == RECORD_WAITING)
			return record;
	return NULL;
}

static void make_room(struct radius_spool *spool)
{
	struct spool_record *victim;

	if (spool->count < spool->max)
		return;
	victim = oldest_idle(&spool->by_kind[RADIUS_INTERIM]);
	if (!victim)
		victim = oldest_idle(&spool->by_kind[RADIUS_START]);
	if (!victim)
		return; /* Stops are never shed */
	if (spool->info.shed++ == 0)
		say(spool, true,
			"accounting: the spool is full; Interims are dropped first, then Starts, "
			"never Stops");
	record_end(victim);
}

/* A newer Interim says everything that an unsent older one does. */
static void replace_interim(struct radius_spool *spool, uint64_t session)
{
	struct spool_group *group = group_find(spool, session);
	struct spool_record *record, *next;

	if (!group)
		return;
	for (record = TAILQ_FIRST(&group->records); record; record = next) {
		next = TAILQ_NEXT(record, in_group);
		if (record->kind == RADIUS_INTERIM && record->state == RECORD_WAITING && next)
			record_end(record);
		else if (record->kind == RADIUS_INTERIM && record->state == RECORD_WAITING) {
			record_end(record); /* the last one: the group may go with it */
			return;
		}
	}
}

/* ---- the public side ---- */

int radius_spool_put(struct radius_spool *spool, uint64_t session, enum radius_record_kind kind,
	const struct radius_attrs *attrs, uint64_t event_time, void (*durable)(void *ctx, int err),
	void *ctx)
{
	struct radius_attrs *copy = radius_attrs_copy(attrs);
	struct spool_record *record = NULL;
	int err = copy ? radius_add_u32(copy, RADIUS_ACCT_STATUS_TYPE, 0, kind) : -ENOMEM;

	if (!err) {
		make_room(spool);
		if (kind == RADIUS_INTERIM)
			replace_interim(spool, session);
		record = record_new(spool, spool->next_id, session, kind, event_time, copy);
		err = record ? 0 : -ENOMEM;
	}
	if (err < 0) {
		radius_attrs_free(copy);
		return err;
	}
	spool->next_id++;
	spool->info.put++;
	record->durable = durable;
	record->ctx = ctx;
	record->state = RECORD_SAVING;
	TAILQ_INSERT_TAIL(&spool->saving, record, in_saving);
	if (!spool->db) {
		soon(spool);
		return 0;
	}
	err = save(record);
	if (err < 0) { /* does not fit or no memory: it lives in memory, and durable hears of it */
		struct spool_group *group = record->group;

		record_unlink(record);
		free(record);
		look_at(spool, group);
	}
	return err;
}

void radius_spool_forget(struct radius_spool *spool, void *ctx)
{
	struct spool_record *record;

	TAILQ_FOREACH(record, &spool->saving, in_saving)
		if (record->ctx == ctx)
			record->durable = NULL;
}

void radius_spool_set_client(struct radius_spool *spool, struct radius_client *client)
{
	struct spool_record *record;

	TAILQ_FOREACH(record, &spool->all, in_all) {
		if (!record->request)
			continue;
		radius_cancel(record->request);
		record->request = NULL;
		spool->in_flight--;
		record->state = RECORD_WAITING;
		set_runnable(spool, record->group, true);
	}
	spool->client = client;
	spool->retry_delay = RETRY_MIN;
	soon(spool);
}

void radius_spool_info(const struct radius_spool *spool, struct radius_spool_info *ret_info)
{
	const struct spool_record *oldest = TAILQ_FIRST(&spool->all);

	*ret_info = spool->info;
	ret_info->waiting = spool->count;
	ret_info->oldest = oldest ? oldest->event_time : 0;
}

void radius_spool_on_drained(struct radius_spool *spool, void (*drained)(void *ctx), void *ctx)
{
	spool->drained = drained;
	spool->drained_ctx = ctx;
	soon(spool);
}

/* ---- start and end ---- */

static void load_row(void *ctx, const struct spool_db_row *row)
{
	struct radius_spool *spool = ctx;
	struct radius_attrs *attrs;
	struct spool_record *record;
	char line[128];

	if (row->id >= spool->next_id)
		spool->next_id = row->id + 1;
	if (row->kind > RADIUS_OFF || radius_attrs_decode(row->attrs, row->len, &attrs) < 0) {
		snprintf(line, sizeof(line), "accounting: record %llu of the spool is unreadable",
			(unsigned long long)row->id);
		say(spool, true, line);
		return;
	}
	record = record_new(spool, row->id, row->session, row->kind, row->event_time, attrs);
	if (!record) {
		radius_attrs_free(attrs);
		return; /* stays on disk for the next start */
	}
	record->state = RECORD_WAITING;
	record->saved = true;
	look_at(spool, record->group);
}

static int open_db(struct radius_spool *spool, const char *path)
{
	char damaged[512], line[640];
	int err = spool_db_open(path, load_row, spool, damaged, sizeof(damaged), &spool->db);

	if (damaged[0]) {
		snprintf(line, sizeof(line),
			"accounting: the spool was damaged and moved to %s; records in it are not "
			"sent",
			damaged);
		say(spool, true, line);
	}
	if (err < 0)
		return err;
	if (spool->count > 0) {
		snprintf(line, sizeof(line), "accounting: %u records of an earlier run are sent",
			spool->count);
		say(spool, false, line);
	}
	spool->db_io =
		spool->host.io_new(spool->host.ctx, spool_db_fd(spool->db), 1, db_ready, spool);
	return spool->db_io ? 0 : -ENOMEM;
}

int radius_spool_new(const struct radius_host *host, const struct radius_spool_config *config,
	struct radius_client *client, struct radius_spool **ret_spool)
{
	struct radius_spool *spool = calloc(1, sizeof(*spool));
	int err = 0;

	if (!spool)
		return -ENOMEM;
	spool->host = *host;
	spool->client = client;
	spool->max = config->max_records ? config->max_records : DEFAULT_RECORDS;
	spool->next_id = 1;
	spool->retry_delay = RETRY_MIN;
	TAILQ_INIT(&spool->all);
	TAILQ_INIT(&spool->saving);
	TAILQ_INIT(&spool->runnable);
	for (int kind = 0; kind <= RADIUS_OFF; kind++)
		TAILQ_INIT(&spool->by_kind[kind]);
	spool->retry_timer = host->timer_new(host->ctx, retry, spool);
	spool->save_timer = host->timer_new(host->ctx, save_again, spool);
	spool->soon_timer = host->timer_new(host->ctx, soon_fires, spool);
	if (!spool->retry_timer || !spool->save_timer || !spool->soon_timer)
		err = -ENOMEM;
	if (!err && config->path)
		err = open_db(spool, config->path);
	if (err < 0) {
		radius_spool_free(spool);
		return err;
	}
	soon(spool);
	*ret_spool = spool;
	return 0;
}

void radius_spool_free(struct radius_spool *spool)
{
	struct spool_record *record;

	if (!spool)
		return;
	while ((record = TAILQ_FIRST(&spool->all))) {
		struct spool_group *group = record->group;

		record_unlink(record);
		free(record);
		look_at(spool, group);
	}
	if (spool->db_io)
		spool->host.io_free(spool->db_io);
	spool_db_close(spool->db);
	if (spool->retry_timer)
		spool->host.timer_free(spool->retry_timer);
	if (spool->save_timer)
		spool->host.timer_free(spool->save_timer);
	if (spool->soon_timer)
		spool->host.timer_free(spool->soon_timer);
	free(spool);
}
