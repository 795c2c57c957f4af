/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rng: random numbers that repeat when the seed does. Good for ids and test traffic, not for secrets.
 */
#ifndef LOAD_RNG_H
#define LOAD_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
	uint64_t state;
};

void rng_seed(struct rng *rng, uint64_t seed);
uint32_t rng_u32(struct rng *rng);
/* 0 .. limit - 1; 0 when limit is 0. */
uint32_t rng_below(struct rng *rng, uint32_t limit);
/* Never 0. */
uint16_t rng_id(struct rng *rng);
void rng_fill(struct rng *rng, void *buf, size_t len);

#endif
