/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rng: a 64-bit counter through a mixing function (splitmix64).
 */
#include "tests/load/rng.h"

void rng_seed(struct rng *rng, uint64_t seed)
{
	rng->state = seed;
}

uint32_t rng_u32(struct rng *rng)
{
	uint64_t z = rng->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (uint32_t)((z ^ z >> 31) >> 32);
}

uint32_t rng_below(struct rng *rng, uint32_t limit)
{
	return (uint32_t)((uint64_t)rng_u32(rng) * limit >> 32);
}

uint16_t rng_id(struct rng *rng)
{
	return (uint16_t)(1 + rng_below(rng, 65535));
}

void rng_fill(struct rng *rng, void *buf, size_t len)
{
	uint8_t *out = buf;

	while (len--)
		*out++ = (uint8_t)rng_u32(rng);
}
