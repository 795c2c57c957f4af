/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * phases: how long the phases of calls take, as histograms; for the metrics.
 */
#ifndef LNS_SUBSCRIBER_PHASES_H
#define LNS_SUBSCRIBER_PHASES_H

#include <stddef.h>
#include <stdint.h>

enum phases_phase {
	PHASES_QUEUE,   /* from the ICRQ until there is a place */
	PHASES_KERNEL,  /* until the kernel has the session, and the ICRP goes out */
	PHASES_CONNECT, /* until the ICCN */
	PHASES_FORK,    /* until pppd runs */
	PHASES_LCP,     /* until LCP is up */
	PHASES_AUTH,    /* until the subscriber is authorised */
	PHASES_NETWORK, /* until the network is up */
	PHASES_SETUP,   /* all of these */
	PHASES_END,     /* from the decision to end until everything is gone */
	PHASES_COUNT
};

/* Upper bounds of the buckets, microseconds, ascending; one more bucket holds what is above them. */
#define PHASES_BOUNDS 15
extern const uint64_t phases_bounds[PHASES_BOUNDS];

struct phases {
	struct phases_histogram {
		uint64_t counts[PHASES_BOUNDS + 1]; /* of each bucket alone, not cumulative */
		uint64_t sum;                       /* microseconds */
	} histograms[PHASES_COUNT];
};

void phases_observe(struct phases *phases, enum phases_phase phase, uint64_t took);

const char *phases_name(enum phases_phase phase);

#endif
