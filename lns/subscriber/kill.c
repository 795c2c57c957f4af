// SPDX-License-Identifier: BSD-2-Clause
/*
 * kill: ends the pppds of many sessions whose peer is gone.
 *
 * A killed pppd takes its interface with it, and the kernel waits for grace periods with rtnl held, for
 * one interface as long as for a thousand: killed one by one, those of a LAC that rebooted stand in the
 * way of those who come back. So where many end at a time, their interfaces are deleted first, as one;
 * the plugin ends a pppd whose interface is gone, and what is left is killed.
 */
#include "lns/subscriber/internal.h"

#include "lns/kernel/kernel.h"

#include <stdlib.h>
#include <string.h>

#define MANY 8

struct kill {
	LIST_ENTRY(kill) entry;
	struct subscribers *all;
	struct kernel_job *job;
	size_t count;
	uint64_t keys[MONITOR_BATCH];
};

static void kill_free(struct kill *kill)
{
	LIST_REMOVE(kill, entry);
	free(kill);
}

static void links_deleted(void *ctx, int err, int fd)
{
	struct kill *kill = ctx;
	const struct subscribers_host *host = &kill->all->host;

	(void)err; /* then they take their interfaces with them after all */
	(void)fd;
	host->signal(host->ctx, MONITOR_SIGNAL_KILL, kill->keys, kill->count);
	kill_free(kill);
}

bool subscriber_kill_many(struct subscribers *all, const uint64_t *keys, size_t count)
{
	uint32_t ifindexes[MONITOR_BATCH];
	size_t links = 0;
	struct kill *kill;

	for (size_t i = 0; i < count; i++) {
		struct subscriber *sub = subscriber_find(all, keys[i]);

		if (!sub || !sub->ifindex || sub->link_gone || sub->unlinked)
			continue;
		sub->unlinked = true;
		ifindexes[links++] = sub->ifindex;
	}
	if (links < MANY)
		return false;
	kill = calloc(1, sizeof(*kill));
	if (!kill)
		return false;
	kill->all = all;
	kill->count = count;
	memcpy(kill->keys, keys, count * sizeof(*keys));
	kill->job = kernel_links_delete(all->host.kernel, ifindexes, links, links_deleted, kill);
	if (!kill->job) {
		free(kill);
		return false;
	}
	LIST_INSERT_HEAD(&all->kills, kill, entry);
	return true;
}

void subscriber_kills_free(struct subscribers *all)
{
	struct kill *kill;

	while ((kill = LIST_FIRST(&all->kills))) {
		kernel_cancel(kill->job);
		kill_free(kill);
	}
}
