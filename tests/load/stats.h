/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stats: what a run measured: latencies, failures by reason, counters. One for the whole run.
 */
#ifndef LOAD_STATS_H
#define LOAD_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum stats_phase {
	PHASE_SCCRP, /* SCCRQ to SCCRP */
	PHASE_ICRP,  /* ICRQ to ICRP */
	PHASE_LCP,   /* ICCN to the first LCP frame of the LNS */
	PHASE_AUTH,  /* ICCN to authenticated */
	PHASE_UP,    /* ICCN to IP up */
	PHASE_CALL,  /* ICRQ to IP up */
	PHASE_PING,  /* round trip */
	PHASE_COUNT
};

/* The PPP protocols that send requests. */
enum stats_protocol { STATS_LCP, STATS_AUTH, STATS_IPCP, STATS_IPV6CP, STATS_PROTOCOLS };

#define STATS_REASONS     64
#define STATS_REASON_TEXT 160

struct stats_samples {
	uint32_t *values; /* microseconds */
	size_t count, size;
};

struct stats_reason {
	char text[STATS_REASON_TEXT];
	uint64_t count;
};

/* A wave is a number of calls that were to come up together: the first setup, each storm. */
#define STATS_WAVES 128
struct stats_wave {
	const char *name;
	uint64_t began, ended; /* env_now; ended 0 = not yet */
	uint64_t asked, up, failed;
};

struct stats {
	struct stats_samples phases[PHASE_COUNT];
	struct stats_reason reasons[STATS_REASONS];
	unsigned int reason_count;
	uint64_t failures;
	uint64_t tunnels_up, tunnels_failed;
	uint64_t calls_started, calls_up, calls_ended, vanished;
	uint64_t retransmitted[STATS_PROTOCOLS]; /* requests that we sent again */
	uint64_t repeated[STATS_PROTOCOLS];      /* requests that the LNS sent again */
	uint64_t hellos, echoes;                 /* of the LNS, answered */
	uint64_t data_in, data_out, stray;       /* frames; stray: for no session of ours */
	uint64_t pings_sent, pings_received;
	uint64_t send_errors; /* packets that the system did not take */
	struct stats_wave waves[STATS_WAVES];
	unsigned int wave_count;
	uint64_t teardown_began, teardown_ended;
};

/* Adds a latency in microseconds. What memory is too short for is left out. */
void stats_sample(struct stats *stats, enum stats_phase phase, uint64_t latency);
/* Counts a failure; reasons beyond the table count as "other reasons". */
void stats_fail(struct stats *stats, const char *reason);
/* The current wave, NULL before the first. */
struct stats_wave *stats_wave(struct stats *stats);
struct stats_wave *stats_wave_begin(struct stats *stats, const char *name, uint64_t now);

/* Latencies in ms; sorts the samples. Zeros when there are none. */
struct stats_summary {
	size_t count;
	double p50, p90, p99, max;
};
void stats_summarize(struct stats_samples *samples, struct stats_summary *ret);

const char *stats_phase_name(enum stats_phase phase); /* for people */
const char *stats_phase_key(enum stats_phase phase);  /* in JSON */
const char *stats_protocol_key(enum stats_protocol protocol);

void stats_free(struct stats *stats);

#endif
