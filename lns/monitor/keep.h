/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor/keep: the descriptors that outlive an engine, by (kind, id). They are never read.
 */
#ifndef LNS_MONITOR_KEEP_H
#define LNS_MONITOR_KEEP_H

#include "lns/monitor/proto.h"

struct monitor_keep_table;

/* NULL when memory is short. */
struct monitor_keep_table *monitor_keep_new(void);
/* Closes everything. */
void monitor_keep_free(struct monitor_keep_table *table);

/* Owns fd from now on, also when it fails; closes the one that it replaces. 0 or -ENOMEM. */
int monitor_keep_put(struct monitor_keep_table *table, enum monitor_kind kind, uint64_t id, int fd);
/* 0, or -ENOENT. */
int monitor_keep_drop(struct monitor_keep_table *table, enum monitor_kind kind, uint64_t id);

unsigned int monitor_keep_count(const struct monitor_keep_table *table);

/*
 * Calls each for every one from *place on, which is 0 at first: listeners, then tunnels, then channels.
 * When it returns non-zero, some more of the same place may follow; then that is returned, and another
 * call goes on behind them, whatever is put or dropped meanwhile. 0: that were all.
 */
int monitor_keep_each(const struct monitor_keep_table *table, unsigned int *place,
	int (*each)(void *ctx, enum monitor_kind kind, uint64_t id, int fd), void *ctx);

#endif
