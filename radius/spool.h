/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spool: accounting records that are on disk before anybody relies on them, and leave it only when a
 * server acknowledged them with a verified authenticator.
 *
 * SQLite in WAL mode, synchronous=FULL, one writer thread with group commit; the caller's loop never
 * waits for the disk. Attributes are stored, not packets. Records of one session are sent in order,
 * sessions in parallel. A newer Interim replaces an unsent older one. When the spool is full, Interims
 * go first, then Starts, never Stops.
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
};

/*
 * Opens (and creates) the spool and starts its thread; records left by an earlier run are sent first.
 * client (borrowed) may be NULL: records are kept. 0 and *ret_spool, or -errno; a damaged database is
 * moved aside and named in the log.
 */
int radius_spool_new(const struct radius_host *host, const struct radius_spool_config *config,
	struct radius_client *client, struct radius_spool **ret_spool);

/* Ends the thread after committing what was put. Nothing is called any more. */
void radius_spool_free(struct radius_spool *spool);

/* Servers changed: send through another client from now on (NULL: keep records). */
void radius_spool_set_client(struct radius_spool *spool, struct radius_client *client);

/*
 * Puts one record: attrs are copied; Acct-Status-Type is added by the spool, everything else is the
 * caller's. session: orders and groups records (0: of the NAS itself, On and Off). event_time: wall
 * clock, microseconds. durable is called once, later, from the loop: 0, or -errno when the disk failed
 * (the record is then kept in memory). durable may be NULL. 0, or -errno: nothing was put.
 */
int radius_spool_put(struct radius_spool *spool, uint64_t session, enum radius_record_kind kind,
	const struct radius_attrs *attrs, uint64_t event_time, void (*durable)(void *ctx, int err),
	void *ctx);
/* Nothing with this ctx is called any more. */
void radius_spool_forget(struct radius_spool *spool, void *ctx);

struct radius_spool_info {
	uint64_t put, sent, failed, shed; /* records since start */
	unsigned int waiting;             /* not yet acknowledged by a server */
	unsigned int unsaved;             /* of these, in memory only */
	uint64_t oldest;                  /* wall clock of the oldest one's event, 0 = none */
	int disk_error;                   /* errno of the last failed commit, 0 = healthy */
};
void radius_spool_info(const struct radius_spool *spool, struct radius_spool_info *ret_info);

/* Calls drained once, from the loop, when nothing waits any more (at shutdown); NULL takes it back. */
void radius_spool_on_drained(struct radius_spool *spool, void (*drained)(void *ctx), void *ctx);

#endif
