/* SPDX-License-Identifier: BSD-2-Clause */
/* fake_spool: accounting records and RADIUS requests that wait until the test says what becomes of them. */
#ifndef TESTS_UNIT_SUBSCRIBER_FAKE_SPOOL_H
#define TESTS_UNIT_SUBSCRIBER_FAKE_SPOOL_H

#include "radius/spool.h"

#define FAKE_RECORDS 256

struct fake_spool {
	struct fake_record {
		uint64_t session;
		enum radius_record_kind kind;
		struct radius_attrs *attrs;
		uint64_t event_time;
		void (*durable)(void *ctx, int err); /* NULL: told, forgotten, or never asked for */
		void *ctx;
	} records[FAKE_RECORDS];
	unsigned int count;
	int put_error;
	struct fake_checkpoint {
		uint64_t session, event_time;
		uint32_t input, output, time;
		size_t fixed_len;
		bool is_changed;
	} checkpoint; /* the newest */
	unsigned int checkpoints, commits;
	void (*round_durable)(void *ctx, int err); /* of the last commit; NULL: told */
	void *round_ctx;
	bool slow_rounds; /* the test says when they are */

	struct radius_request *requests;
	struct radius_attrs *asked; /* attributes of the last Access-Request */
	char server[64];            /* that it was for; "": any */
	bool refuse_requests;
};

/* Everything put is on disk, or the disk failed. */
void fake_spool_commit(int err);
/* The round of checkpoints is on disk, or the disk failed. */
void fake_spool_commit_round(int err);
/* The newest record of that kind; it must be there. */
const struct fake_record *fake_spool_newest(enum radius_record_kind kind);
/* Ends the oldest request of the subscriber with that key. */
void fake_radius_answer(uint64_t key, enum radius_outcome outcome, unsigned int code,
	const struct radius_attrs *attrs);
void fake_spool_free(void);

#endif
