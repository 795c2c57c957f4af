/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * line: one direction of a bad line. It loses, repeats, delays and reorders packets by a seeded
 * generator: the n-th packet meets the same fate in every run with the same seed.
 */
#ifndef LOAD_LINE_H
#define LOAD_LINE_H

#include "lns/addr.h"

#include <stddef.h>
#include <stdint.h>

struct env;
struct line;

struct line_quality {
	double loss, duplicate, reorder; /* of 100 packets; reordered ones are not delayed */
	uint64_t delay;                  /* microseconds */
};

/* 0 and *ret, or -ENOMEM. forward gets what comes out at the other end; quality is copied. */
int line_new(struct env *env, const struct line_quality *quality, uint64_t seed,
	void (*forward)(void *ctx, const union addr *from, const uint8_t *packet, size_t len),
	void *ctx, struct line **ret);
void line_free(struct line *line);

/* Puts a packet in; what is to leave at once is forwarded before it returns. from is passed on. */
void line_put(struct line *line, const union addr *from, const uint8_t *packet, size_t len);

#endif
