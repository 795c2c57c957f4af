/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * limit: see limit.h. sub->limits is what the kernel has; a request that was called off leaves open
 * what that is, and the next one is then made in any case.
 */
#include "lns/subscriber/limit.h"

#include "lns/subscriber/internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool is_same_rate(const struct kernel_rate *a, const struct kernel_rate *b)
{
	return a->rate == b->rate && (a->rate == 0 || (a->peak == b->peak && a->burst == b->burst));
}

static void limited(void *ctx, int err, const char *part)
{
	struct subscriber *sub = ctx;
	char problem[160];

	sub->limiting = NULL;
	sub->limits_unknown = false;
	sub->all->counters.limits_set += err == 0;
	sub->all->counters.limit_failures += err < 0;
	if (err == 0) {
		sub->limits = sub->limits_wanted;
		sub->limited(sub, NULL);
		return;
	}
	if (err == -ENOENT || err == -EOPNOTSUPP)
		snprintf(problem, sizeof(problem),
			"rate limit: the kernel has no %s: load or build that module", part);
	else
		snprintf(problem, sizeof(problem), "rate limit: %s: %s", part, strerror(-err));
	sub->limited(sub, problem);
}

int subscriber_limit(
	struct subscriber *sub, const struct kernel_limits *limits, subscriber_limited_fn *done)
{
	subscriber_limit_cancel(sub);
	if (!sub->limits_unknown && is_same_rate(&limits->down, &sub->limits.down) &&
		is_same_rate(&limits->up, &sub->limits.up))
		return 1;
	if (!sub->link_ifindex)
		return -ENODEV;
	sub->limits_wanted = *limits;
	sub->limited = done;
	sub->limiting =
		kernel_limits_set(sub->all->host.kernel, sub->link_ifindex, limits, limited, sub);
	return sub->limiting ? 0 : -ENOMEM;
}

void subscriber_limit_cancel(struct subscriber *sub)
{
	sub->limits_unknown |= sub->limiting != NULL;
	kernel_cancel(sub->limiting);
	sub->limiting = NULL;
}
