/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spool: accounting records that are on disk before anybody relies on them, and leave it only when a
 * server acknowledged them with a verified authenticator.
 *
 * The caller's loop never waits for the disk, except while the spool is opened. Attributes are stored,
 * not packets, and wait on disk for their turn. Records of one session are sent in order, sessions in
 * parallel. A newer Interim replaces an unsent older one. When the spool is full, Interims go first,
 * then Starts, never Stops. Delivery is at least once: a record whose acknowledgement was lost is sent
 * again.
 *
 * A session is open from its Start on until its Stop is put, and has a row of its own on disk, with the
 * attributes of its Start and its last checkpoint. When everything was lost at once, the next
 * radius_spool_new makes the Stop of it, exactly one: rows and Stops change in one transaction.
 */
#ifndef RADIUS_SPOOL_H
#define RADIUS_SPOOL_H

#include "radius/radius.h"

struct radius_spool;

/* Acct-Status-Type, RFC 2866 section 5.1. */
enum radius_record_kind {
	RADIUS_START = 1,
	RADIUS_STOP = 2,
	RADIUS_INTERIM = 3,
	RADIUS_ON = 7,
	RADIUS_OFF = 8,
};

struct radius_spool_config {
	const char *path;         /* of the database, NULL: keep records in memory only */
	unsigned int max_records; /* 0 = 1,000,000 */
	size_t max_memory;        /* octets of attributes while the disk fails; 0 = 256 MiB */
	/*
	 * Called by radius_spool_new for each session that is open on disk: true: the caller ends it
	 * sooner or later; false: it was lost, and its Stop is made of its last checkpoint. NULL: all
	 * were lost.
	 */
	bool (*is_alive)(void *ctx, uint64_t session);
	void *ctx;
	uint32_t lost_cause; /* Acct-Terminate-Cause of those; 0 = NAS-Reboot */
};

/*
 * Opens (and creates) the spool and starts its thread; records left by an earlier run are sent first.
 * client (borrowed) may be NULL: records are kept. 0 and *ret_spool, or -errno; -EBUSY: another process
 * has it. A damaged database is moved aside and named in the log; what can be read of it is kept.
 */
int radius_spool_new(const struct radius_host *host, const struct radius_spool_config *config,
	struct radius_client *client, struct radius_spool **ret_spool);

/* Ends the thread after committing what was put. Nothing is called any more. */
void radius_spool_free(struct radius_spool *spool);

/*
 * Servers changed: send through another client from now on (NULL: keep records). Nothing of the spool
 * is left in the old one.
 */
void radius_spool_set_client(struct radius_spool *spool, struct radius_client *client);

/*
 * Puts one record: attrs are copied; Acct-Status-Type is added by the spool, everything else is the
 * caller's. session: orders and groups records; 0 for On and Off, which are of the NAS itself, and only
 * for them. On and Off wait for everything older, and everything newer waits for them. event_time: wall
 * clock, microseconds. durable is called once, later, from the loop: 0, or -errno when the disk failed
 * (the record is then kept in memory). durable may be NULL. 0, or -errno: nothing was put; -EINVAL
 * (session or kind, or attrs have an Acct-Status-Type), -EMSGSIZE (too large for a packet), -ENOMEM, -ENOBUFS (an Interim or Start while
 * neither disk nor servers take anything and max_memory is used up).
 */
int radius_spool_put(struct radius_spool *spool, uint64_t session, enum radius_record_kind kind,
	const struct radius_attrs *attrs, uint64_t event_time, void (*durable)(void *ctx, int err),
	void *ctx);
/* Nothing with this ctx is called any more; the records stay. */
void radius_spool_forget(struct radius_spool *spool, void *ctx);

struct radius_checkpoint {
	uint64_t session, event_time; /* as in radius_spool_put */
	const uint8_t *fixed;         /* what all its records have, encoded */
	size_t fixed_len;
	bool is_changed; /* it is other than in the Start and the last checkpoint */
	const struct radius_attrs *attrs; /* what else its Stop would have, without a cause */
};
/*
 * What is known of an open session by now. The checkpoints are collected until radius_spool_commit, which
 * ends a round of all open sessions and writes them, up to 1,024 in a transaction. Those of a disk that
 * fails are forgotten: the next round knows more. 0, -EINVAL, -EMSGSIZE or -ENOMEM.
 */
int radius_spool_checkpoint(struct radius_spool *spool, const struct radius_checkpoint *checkpoint);
/*
 * durable (may be NULL) is called once, later, from the loop: 0 when all of the round is on disk, or -errno.
 * 0, or -errno and it is not called: the disk fails, as was said, there is none, or -ENOMEM.
 */
int radius_spool_commit(struct radius_spool *spool, void (*durable)(void *ctx, int err), void *ctx);

struct radius_spool_info {
	uint64_t checkpoints;             /* written since start */
	uint64_t put, sent, failed, shed; /* records since start; failed: tries without an answer */
	uint64_t superseded, unreadable;
	unsigned int waiting; /* not yet acknowledged by a server */
	unsigned int unsaved; /* of these, in memory only because the disk failed */
	unsigned int refused; /* of these, never acknowledged although the servers answer others */
	unsigned int in_flight;
	bool is_loading; /* records of an earlier run are still being counted */
	bool is_paused;  /* nobody answers: the next try is later */
	uint64_t oldest; /* wall clock of the oldest one's event, 0 = none */
	size_t memory;   /* octets of attributes in memory */
	int disk_error;  /* errno of the last failed commit, 0 = healthy */
};
void radius_spool_info(const struct radius_spool *spool, struct radius_spool_info *ret_info);

/* A record that waits. */
struct radius_spool_entry {
	uint64_t id, session, event_time;
	enum radius_record_kind kind;
	unsigned int tries; /* without an answer, at most 255 */
	const char *server; /* that was tried last, NULL = none yet or any; the spool's */
	bool is_saved, is_sending, is_refused;
};

/*
 * Calls fn for records that wait, those of a session in order, until it returns false. *cursor is 0 at
 * first; the next call goes on behind the last record, whatever came or went in between. true: that
 * were all. NULL for the cursor: all from the start. Nothing may be put or freed inside fn.
 */
typedef bool radius_spool_fn(void *ctx, const struct radius_spool_entry *entry);
bool radius_spool_each(
	const struct radius_spool *spool, uint64_t *cursor, radius_spool_fn *fn, void *ctx);

/*
 * Reads what waits, in the order of radius_spool_each, with the attributes, which may be on disk: part by
 * part. radius_spool_read_part asks for the next part; ready is called later, from the loop. Then
 * radius_spool_read_next gives its records, one a call: attrs is the reader's until the next call. NULL:
 * no more in this part; radius_spool_read_is_all tells whether in any. What is acknowledged meanwhile may
 * be left out. A reader is freed before its spool.
 */
struct radius_spool_read;
int radius_spool_read_new(struct radius_spool *spool, void (*ready)(void *ctx), void *ctx,
	struct radius_spool_read **ret_read);
void radius_spool_read_free(struct radius_spool_read *read);
void radius_spool_read_part(struct radius_spool_read *read);
const struct radius_spool_entry *radius_spool_read_next(
	struct radius_spool_read *read, const struct radius_attrs **ret_attrs);
bool radius_spool_read_is_all(const struct radius_spool_read *read);

/* Tries what waits, and a disk that failed, now and not when its pause is over. */
void radius_spool_flush(struct radius_spool *spool);

/* Calls drained once, from the loop, when nothing waits any more (at shutdown); NULL takes it back. */
void radius_spool_on_drained(struct radius_spool *spool, void (*drained)(void *ctx), void *ctx);

#endif
