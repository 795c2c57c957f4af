/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * line: a bad line. All delays are the same, so the packets under way leave in the order they came.
 */
#include "tests/load/line.h"

#include "lns/env.h"
#include "tests/load/rng.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct packet {
	STAILQ_ENTRY(packet) next;
	uint64_t due;
	union addr from;
	size_t len;
	uint8_t data[];
};

struct line {
	struct env *env;
	struct env_timer *timer;
	struct line_quality quality;
	struct rng rng;
	void (*forward)(void *ctx, const union addr *from, const uint8_t *packet, size_t len);
	void *ctx;
	STAILQ_HEAD(, packet) under_way;
};

static void packet_due(void *ctx)
{
	struct line *line = ctx;
	struct packet *packet;

	while ((packet = STAILQ_FIRST(&line->under_way)) && packet->due <= env_now(line->env)) {
		STAILQ_REMOVE_HEAD(&line->under_way, next);
		line->forward(line->ctx, &packet->from, packet->data, packet->len);
		free(packet);
	}
	if (packet)
		env_timer_start(line->timer, packet->due - env_now(line->env));
}

int line_new(struct env *env, const struct line_quality *quality, uint64_t seed,
	void (*forward)(void *ctx, const union addr *from, const uint8_t *packet, size_t len),
	void *ctx, struct line **ret)
{
	struct line *line = calloc(1, sizeof(*line));

	if (!line)
		return -ENOMEM;
	line->env = env;
	line->quality = *quality;
	line->forward = forward;
	line->ctx = ctx;
	STAILQ_INIT(&line->under_way);
	rng_seed(&line->rng, seed);
	line->timer = env_timer_new(env, packet_due, line);
	if (!line->timer) {
		free(line);
		return -ENOMEM;
	}
	*ret = line;
	return 0;
}

void line_free(struct line *line)
{
	struct packet *packet;

	if (!line)
		return;
	while ((packet = STAILQ_FIRST(&line->under_way))) {
		STAILQ_REMOVE_HEAD(&line->under_way, next);
		free(packet);
	}
	env_timer_free(line->timer);
	free(line);
}

static bool happens(struct line *line, double percent)
{
	return rng_u32(&line->rng) < percent / 100 * 4294967296.0;
}

static void carry(
	struct line *line, bool at_once, const union addr *from, const uint8_t *data, size_t len)
{
	struct packet *packet;

	if (at_once || !line->quality.delay) {
		line->forward(line->ctx, from, data, len);
		return;
	}
	packet = malloc(sizeof(*packet) + len);
	if (!packet)
		return; /* one more that was lost */
	packet->due = env_now(line->env) + line->quality.delay;
	packet->from = *from;
	packet->len = len;
	memcpy(packet->data, data, len);
	if (STAILQ_EMPTY(&line->under_way))
		env_timer_start(line->timer, line->quality.delay);
	STAILQ_INSERT_TAIL(&line->under_way, packet, next);
}

void line_put(struct line *line, const union addr *from, const uint8_t *packet, size_t len)
{
	/* All are drawn for each packet, so that its fate depends on its number alone. */
	bool lost = happens(line, line->quality.loss);
	bool twice = happens(line, line->quality.duplicate);
	bool at_once = happens(line, line->quality.reorder);

	if (!lost)
		carry(line, at_once, from, packet, len);
	if (!lost && twice)
		carry(line, at_once, from, packet, len);
}
