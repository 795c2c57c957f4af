/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * metrics: numbers for a monitoring system, in the text format of Prometheus, over HTTP.
 *
 * What is told stands in a table: one row per metric, whose function gives the samples of that moment.
 * Names follow Prometheus: base units (seconds, bytes), counters end in _total. The number of samples
 * must be bounded by the configuration, never by the number of sessions.
 */
#ifndef LNS_CONTROL_METRICS_H
#define LNS_CONTROL_METRICS_H

#include "lns/addr.h"

#include <stddef.h>
#include <stdint.h>

struct env;
struct metrics;
struct metrics_out;

enum metrics_type { METRICS_COUNTER, METRICS_GAUGE, METRICS_HISTOGRAM };

struct metrics_row {
	const char *name;
	enum metrics_type type;
	const char *help;
	void (*value)(void *ctx, struct metrics_out *out); /* any number of samples */
};

/*
 * One sample of the row in work. Its labels are pairs of texts, then NULL:
 * metrics_number(out, 3, "lac", name, NULL). Values of labels may be any text.
 */
void metrics_number(struct metrics_out *out, uint64_t value, ...) __attribute__((sentinel));
void metrics_seconds(struct metrics_out *out, uint64_t microseconds, ...) __attribute__((sentinel));

/* counts: one of each bucket and one behind the last bound, not cumulative; bounds ascend. */
struct metrics_histogram {
	const uint64_t *bounds, *counts; /* bounds: microseconds */
	size_t bound_count;
	uint64_t sum; /* microseconds */
};
void metrics_histogram(struct metrics_out *out, const struct metrics_histogram *histogram, ...)
	__attribute__((sentinel));

/* The whole text, to be freed; NULL when memory is short. rows end with a NULL name. */
char *metrics_text(const struct metrics_row *rows, void *ctx, size_t *ret_len);

/*
 * Serves GET /metrics at addr on the loop of env: few connections, short patience; a text is made once
 * a second at most. Borrows rows and ctx. 0 and *ret_metrics, or -errno.
 */
int metrics_new(struct env *env, const union addr *addr, const struct metrics_row *rows, void *ctx,
	struct metrics **ret_metrics);
void metrics_free(struct metrics *metrics);

#endif
