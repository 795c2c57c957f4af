/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spool_bed: a spool on one fake server and a directory of its own. The clock is the fake one, the
 * disk and its thread are real, so the helpers that wait for them take real time.
 */
#ifndef TESTS_RADIUS_SPOOL_BED_H
#define TESTS_RADIUS_SPOOL_BED_H

#include "radius/spool.h"
#include "tests/unit/radius/one_server.h"

#include <limits.h>

#define BED_SEEN 8192

extern struct radius_spool *spool;
extern char bed_dir[64], bed_path[128];
extern unsigned int bed_durable, bed_failed; /* calls of bed_saved with 0, and with an error */

/* What the server got, in order; no more than fits. */
struct bed_packet {
	uint64_t session;
	uint32_t kind, time;           /* time: Event-Timestamp */
	uint32_t lasted, input, cause; /* of a Stop with counters */
	bool is_named;
};
extern struct bed_packet bed_seen[BED_SEEN];
extern unsigned int bed_seen_count;
/* Whether the server answers that one. NULL: all. */
extern bool (*bed_answers)(const struct bed_packet *packet);
/* Whether a session that is open on disk still lives when the spool is opened. NULL: all do. */
extern bool (*bed_is_alive)(uint64_t session);

void bed_setup(void);
void bed_teardown(void);
/* The same on a disk that forgets what was not synced (power_vfs.h). */
void bed_power_setup(void);
void bed_power_teardown(void);

/* Opens the spool on bed_path, or in memory; its client tries once, for a second. */
void bed_open(void);
void bed_open_with(const struct radius_spool_config *config);
int bed_try(const struct radius_spool_config *config); /* what radius_spool_new says */
void bed_close(void);

/* Makes a checkpoint of an open session. */
void bed_checkpoint(uint64_t session, uint32_t lasted, uint32_t input);
/* Puts a record with some attributes; session as Acct-Session-Id. */
int bed_put(uint64_t session, enum radius_record_kind kind);
int bed_put_for(
	uint64_t session, enum radius_record_kind kind, void (*durable)(void *, int), void *ctx);
/* A durable that counts in bed_durable and bed_failed. */
void bed_saved(void *ctx, int err);

struct radius_spool_info bed_info(void);

/* Lets everything happen that can without the clock going on; the server answers. */
void bed_serve(void);
/* The same, until it holds; fails the test after ten seconds. */
void bed_until(bool (*holds)(void), const char *what);
/* The same with the fake clock going on, a quarter of a second each time. */
void bed_pass(uint64_t delay);

bool bed_all_saved(void); /* nothing waits for the disk */
bool bed_all_sent(void);
bool bed_is_loaded(void);
bool bed_disk_failed(void);
bool bed_disk_works(void);

/* How many records wait of a session and kind; 0: of any. */
unsigned int bed_count(uint64_t session, unsigned int kind);

#endif
