// SPDX-License-Identifier: BSD-2-Clause
/*
 * sample: reads the counters of all interfaces now and then, for whoever asks about a session, for idle
 * timeouts, interim accounting, and checkpoints.
 *
 * Should everything be lost, a session ends with its last checkpoint, which is to be no older than
 * checkpoint-interval. So a round of them begins early enough to be on disk before the last one is as old as
 * that, in the whole seconds of RADIUS, and as long as rounds took lately, twice.
 */
#include "lns/subscriber/internal.h"

#include "lns/log.h"

#include <string.h>

#define ROUNDING       ENV_SEC(1) /* of Event-Timestamp, which is cut off */
#define RESERVE        ENV_SEC(1) /* for a round, at least, when the interval has room for it */
#define TOOK_FORGOTTEN 8          /* an eighth less in each round */

static void on_sample(void *ctx, uint32_t ifindex, const struct kernel_counters *counters)
{
	struct subscriber *sub = subscriber_find_link(ctx, ifindex);

	if (sub && sub->up && !sub->stop_put)
		subscriber_account_sample(sub, counters);
}

static bool has_checkpoints(const struct subscribers *all)
{
	return all->config.spool && all->config.config->has_radius;
}

/* From the beginning of one round of checkpoints to that of the next, at most. */
static uint64_t checkpoint_period(const struct subscribers *all)
{
	uint64_t interval = all->config.config->radius.checkpoint_interval;
	uint64_t room = interval > 2 * ROUNDING ? interval - ROUNDING : interval / 2;
	uint64_t reserve = room / 3 < RESERVE ? room / 3 : RESERVE;

	if (reserve < 2 * all->checkpoint_took)
		reserve = 2 * all->checkpoint_took;
	if (reserve > room / 4 * 3)
		reserve = room / 4 * 3;
	return room - reserve;
}

/* From the beginning of one sample to that of the next. */
static uint64_t sample_interval(const struct subscribers *all)
{
	uint64_t interval = all->config.config->sample_interval;
	uint64_t period = has_checkpoints(all) ? checkpoint_period(all) : interval;

	return period < interval ? period : interval;
}

void subscriber_sample_later(struct subscribers *all)
{
	uint64_t now = env_now(all->host.env), next = all->sampled + sample_interval(all);

	env_timer_start(all->sample_timer, next > now ? next - now : 0);
}

/* This one failed: it is tried again while it still counts. */
static void sample_again(struct subscribers *all)
{
	env_timer_start(all->sample_timer, sample_interval(all) / 4);
}

/* The round is on disk. How long that took, and how old the last one had become. */
static void durable(void *ctx, int err)
{
	struct subscribers *all = ctx;
	uint64_t now = env_now(all->host.env), took = now - all->checkpointed;
	uint64_t interval = all->config.config->radius.checkpoint_interval;
	uint64_t age = all->on_disk ? now - all->on_disk : 0;
	unsigned int left_out;

	all->committing = false;
	all->on_disk =
		err < 0 ? 0 : all->checkpointed; /* a disk that fails is the spool's to report */
	all->checkpoint_took -= all->checkpoint_took / TOOK_FORGOTTEN;
	if (all->checkpoint_took < took)
		all->checkpoint_took = took;
	if (err == 0 && age > interval && log_limit_pass(&all->late_rounds, now, &left_out))
		log_warning(
			"checkpoints are late: these were on disk after %.1f s, when the last ones "
			"were %.1f s old, and checkpoint-interval is %.1f s: is the disk of the "
			"state directory slow?",
			(double)took / ENV_SEC(1), (double)age / ENV_SEC(1),
			(double)interval / ENV_SEC(1));
	if (!all->sampling)
		subscriber_sample_later(all);
}

/* The sample is complete, and so is its round of checkpoints, if it was one. */
static void end_round(struct subscribers *all, int err)
{
	bool checkpointing = all->checkpointing && all->config.spool;

	all->checkpointing = false;
	if (checkpointing && err < 0) { /* of some sessions only */
		(void)radius_spool_commit(all->config.spool, NULL, NULL);
		all->checkpointed = all->checkpointed_before;
	} else if (checkpointing) {
		all->committing = true;
		if (radius_spool_commit(all->config.spool, durable, all) == 0)
			return;
		all->committing = false;
		all->on_disk = 0;
	}
}

static void sampled(void *ctx, int err, int fd)
{
	struct subscribers *all = ctx;

	(void)fd;
	all->sampling = NULL;
	end_round(all, err);
	if (err == 0) {
		subscriber_sample_later(all);
		return;
	}
	log_warning("interface counters could not be read: %s", strerror(-err));
	sample_again(all);
}

/* Checkpoints come with the last sample that is in time, and not before the last ones are on disk. */
static bool is_checkpoint_due(const struct subscribers *all)
{
	return has_checkpoints(all) && !all->committing &&
	       all->sampled + sample_interval(all) > all->checkpointed + checkpoint_period(all);
}

void subscriber_sample_due(void *ctx)
{
	struct subscribers *all = ctx;

	all->sampled = env_now(all->host.env);
	if (all->counters.online == 0) {
		all->on_disk = 0;
		subscriber_sample_later(all);
		return;
	}
	all->sampling = kernel_sample_counters(all->host.kernel, on_sample, sampled, all);
	if (!all->sampling) {
		sample_again(all);
		return;
	}
	all->checkpointing = is_checkpoint_due(all);
	if (all->checkpointing) {
		all->checkpointed_before = all->checkpointed;
		all->checkpointed = all->sampled;
	}
}
