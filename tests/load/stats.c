/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stats: keeps every sample, so that percentiles are exact.
 */
#include "tests/load/stats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name, *key;
} phases[PHASE_COUNT] = {
	[PHASE_SCCRP] = { "SCCRQ to SCCRP", "sccrp" },
	[PHASE_ICRP] = { "ICRQ to ICRP", "icrp" },
	[PHASE_LCP] = { "ICCN to first LCP", "lcp" },
	[PHASE_AUTH] = { "ICCN to authenticated", "auth" },
	[PHASE_UP] = { "ICCN to IP up", "up" },
	[PHASE_CALL] = { "ICRQ to IP up", "call" },
	[PHASE_PING] = { "ping", "ping" },
};

static const char *const protocols[STATS_PROTOCOLS] = { "lcp", "auth", "ipcp", "ipv6cp" };

const char *stats_phase_name(enum stats_phase phase)
{
	return phases[phase].name;
}

const char *stats_phase_key(enum stats_phase phase)
{
	return phases[phase].key;
}

const char *stats_protocol_key(enum stats_protocol protocol)
{
	return protocols[protocol];
}

void stats_sample(struct stats *stats, enum stats_phase phase, uint64_t latency)
{
	struct stats_samples *samples = &stats->phases[phase];

	if (samples->count == samples->size) {
		size_t size = samples->size ? 2 * samples->size : 1024;
		uint32_t *values = realloc(samples->values, size * sizeof(*values));

		if (!values)
			return;
		samples->values = values;
		samples->size = size;
	}
	samples->values[samples->count++] = latency < UINT32_MAX ? (uint32_t)latency : UINT32_MAX;
}

void stats_fail(struct stats *stats, const char *reason)
{
	struct stats_reason *entry;
	unsigned int i;

	stats->failures++;
	for (i = 0; i < stats->reason_count; i++) {
		if (strncmp(stats->reasons[i].text, reason, STATS_REASON_TEXT - 1) == 0)
			break;
	}
	if (i == STATS_REASONS)
		i--;
	entry = &stats->reasons[i];
	entry->count++;
	if (i < stats->reason_count)
		return;
	if (i == STATS_REASONS - 1)
		reason = "other reasons";
	stats->reason_count++;
	snprintf(entry->text, sizeof(entry->text), "%s", reason);
}

struct stats_wave *stats_wave(struct stats *stats)
{
	return stats->wave_count ? &stats->waves[stats->wave_count - 1] : NULL;
}

struct stats_wave *stats_wave_begin(struct stats *stats, const char *name, uint64_t now)
{
	struct stats_wave *wave;

	if (stats->wave_count < STATS_WAVES)
		stats->wave_count++;
	wave = stats_wave(stats);
	*wave = (struct stats_wave){ .name = name, .began = now };
	return wave;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* The smallest sample that so many per cent are not above (nearest rank). */
static double percentile(const struct stats_samples *samples, unsigned int percent)
{
	size_t rank = (samples->count * percent + 99) / 100;

	return samples->values[rank ? rank - 1 : 0] / 1e3;
}

void stats_summarize(struct stats_samples *samples, struct stats_summary *ret)
{
	*ret = (struct stats_summary){ .count = samples->count };
	if (!samples->count)
		return;
	qsort(samples->values, samples->count, sizeof(*samples->values), compare);
	ret->p50 = percentile(samples, 50);
	ret->p90 = percentile(samples, 90);
	ret->p99 = percentile(samples, 99);
	ret->max = percentile(samples, 100);
}

void stats_free(struct stats *stats)
{
	for (unsigned int i = 0; i < PHASE_COUNT; i++)
		free(stats->phases[i].values);
	*stats = (struct stats){ 0 };
}
