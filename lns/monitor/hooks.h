/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor/hooks: the hook process as the monitor sees it: started when programs are configured, started
 * again when it dies, told of changes.
 *
 * The monitor keeps a duplicate of the engine's end of their connection, so that it outlives engines.
 */
#ifndef LNS_MONITOR_HOOKS_H
#define LNS_MONITOR_HOOKS_H

#include "lns/log.h"
#include "lns/monitor/loop.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

struct config;
struct monitor_hooks;

struct monitor_hooks_ops {
	/* A hook process is there; event_fd is the engine's end, closed by nobody but us. */
	void (*started)(void *ctx, int event_fd);
};

/* NULL when memory is short. Borrows everything. engine: the user that its programs must not have. */
struct monitor_hooks *monitor_hooks_new(struct monitor_loop *loop, const struct rlimit *nofile,
	enum log_target log_to, uid_t engine, const struct monitor_hooks_ops *ops, void *ctx);
/* Forgets it, without a signal: it ends by itself. */
void monitor_hooks_free(struct monitor_hooks *hooks);

/* Whether the programs of config can be run as its hook-user says: 0, or -errno after logging why not. */
int monitor_hooks_check(const struct monitor_hooks *hooks, const struct config *config);
/* Takes them, and starts the hook process when it is needed. The user stays that of the first time. */
void monitor_hooks_configure(struct monitor_hooks *hooks, const struct config *config);

/* The engine's end of the connection for a new engine; -1: there is no hook process. */
int monitor_hooks_event_fd(const struct monitor_hooks *hooks);

/* Nothing comes any more: it is to run what waits and end. */
void monitor_hooks_finish(struct monitor_hooks *hooks);
void monitor_hooks_kill(struct monitor_hooks *hooks);
bool monitor_hooks_running(const struct monitor_hooks *hooks);

/* The time when monitor_hooks_tick has something to do; MONITOR_NEVER. */
uint64_t monitor_hooks_due(const struct monitor_hooks *hooks);
void monitor_hooks_tick(struct monitor_hooks *hooks);

#endif
