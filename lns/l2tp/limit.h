/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * limit: token buckets of fixed size, so that a flood costs no memory.
 */
#ifndef LNS_L2TP_LIMIT_H
#define LNS_L2TP_LIMIT_H

#include "lns/addr.h"
#include "lns/log.h"

#include <stdbool.h>
#include <stdint.h>

/* A bucket that holds one second's worth of tokens. Zero-initialised when full. */
struct limit_bucket {
	uint64_t paid_until; /* the time at which it would be full again, microseconds */
};
/* Takes a token; false when there is none. rate: tokens a second, 0 = no limit. */
bool limit_take(struct limit_bucket *bucket, unsigned int rate, uint64_t now);

/* Buckets by source host: sources whose hashes meet share one, which is the price of no state. */
#define LIMIT_SOURCES 4096
struct limit_sources {
	uint32_t seed;
	struct limit_source {
		struct limit_bucket bucket;
		struct log_limit mistakes;
	} sources[LIMIT_SOURCES];
};
struct limit_source *limit_source(struct limit_sources *sources, const union addr *host);

#endif
