/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor/engine: the engine as the monitor sees it: one process at a time, its connection, its end.
 *
 * Every request is checked before it is handed over; an engine that breaks the protocol is killed.
 */
#ifndef LNS_MONITOR_ENGINE_H
#define LNS_MONITOR_ENGINE_H

#include "lns/monitor/loop.h"
#include "lns/monitor/proto.h"

#include <stdbool.h>
#include <stdint.h>

struct monitor_engine;
struct monitor_spawn_engine;

struct monitor_engine_ops {
	/* A checked request; fds (as many as its type has) are the callee's. */
	void (*request)(void *ctx, const union monitor_message *request, const int *fds);
	/* A request to keep a descriptor is lost: this process may not open another one. */
	void (*full)(void *ctx);
	/* Everything that was queued for it is sent: there is room for more. */
	void (*drained)(void *ctx);
	/* It ended with a wait status; quick: it ran a short time only. */
	void (*exited)(void *ctx, int status, bool quick);
};

/* NULL when memory is short. Borrows loop and ops. */
struct monitor_engine *monitor_engine_new(
	struct monitor_loop *loop, const struct monitor_engine_ops *ops, void *ctx);
/* Forgets it, without a signal. */
void monitor_engine_free(struct monitor_engine *engine);

/* Starts an engine; none runs. 0, or -errno after logging why. */
int monitor_engine_start(struct monitor_engine *engine, const struct monitor_spawn_engine *how);
bool monitor_engine_running(const struct monitor_engine *engine);
/* Kills it: exited follows. Nothing when none runs. */
void monitor_engine_kill(struct monitor_engine *engine);

/*
 * Sends a message, or queues it. Descriptors stay the caller's. An engine that cannot be told something
 * would work on with half the truth: when memory or descriptors are short it is killed instead.
 */
void monitor_engine_send(struct monitor_engine *engine, enum monitor_message_type type,
	void *message, const int *fds, unsigned int count);
/* Whether something is queued: ops.drained will be called, unless it ends before. */
bool monitor_engine_queued(const struct monitor_engine *engine);

#endif
