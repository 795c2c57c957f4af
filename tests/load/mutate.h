/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mutate: a hostile LAC. It opens a few real tunnels with calls and then sends control packets that were
 * good until it changed them; whenever the LNS closes a tunnel it opens another.
 */
#ifndef LOAD_MUTATE_H
#define LOAD_MUTATE_H

#include "tests/load/options.h"

#include <stdint.h>

struct env;
struct mutate;

struct mutate_result {
	uint64_t sent, reached; /* reached: should have come to a state machine of a live tunnel */
	uint64_t tunnels, calls, connected;        /* opened; ICRPs; ICCNs that came in order */
	uint64_t lost;                             /* tunnels that ended unexpectedly */
	uint64_t stopccns, cdns, replies, invalid; /* invalid: of the LNS, refused by the decoder */
	double seconds;
	bool alive; /* at the end a proper tunnel could be opened */
};

/* 0 and *ret, or -errno, which has been reported. done is called once, when all was sent. */
int mutate_new(struct env *env, const struct options *options, void (*done)(void *ctx), void *ctx,
	struct mutate **ret);
void mutate_free(struct mutate *mutate);
const struct mutate_result *mutate_result(const struct mutate *mutate);
/* Stops early. */
void mutate_interrupt(struct mutate *mutate);

/* 0 or -errno; the result as text or, with a path, as JSON. */
void mutate_report(const struct mutate_result *result, const struct options *options);
int mutate_report_json(
	const struct mutate_result *result, const struct options *options, const char *path);

#endif
