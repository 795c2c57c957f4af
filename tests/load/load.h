/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * load: the run: which calls are started when, held, dropped and ended, and what is counted.
 *
 * Owns LACs and sessions. They tell it what became of them by load_changed and the counts of states;
 * it acts from a timer of its own, never from inside their functions.
 */
#ifndef LOAD_LOAD_H
#define LOAD_LOAD_H

#include "lns/l2tp/l2tp.h"
#include "tests/load/lac.h"
#include "tests/load/options.h"
#include "tests/load/stats.h"

enum load_stage {
	STAGE_WAVE, /* calls come up */
	STAGE_HOLD,
	STAGE_SETTLE, /* after churn: until nothing is under way */
	STAGE_PINGS,  /* the last replies are waited for */
	STAGE_END,
	STAGE_CLOSE, /* tunnels */
	STAGE_DONE,
};

/* The first calls that failed, with what their clients had said and heard by then. */
enum { LOAD_FAILURES = 32 };
struct load_failure {
	char user[PPP_NAME_MAX + 1], reason[STATS_REASON_TEXT];
	uint16_t id, peer_id; /* of the L2TP session; 0 = none */
	uint64_t at;          /* env_now */
	struct trace trace;
};

struct load {
	struct env *env;
	const struct options *options;
	struct ppp_settings ppp;
	struct rng rng;
	struct stats stats;
	struct load_failure failures[LOAD_FAILURES];
	unsigned int failure_count;    /* at most LOAD_FAILURES */
	struct l2tp_counters counters; /* of all transports */
	struct lac *lacs;
	struct session *sessions;
	TAILQ_HEAD(, lac) ready; /* up, with sessions waiting */
	unsigned int count[CALL_STATES];
	enum load_stage stage;
	unsigned int storms_left;
	bool reboots_done, vanish_done;
	uint64_t began, ended, next_start;
	void *addresses; /* tree of sessions that are up, by address */
	struct env_timer *pump, *stage_timer, *churn, *progress;
	void (*done)(void *ctx);
	void (*show)(void *ctx); /* twice a second, NULL = nobody wants it */
	void *ctx;
};

/* 0 or -errno, which has been reported; nothing is left behind. done is called once, at the end. */
int load_init(struct load *load, struct env *env, const struct options *options,
	void (*done)(void *ctx), void (*show)(void *ctx), void *ctx);
void load_fini(struct load *load);
void load_begin(struct load *load);
/* Ends early: as after --hold; a second time: at once. */
void load_interrupt(struct load *load);

/* ---- for LACs and sessions ---- */

/* Something happened: look again what to do next. */
void load_changed(struct load *load);
/* The LAC is up and may have sessions waiting. */
void load_ready(struct load *load, struct lac *lac);
/* A session of the current wave is up, or has failed for reason. */
void load_session_up(struct session *session);
void load_session_down(struct session *session);
void load_session_failed(struct session *session, const char *reason);

#endif
