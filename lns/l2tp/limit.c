/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * limit: token buckets. A bucket is one time: each token taken moves it on by the time that one token
 * needs to come back; when it lies a second ahead the bucket is empty.
 */
#include "lns/l2tp/limit.h"

#define SECOND 1000000u

bool limit_take(struct limit_bucket *bucket, unsigned int rate, uint64_t now)
{
	uint64_t price = rate ? SECOND / rate : 0;

	if (bucket->paid_until < now)
		bucket->paid_until = now;
	if (bucket->paid_until - now + price > SECOND)
		return false;
	bucket->paid_until += price;
	return true;
}

struct limit_source *limit_source(struct limit_sources *sources, const union addr *host)
{
	union addr key = *host;

	addr_set_port(&key, 0);
	return &sources->sources[addr_hash(&key, sources->seed) % LIMIT_SOURCES];
}
