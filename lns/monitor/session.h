/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor/session: the session pppds: who they are, signals to them, how they ended.
 *
 * An entry lives from the template's report until its exit was told and dealt with (MONITOR_FORGET).
 */
#ifndef LNS_MONITOR_SESSION_H
#define LNS_MONITOR_SESSION_H

#include "lns/monitor/loop.h"
#include "lns/monitor/proto.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct monitor_sessions;

struct monitor_sessions_ops {
	/* A session pppd ended. */
	void (*exited)(void *ctx, const struct monitor_exit *exit);
};

/* NULL when memory is short. Borrows loop and ops. */
struct monitor_sessions *monitor_sessions_new(
	struct monitor_loop *loop, const struct monitor_sessions_ops *ops, void *ctx);
/* Signals nobody. */
void monitor_sessions_free(struct monitor_sessions *sessions);

/*
 * Takes over the child pid as the pppd of session (a key). Telling the same twice does nothing. 0;
 * -EEXIST when the key or the process means something else already; -ECHILD when pid is no child of
 * ours; other -errno.
 */
int monitor_sessions_add(struct monitor_sessions *sessions, uint64_t session, pid_t pid);
/* Kills and reaps a child that nobody told us about. 0 or -errno. */
int monitor_sessions_kill_stray(struct monitor_sessions *sessions, pid_t pid);

bool monitor_sessions_has_pid(const struct monitor_sessions *sessions, pid_t pid);

/* Returns whether the key is known (living or ended). */
bool monitor_sessions_signal(struct monitor_sessions *sessions, uint64_t session, int signal);
void monitor_sessions_signal_all(struct monitor_sessions *sessions, int signal);

/* The exit was dealt with; nothing for keys that are unknown or still run. */
void monitor_sessions_forget(struct monitor_sessions *sessions, uint64_t session);

/* pppds that run, strays included. */
unsigned int monitor_sessions_running(const struct monitor_sessions *sessions);

/* For a new engine: each living one, and each exit that was not dealt with; until non-zero. */
int monitor_sessions_each(const struct monitor_sessions *sessions,
	int (*running)(void *ctx, uint64_t session, pid_t pid),
	int (*exited)(void *ctx, const struct monitor_exit *exit), void *ctx);

#endif
