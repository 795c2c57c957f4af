/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spool_internal: what the files of the spool share.
 *
 * The spool owns lines, a line its records; a line is what waits of one session and exists while that
 * is something. A record owns its job (its attributes in memory, or on their way to the disk) unless
 * the thread has that, and its delivery while it is being sent. A job in the thread whose record ended
 * has no owner and is freed when it comes back.
 *
 * Everything that could be much is done in steps of at most SPOOL_BATCH a turn, by soon.
 */
#ifndef RADIUS_SPOOL_INTERNAL_H
#define RADIUS_SPOOL_INTERNAL_H

#include "radius/packet.h"
#include "radius/spool.h"
#include "radius/spool_db.h"

#include <sys/queue.h>

#define SPOOL_BATCH     32
#define SPOOL_IN_FLIGHT 256
#define SPOOL_WAITERS   256
#define SPOOL_SERVERS   64 /* that records remember */
/* What a packet can hold besides Message-Authenticator, Event-Timestamp and Acct-Delay-Time. */
#define SPOOL_ATTRS_MAX (RADIUS_PACKET_MAX - RADIUS_HEADER_LEN - 18 - 2 * 6)
#define SPOOL_KINDS     (RADIUS_OFF + 1)

/* Where the lasting copy of a record is. In a spool without a disk, memory counts as SAVED. */
enum spool_copy { COPY_SAVING, COPY_SAVED, COPY_UNSAVED };

struct spool_record {
	TAILQ_ENTRY(spool_record) in_line, in_kind, in_unsaved;
	struct spool_line *line;
	struct spool_job *job;           /* has the attributes; NULL: they are on disk only */
	struct spool_delivery *delivery; /* NULL: nobody is at it */
	uint64_t id, event_time;
	uint32_t answers;      /* info.sent when it was first sent, or last in vain */
	uint8_t server;        /* that was last tried in vain: a number of servers, 0 = none */
	uint8_t tries;         /* in vain */
	uint8_t refusals;      /* of these, while the servers answered others */
	unsigned int kind : 4; /* enum radius_record_kind */
	unsigned int copy : 2; /* enum spool_copy */
	unsigned int is_refused : 1; /* too often: nobody waits for it any more */
};
TAILQ_HEAD(spool_records, spool_record);

/*
 * A line is in the queue of its state: NOWHERE (its head cannot go now: in none), READY, AGAIN (its
 * head was in vain before), HELD (behind an On or Off), RESTING (refused lately).
 */
enum spool_line_state {
	LINE_NOWHERE,
	LINE_READY,
	LINE_AGAIN,
	LINE_HELD,
	LINE_RESTING,
	LINE_STATES
};

struct spool_line {
	LIST_ENTRY(spool_line) in_bucket;
	TAILQ_ENTRY(spool_line) in_queue;
	uint64_t session;
	uint64_t rest_until;
	struct spool_records records;
	enum spool_line_state state;
};
TAILQ_HEAD(spool_line_queue, spool_line);
LIST_HEAD(spool_bucket, spool_line);

/* A record on its way: its attributes come from the disk, then it is with the client. */
struct spool_delivery {
	TAILQ_ENTRY(spool_delivery) entry;
	struct radius_spool *spool;
	struct spool_record *record;
	struct radius_request *request; /* NULL: still reading */
	unsigned int pauses;            /* the spool's at that time */
	bool is_again;
};

TAILQ_HEAD(spool_deliveries, spool_delivery);
LIST_HEAD(spool_waiters, spool_job);

struct radius_spool {
	struct radius_host host;
	struct radius_client *client;
	struct radius_spool_info info;
	uint64_t next_id;
	unsigned int max_records;
	size_t max_memory;
	void *soon_timer; /* what must not happen inside a call, or is too much for one turn */
	bool is_soon, is_shedding;
	void (*drained)(void *ctx);
	void *drained_ctx;

	/* records (spool_lines.c) */
	struct spool_bucket *buckets;
	size_t bucket_count;                        /* a power of two */
	struct spool_records kinds[2][SPOOL_KINDS]; /* by [is_refused][kind], oldest first */
	struct spool_line_queue queues[LINE_STATES];
	unsigned int held, to_release; /* lines; of these, to be looked at again */

	/* sending (spool_send.c) */
	struct spool_deliveries deliveries;
	unsigned int again;  /* of these */
	unsigned int window; /* deliveries at a time */
	unsigned int pauses; /* so far */
	uint64_t retry_delay;
	bool is_silent;               /* nobody answers, and it was said */
	void *retry_timer;            /* runs while info.is_paused */
	char *servers[SPOOL_SERVERS]; /* names, from 1 */
	void *rest_timer;
	uint64_t wake_before; /* lines that rest until then are woken */
	bool was_probed;      /* a newer record went with the one that an On or Off waits for */

	/* saving (spool_save.c) */
	struct spool_db *db; /* NULL: memory only */
	void *db_io;
	struct spool_jobs instant; /* come back without having been to the thread */
	struct spool_jobs undone;  /* writes that failed and are nobody's */
	struct spool_records unsaved[SPOOL_KINDS];
	struct spool_waiters waiters[SPOOL_WAITERS];
	void *save_timer;    /* runs while the disk fails */
	unsigned int queued; /* jobs in the thread */
	unsigned int loaded; /* rows of an earlier run */
	unsigned int scan_failures;
	bool is_probing; /* a SPOOL_PROBE is in the thread */

	/* open sessions (spool_sessions.c) */
	struct spool_job *batch; /* checkpoints that are being collected */
	size_t batch_room;       /* octets */
	unsigned int misses;     /* times that sessions may be missing on the disk */
	unsigned int made_up;    /* misses that all sessions were written anew for */
	unsigned int round;      /* misses at the beginning of this round of checkpoints */
	bool in_round;
	bool is_partial; /* the disk failed during the round */
};

/* spool.c */
void spool_say(struct radius_spool *spool, bool is_error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void spool_tell(struct radius_spool *spool, enum radius_event event, const char *why);
void spool_soon(struct radius_spool *spool);
uint64_t spool_now(const struct radius_spool *spool);

/* ---- spool_lines.c: who may go ---- */

int spool_lines_init(struct radius_spool *spool);
/* Frees all records and lines. */
void spool_lines_free(struct radius_spool *spool);
/* A record at the end of its line, or at the front of it and of all that there are. */
struct spool_record *spool_record_new(
	struct radius_spool *spool, const struct spool_row *row, bool is_oldest);
/* Out of memory, nowhere else; its job has been taken and nobody is at it. */
void spool_record_free(struct radius_spool *spool, struct spool_record *record);
/* After anything that decides whether the head of the line can go; the line may be freed. */
void spool_line_look(struct radius_spool *spool, struct spool_line *line);
struct spool_line *spool_line_find(struct radius_spool *spool, uint64_t session);
/* Lets a line rest because its head is refused. */
void spool_line_rest(struct radius_spool *spool, struct spool_line *line, uint64_t delay);
/* Nobody waits for the record any more. */
void spool_record_refuse(struct radius_spool *spool, struct spool_record *record);
/* The next head that may go, NULL = none; takes its line out of its queue. *steps limits the work. */
struct spool_record *spool_lines_next(struct radius_spool *spool, unsigned int *steps);
/* The On or Off that newer records wait for, NULL = none. */
struct spool_record *spool_lines_barrier(const struct radius_spool *spool);
/* The head of a line that is held, in spite of that. */
struct spool_record *spool_lines_probe(struct radius_spool *spool);
/* Wakes lines and releases held ones, a batch of each. Whether more are left. */
bool spool_lines_step(struct radius_spool *spool);
/* The record behind a cursor as that of radius_spool_each, which goes on; NULL: that were all. */
const struct spool_record *spool_lines_after(const struct radius_spool *spool, uint64_t *cursor);
struct radius_spool_entry spool_entry(
	const struct radius_spool *spool, const struct spool_record *record);
const struct spool_record *spool_lines_oldest(const struct radius_spool *spool);
/* The oldest record of that kind that can be dropped, NULL = none. */
struct spool_record *spool_lines_victim(struct radius_spool *spool, enum radius_record_kind kind);

/* ---- spool_send.c: to the servers ---- */

int spool_send_init(struct radius_spool *spool);
void spool_send_free(struct radius_spool *spool);
/* Ends the delivery without its record, if there is one. */
void spool_delivery_cancel(struct radius_spool *spool, struct spool_record *record);
/* The attributes of a record that is being delivered have come, or not. */
void spool_delivery_read(struct radius_spool *spool, struct spool_record *record, int err);
/* Sends what may go. Whether there is more for the next turn. */
bool spool_send_step(struct radius_spool *spool);
/* The attributes of a row as they were put: 0, -EBADMSG, -EMSGSIZE or -ENOMEM. */
int spool_decode(
	unsigned int kind, const uint8_t *octets, size_t len, struct radius_attrs **ret_attrs);
/* No pause any more. */
void spool_send_resume(struct radius_spool *spool);

/* ---- spool_save.c: to the disk and back ---- */

int spool_save_init(struct radius_spool *spool, const struct radius_spool_config *config);
/* Commits what was put. */
void spool_save_free(struct radius_spool *spool);
/* Hands a job to the thread. */
void spool_save_submit(struct radius_spool *spool, struct spool_job *job);
/* The disk failed: from now on it is only probed. */
void spool_save_failed(struct radius_spool *spool, int err);
/* The job's durable will be called. */
void spool_save_await(struct radius_spool *spool, struct spool_job *job);
/* Saves a new record whose job is ready. */
void spool_save_put(struct radius_spool *spool, struct spool_record *record);
/* Forgets the attributes of a record that has them on disk, when too many are in memory. */
void spool_save_uncache(struct radius_spool *spool, struct spool_record *record);
/* Whether a session can have a record of that kind. */
bool spool_row_is_sound(const struct spool_row *row);
/* Fetches the attributes of a record: spool_delivery_read hears of it. 0 or -ENOMEM. */
int spool_save_read(struct radius_spool *spool, struct spool_record *record);
/* Ends a record: it was acknowledged, replaced or shed. */
void spool_record_end(struct radius_spool *spool, struct spool_record *record);
/* Ends a record that cannot be sent, and keeps it for people. */
void spool_record_set_aside(struct radius_spool *spool, struct spool_record *record);
/* Lets the record take the place of an older one, which ends. */
void spool_record_supersede(
	struct radius_spool *spool, struct spool_record *record, struct spool_record *older);
/* Gives jobs that need no thread back, and saves again. Whether there is more for the next turn. */
bool spool_save_step(struct radius_spool *spool);
/* Tries a disk that failed now. */
void spool_save_flush(struct radius_spool *spool);

/* ---- spool_read.c: for people ---- */

/* The octets of a record came, or not; the job is the callee's. */
void spool_reading_done(struct spool_job *job);

/* ---- spool_sessions.c: sessions that are open, and their checkpoints ---- */

struct spool_recovery {
	struct radius_spool *spool;
	const struct radius_spool_config *config;
	/* Stops that the disk did not take, as jobs that save them. */
	struct spool_jobs unsaved;
	int err; /* why */
};
/* Makes Stops of the sessions that nobody else will end; ctx: a struct spool_recovery. */
void spool_sessions_recover(void *ctx, struct spool_table *table);
/* The session ends: no checkpoint follows its Stop. */
void spool_sessions_ended(struct radius_spool *spool, uint64_t session);
/* A put did not reach the disk at once: if it is a Start, its session is open without a row. */
void spool_sessions_missed(struct radius_spool *spool, struct spool_job *put);
/* Rows of sessions may be missing: they are written anew. */
void spool_sessions_unsure(struct radius_spool *spool);
/* A batch of checkpoints comes back. */
void spool_sessions_written(struct radius_spool *spool, struct spool_job *job);
void spool_sessions_free(struct radius_spool *spool);

#endif
