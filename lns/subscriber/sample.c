// SPDX-License-Identifier: BSD-2-Clause
/*
 * sample: reads the counters of all interfaces now and then, for whoever asks about a session, for idle
 * timeouts, interim accounting, and checkpoints.
 */
#include "lns/subscriber/internal.h"

#include "lns/log.h"

#include <string.h>

static void on_sample(void *ctx, uint32_t ifindex, const struct kernel_counters *counters)
{
	struct subscriber *sub = subscriber_find_link(ctx, ifindex);

	if (sub && sub->state == SUBSCRIBER_UP)
		subscriber_account_sample(sub, counters);
}

/* From the beginning of one sample to that of the next. */
static uint64_t sample_interval(const struct subscribers *all)
{
	const struct config *config = all->config.config;

	if (config->has_radius && config->radius.checkpoint_interval < config->sample_interval)
		return config->radius.checkpoint_interval;
	return config->sample_interval;
}

void subscriber_sample_later(struct subscribers *all)
{
	uint64_t now = env_now(all->host.env), next = all->sampled + sample_interval(all);

	env_timer_start(all->sample_timer, next > now ? next - now : 0);
}

static void sampled(void *ctx, int err, int fd)
{
	struct subscribers *all = ctx;

	(void)fd;
	all->sampling = NULL;
	if (err < 0)
		log_warning("interface counters could not be read: %s", strerror(-err));
	if (all->checkpointing && all->config.spool)
		radius_spool_commit(all->config.spool);
	all->checkpointing = false;
	subscriber_sample_later(all);
}

/* Checkpoints come with the sample that is nearest to their time. */
static bool is_checkpoint_due(const struct subscribers *all)
{
	const struct config *config = all->config.config;

	return all->config.spool && config->has_radius &&
	       all->sampled + sample_interval(all) / 2 >=
		       all->checkpointed + config->radius.checkpoint_interval;
}

void subscriber_sample_due(void *ctx)
{
	struct subscribers *all = ctx;

	all->sampled = env_now(all->host.env);
	if (all->counters.online > 0)
		all->sampling = kernel_sample_counters(all->host.kernel, on_sample, sampled, all);
	if (!all->sampling) {
		subscriber_sample_later(all);
		return;
	}
	all->checkpointing = is_checkpoint_due(all);
	if (all->checkpointing)
		all->checkpointed = all->sampled;
}
