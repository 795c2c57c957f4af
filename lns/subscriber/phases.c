// SPDX-License-Identifier: BSD-2-Clause
/*
 * phases: see phases.h. A phase counts when it is over and the next one begins; a call that fails in a
 * phase counts in those before it.
 */
#include "lns/subscriber/phases.h"

#define MS(n) (UINT64_C(n) * 1000)

const uint64_t phases_bounds[PHASES_BOUNDS] = {
	MS(1),
	MS(2) + 500,
	MS(5),
	MS(10),
	MS(25),
	MS(50),
	MS(100),
	MS(250),
	MS(500),
	MS(1000),
	MS(2500),
	MS(5000),
	MS(10000),
	MS(30000),
	MS(60000),
};

static const char *const names[PHASES_COUNT] = {
	[PHASES_QUEUE] = "queue",
	[PHASES_KERNEL] = "kernel",
	[PHASES_CONNECT] = "connect",
	[PHASES_FORK] = "fork",
	[PHASES_LCP] = "lcp",
	[PHASES_AUTH] = "auth",
	[PHASES_NETWORK] = "network",
	[PHASES_SETUP] = "setup",
	[PHASES_END] = "end",
};

void phases_observe(struct phases *phases, enum phases_phase phase, uint64_t took)
{
	struct phases_histogram *histogram = &phases->histograms[phase];
	unsigned int bucket = 0;

	while (bucket < PHASES_BOUNDS && took > phases_bounds[bucket])
		bucket++;
	histogram->counts[bucket]++;
	histogram->sum += took;
}

const char *phases_name(enum phases_phase phase)
{
	return names[phase];
}
